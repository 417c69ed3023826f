"""Calls that go on in a new session."""

from __future__ import annotations

from typing import Any

import pytest

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.description import Setup
from openvoice.core.inputs import AnswerReceived, Ended, GlareLost, OfferReceived, PeerMigrated, PeerProceeded
from openvoice.core.policy import Screening
from openvoice.core.remedies import Renewal
from openvoice.core.types import CallId, EndReason
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.messages import parse_message
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.jingle.moving import LATE_MOVE
from openvoice.jingle.outputs import Deliver, Output, ReplyError, ReplyResult, SendIq, SendMessage
from openvoice.jingle.peers import PeerProfile
from tests.jingle.samples import (
    HEX,
    NOW,
    OWN,
    PEER,
    VOICE,
    answered,
    ask,
    content,
    description,
    endpoint,
    fingerprint,
    kinds,
    message,
    proceeding,
    sealed,
    transport,
)
from tests.jingle.sealer import encrypted

OTHER_OWN = Address.parse(f"{OWN.bare}/other")
CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
SECOND = Address.parse("bob@conv.example/tablet")
ACCEPT = content(inner=transport(fingerprint("active")))
SEALED = content(inner=transport(sealed(encrypted(HEX))))
SILENT = PeerProfile(renewal=Renewal.SILENT)


def said(output: Output) -> JingleMessage:
    assert isinstance(output, SendMessage)
    what = parse_message(output.message)
    assert what is not None
    return what


def direct(profile: PeerProfile | None = None) -> JingleEndpoint:
    """A call of this side to one device, with offer and answer."""
    made = endpoint(profile=profile)
    made.begin(CALL, PEER, frozenset({"audio"}), NOW)
    made.perform(CALL, e.SendOffer(description()), NOW)
    ask(made, "session-accept", ACCEPT, CALL)
    return made


class TestRenewal:
    """Begun by this side."""

    def test_where_it_rings_the_session_before_is_ended_first(self) -> None:
        made = endpoint()
        call = answered(made)
        terminate, finish, propose = made.perform(call, e.SendRenewal(), NOW)
        assert isinstance(terminate, SendIq)
        assert (terminate.payload.get("action"), terminate.payload.get("sid")) == ("session-terminate", "sid")
        assert (said(finish).kind, said(finish).id) == (MessageKind.FINISH, "sid")
        assert (said(propose).kind, said(propose).media) == (MessageKind.PROPOSE, frozenset({"audio"}))
        assert said(propose).id not in ("sid", call)
        assert isinstance(propose, SendMessage)
        # The other devices of the peer have no part in it.
        assert propose.message.get("to") == str(PEER)

    def test_where_it_is_taken_for_what_it_is_nothing_else_is_said(self) -> None:
        made = endpoint(profile=SILENT)
        (propose,) = made.perform(answered(made), e.SendRenewal(), NOW)
        assert said(propose).kind is MessageKind.PROPOSE

    def test_the_offer_follows_in_the_new_session(self) -> None:
        made = endpoint(profile=SILENT)
        call = answered(made)
        (propose,) = made.perform(call, e.SendRenewal(), NOW)
        new = said(propose).id
        # What the peer still says of the session before is no word about the call.
        assert made.receive_message(message("finish", "sid"), PEER, NOW) == []
        assert ask(made, "session-terminate") == [ReplyResult("q", PEER)]
        (told,) = made.receive_message(message("proceed", new), PEER, NOW)
        assert told == Deliver(call, PeerProceeded())
        (offer,) = made.perform(call, e.SendOffer(description()), NOW)
        assert isinstance(offer, SendIq)
        assert (offer.to, offer.payload.get("action"), offer.payload.get("sid")) == (PEER, "session-initiate", new)
        outputs = ask(made, "session-accept", ACCEPT, new)
        assert isinstance(outputs[1], Deliver)
        assert isinstance(outputs[1].message, AnswerReceived)
        assert (outputs[1].call, outputs[1].message.session) == (call, new)

    def test_a_person_may_decline_to_answer_again(self) -> None:
        made = endpoint()
        call = answered(made)
        new = said(made.perform(call, e.SendRenewal(), NOW)[-1]).id
        told = made.receive_message(message("reject", new), PEER, NOW)[0]
        assert isinstance(told, Deliver)
        assert isinstance(told.message, Ended)
        assert (told.call, told.message.reason) == (call, EndReason.DECLINE)

    def test_without_proposals_the_offer_goes_to_the_device_at_once(self) -> None:
        made = direct()
        terminate, told = made.perform(CALL, e.SendRenewal(), NOW)
        assert isinstance(terminate, SendIq)
        assert told == Deliver(CALL, PeerProceeded())
        (offer,) = made.perform(CALL, e.SendOffer(description()), NOW)
        assert isinstance(offer, SendIq)
        assert (offer.to, offer.payload.get("action")) == (PEER, "session-initiate")
        assert offer.payload.get("sid") not in (None, str(CALL))

    @pytest.mark.parametrize("theirs", ["!", "~"])
    def test_both_sides_at_once(self, theirs: str) -> None:
        made = endpoint(profile=SILENT)
        call = answered(made)
        made.perform(call, e.SendRenewal(), NOW)
        answer, *told = made.receive_message(message("propose", theirs, to=OWN, inner=VOICE), PEER, NOW)
        assert said(answer).tie_break
        if theirs == "!":
            assert said(answer).kind is MessageKind.RETRACT
            assert told == [Deliver(call, GlareLost())]
            assert kinds(made.perform(call, e.SendProceed(), NOW)) == ["SendMessage", "SendMessage"]
        else:
            assert (said(answer).kind, told) == (MessageKind.REJECT, [])

    def test_giving_up_takes_it_back(self) -> None:
        made = endpoint(profile=SILENT)
        call = answered(made)
        made.perform(call, e.SendRenewal(), NOW)
        retract, _ = made.perform(call, e.SendEnd(EndReason.CONNECTIVITY_ERROR), NOW)
        assert (said(retract).kind, said(retract).reason) == (MessageKind.RETRACT, EndReason.CONNECTIVITY_ERROR)


class TestReplacement:
    """The very device that a session is with begins another one: it has given up the first."""

    def test_the_call_goes_on_in_it(self) -> None:
        made = endpoint(screening=Screening.BUSY)
        call = answered_whatever_the_policy(made)
        outputs = ask(made, "session-initiate", content(), "new")
        assert kinds(outputs) == ["ReplyResult", "SendIq", "SendMessage", "Deliver", "Deliver"]
        terminate = outputs[1]
        assert isinstance(terminate, SendIq)
        assert (terminate.payload.get("action"), terminate.payload.get("sid")) == ("session-terminate", CALL)
        moved, offered = outputs[3:]
        assert moved == Deliver(call, PeerMigrated())
        assert isinstance(offered, Deliver)
        assert isinstance(offered.message, OfferReceived)
        assert (offered.call, offered.message.session) == (call, "new")
        assert made.perform(call, e.SendProceed(), NOW) == []
        (accept,) = made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
        assert isinstance(accept, SendIq)
        assert (accept.payload.get("action"), accept.payload.get("sid")) == ("session-accept", "new")

    def test_a_sealed_offer_is_opened_when_the_call_proceeds(self) -> None:
        made = endpoint(omemo_device=1)
        call = answered(made)
        outputs = ask(made, "session-initiate", SEALED, "new")
        assert outputs[-1] == Deliver(call, PeerMigrated())
        assert kinds(made.perform(call, e.SendProceed(), NOW)) == ["Unseal"]

    def test_an_offer_that_cannot_be_answered_ends_alone(self) -> None:
        made = endpoint()
        call = answered(made)
        outputs = ask(made, "session-initiate", content(inner=transport("")), "new")
        assert kinds(outputs) == ["ReplyResult", "SendIq"]
        assert kinds(made.perform(call, e.SendInformation(e.Information.MUTE), NOW)) == ["SendIq"]

    @pytest.mark.parametrize(("sender", "sid"), [(SECOND, "new"), (PEER, "old")])
    def test_another_device_or_an_old_session_is_no_replacement(self, sender: Address, sid: str) -> None:
        made = endpoint()
        ended = proceeding(made, "old")
        made.perform(ended, e.SendEnd(EndReason.SUCCESS), NOW)
        call = answered(made)
        outputs = ask(made, "session-initiate", content(), sid, sender)
        assert Deliver(call, PeerMigrated()) not in outputs


def answered_whatever_the_policy(made: JingleEndpoint) -> CallId:
    """A call to the peer, who is in the contact list, while the policy lets nobody else in."""
    made.begin(CALL, PEER, frozenset({"audio"}), NOW)
    made.perform(CALL, e.SendProposal(), NOW)
    made.receive_message(message("proceed", CALL), PEER, NOW)
    made.perform(CALL, e.SendOffer(description()), NOW)
    ask(made, "session-accept", ACCEPT, CALL)
    return CALL


class TestMigration:
    """XEP-0353, 6.2."""

    def test_the_call_goes_on_with_the_new_device(self) -> None:
        made = endpoint()
        call = answered(made)
        finish, told = made.receive_message(message("propose", "new", sender=SECOND, inner=VOICE), SECOND, NOW)
        assert isinstance(finish, SendMessage)
        said = parse_message(finish.message)
        assert said is not None
        assert (said.kind, said.id, said.reason, said.migrated) == (
            MessageKind.FINISH,
            "sid",
            EndReason.EXPIRED,
            "new",
        )
        assert finish.message.get("to") == str(PEER)
        assert told == Deliver(call, PeerMigrated())
        assert kinds(made.perform(call, e.SendProceed(), NOW)) == ["SendMessage", "SendMessage"]
        (refused,) = ask(made, "session-info")
        assert isinstance(refused, ReplyError)
        assert refused.jingle_condition == "unknown-session"
        outputs = ask(made, "session-initiate", content(), "new", SECOND)
        assert kinds(outputs) == ["ReplyResult", "Deliver"]

    @pytest.mark.parametrize(
        ("inner", "options"),
        [
            (VOICE + VOICE.replace("audio", "video"), {}),
            (VOICE, {"stamp": NOW - LATE_MOVE}),
            (VOICE, {"carbon": "received"}),
        ],
    )
    def test_other_proposals_are_calls_of_their_own(self, inner: str, options: dict[str, Any]) -> None:
        made = endpoint()
        answered(made)
        stanza = message("propose", "new", sender=SECOND, to=OWN.bare, inner=inner)
        outputs = made.receive_message(stanza, SECOND, NOW, **options)
        assert kinds(outputs) == ["Incoming"]

    def test_a_device_that_moves_may_have_more_media_by_now(self) -> None:
        made = endpoint(profile=SILENT)
        call = answered(made)
        both = VOICE + VOICE.replace("audio", "video")
        _, told = made.receive_message(message("propose", "new", inner=both), PEER, NOW)
        assert told == Deliver(call, PeerMigrated())

    def test_a_user_who_calls_again_from_the_same_device(self) -> None:
        """Dino: its old session would stay open."""
        made = endpoint()
        call = answered(made)
        terminate, finish, told = made.receive_message(message("propose", "new", inner=VOICE), PEER, NOW)
        assert isinstance(terminate, SendIq)
        assert (terminate.payload.get("action"), terminate.payload.get("sid")) == ("session-terminate", "sid")
        assert (said(finish).kind, said(finish).migrated) == (MessageKind.FINISH, "new")
        assert told == Deliver(call, PeerMigrated())

    def test_it_may_be_late(self) -> None:
        """It waited at the own server for the stream to come back."""
        made = endpoint()
        call = answered(made)
        stanza = message("propose", "new", inner=VOICE)
        outputs = made.receive_message(stanza, PEER, NOW, stamp=NOW - 20)
        assert outputs[-1] == Deliver(call, PeerMigrated())

    @pytest.mark.parametrize(("to", "moves"), [(OWN, True), (OWN.bare, True), (OTHER_OWN, False)])
    def test_it_may_have_waited_at_the_server_or_in_the_archive(self, to: Address, moves: bool) -> None:
        made = endpoint()
        call = answered(made)
        kept = ArchivedMessage(message("propose", "new", inner=VOICE, to=to), PEER, NOW - 20)
        assert (Deliver(call, PeerMigrated()) in made.catch_up([kept], NOW)) is moves
        assert made.catch_up([kept], NOW) == []

    def test_before_the_answer_there_is_nothing_to_move(self) -> None:
        made = endpoint()
        proceeding(made)
        ask(made, "session-initiate", content())
        stanza = message("propose", "new", sender=SECOND, inner=VOICE)
        assert kinds(made.receive_message(stanza, SECOND, NOW)) == ["Incoming"]
