from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.core.effects import SendEnd, SendProceed, SendProposal, SendRinging
from openvoice.core.inputs import Ended, GlareLost, PeerProceeded, PeerProposed, PeerRinging
from openvoice.core.policy import Screening
from openvoice.core.types import CallId, EndReason, Origin
from openvoice.jingle import namespaces as ns
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.initiation import MAXIMUM_PROPOSALS
from openvoice.jingle.messages import parse_message, parse_receipt
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.jingle.outputs import Deliver, Forget, Incoming, Missed, Output, SendMessage
from openvoice.jingle.peers import PeerProfile
from tests.jingle.samples import NOW, OTHER, OWN, PEER, STRANGER, VOICE, endpoint, kinds, message

CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
BOTH = VOICE + VOICE.replace("audio", "video")
SECOND = Address.parse("bob@conv.example/tablet")
LOW, HIGH = "0", "f"


def said(outputs: list[Output]) -> list[tuple[MessageKind, str]]:
    """(what, to whom) of the messages."""
    found = []
    for output in outputs:
        if isinstance(output, SendMessage):
            read = parse_message(output.message)
            if read is not None:
                found.append((read.kind, output.message.get("to", "")))
    return found


def read(output: Output) -> JingleMessage:
    assert isinstance(output, SendMessage)
    found = parse_message(output.message)
    assert found is not None
    return found


def calling(**options: Any) -> JingleEndpoint:
    made = endpoint(**options)
    made.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
    made.perform(CALL, SendProposal(), NOW)
    return made


def called(made: JingleEndpoint, sid: str = "sid", sender: Address = PEER, inner: str = VOICE) -> Incoming:
    """The one incoming call that a proposal made."""
    outputs = made.receive_message(message("propose", sid, sender=sender, to=OWN.bare, inner=inner), sender, NOW)
    (incoming,) = outputs
    assert isinstance(incoming, Incoming)
    return incoming


def hear(made: JingleEndpoint, kind: str, sid: str = str(CALL), **options: Any) -> list[Output]:
    sender = options.pop("sender", PEER)
    carbon, stamp = options.pop("carbon", None), options.pop("stamp", None)
    assert isinstance(sender, Address)
    stanza: Element = message(kind, sid, sender=sender, **options)
    return made.receive_message(stanza, sender, NOW, carbon=carbon, stamp=stamp)


def test_a_proposal_goes_to_all_devices_and_expires() -> None:
    made = endpoint()
    made.begin(CALL, PEER, frozenset({"audio"}), NOW)
    (output,) = made.perform(CALL, SendProposal(), NOW)
    assert isinstance(output, SendMessage)
    assert said([output]) == [(MessageKind.PROPOSE, str(PEER.bare))]
    assert read(output).media == {"audio"}
    assert output.expires == NOW + 60.0


def test_the_first_device_that_proceeds_gets_the_call() -> None:
    made = calling(profile=PeerProfile(gather_fully=True, answer_within=120.0))
    assert hear(made, "proceed") == [Deliver(CALL, PeerProceeded(120.0, gather_fully=True))]
    assert hear(made, "proceed", sender=SECOND) == []
    assert hear(made, "reject", sender=SECOND) == []
    assert hear(made, "ringing", sender=SECOND) == []


@pytest.mark.parametrize("to", [OWN, OWN.bare])
def test_ringing_is_told_once(to: Address) -> None:
    made = calling()
    assert hear(made, "ringing", to=to) == [Deliver(CALL, PeerRinging())]
    assert hear(made, "ringing", to=to) == []


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"to": OTHER}, "proceed"),
        ({"carbon": "received", "to": OTHER}, "proceed"),
        ({"carbon": "received", "to": OWN}, "proceed"),
        ({"sender": STRANGER}, "proceed"),
        ({"sender": STRANGER}, "reject"),
        ({"sender": STRANGER}, "ringing"),
        ({"sender": OTHER, "to": PEER, "carbon": "sent"}, "proceed"),
        ({}, "retract"),
        ({"sender": PEER.bare}, "accept"),
    ],
)
def test_what_does_not_concern_an_outgoing_call(options: dict[str, Any], kind: str) -> None:
    assert hear(calling(), kind, **options) == []


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("", EndReason.DECLINE),
        ("<reason xmlns='urn:xmpp:jingle:1'><busy/></reason>", EndReason.BUSY),
        ("<reason xmlns='urn:xmpp:jingle:1'><success/></reason>", EndReason.DECLINE),
        ("<reason xmlns='urn:xmpp:jingle:1'><timeout/></reason>", EndReason.TIMEOUT),
    ],
)
def test_a_reject_ends_the_call(inner: str, reason: EndReason) -> None:
    assert hear(calling(), "reject", inner=inner) == [Deliver(CALL, Ended(reason, Origin.REMOTE)), Forget(CALL)]


def test_a_reject_of_the_device_that_proceeded() -> None:
    made = calling()
    hear(made, "proceed")
    assert kinds(hear(made, "reject")) == ["Deliver", "Forget"]


@pytest.mark.parametrize(
    ("reason", "written"), [(EndReason.SUCCESS, EndReason.CANCEL), (EndReason.TIMEOUT, EndReason.TIMEOUT)]
)
def test_giving_up(reason: EndReason, written: EndReason) -> None:
    made = calling()
    outputs = made.perform(CALL, SendEnd(reason), NOW)
    assert said(outputs) == [(MessageKind.RETRACT, str(PEER.bare))]
    assert (read(outputs[0]).reason, outputs[-1]) == (written, Forget(CALL))
    assert hear(made, "proceed") == []


def test_bounces() -> None:
    def bounce(made: JingleEndpoint, prefix: str, sid: str = str(CALL), carbon: str | None = None) -> list[Output]:
        stanza = message("propose", sid, type="error")
        stanza.set("id", prefix + sid)
        return made.receive_message(stanza, PEER.bare, NOW, carbon=carbon)

    assert kinds(bounce(calling(), "ov-propose-")) == ["Deliver", "Forget"]
    assert bounce(calling(), "ov-propose-", carbon="received") == []
    assert bounce(calling(), "something-else-") == []
    assert bounce(calling(), "ov-proceed-") == []
    rang, proceeded = calling(), calling()
    hear(rang, "ringing")
    hear(proceeded, "proceed")
    assert bounce(rang, "ov-propose-") == []
    assert bounce(proceeded, "ov-propose-") == []
    incoming = endpoint()
    called(incoming)
    assert bounce(incoming, "ov-propose-", "sid") == []
    assert bounce(incoming, "ov-proceed-", "sid") == []


def test_receipts() -> None:
    def receipt(made: JingleEndpoint, received: str) -> list[Output]:
        stanza = message("other", beside=f"<received xmlns='{ns.RECEIPTS}' id='{received}'/>")
        return made.receive_message(stanza, PEER, NOW)

    made = calling()
    assert receipt(made, "another") == []
    assert receipt(made, f"ov-propose-{CALL}") == [Deliver(CALL, PeerRinging())]
    assert made.receive_message(message("other"), PEER, NOW) == []


class TestIncoming:
    def test_it_rings_with_the_receipt_that_was_asked_for(self) -> None:
        made = endpoint()
        stanza = message("propose", inner=VOICE, to=OWN.bare, beside=f"<request xmlns='{ns.RECEIPTS}'/>")
        (incoming,) = made.receive_message(stanza, PEER, NOW)
        assert isinstance(incoming, Incoming)
        assert incoming.first == PeerProposed(announce=True)
        assert incoming.incoming.peer == PEER
        receipt, ringing = made.perform(incoming.incoming.call, SendRinging(), NOW)
        assert isinstance(receipt, SendMessage)
        assert parse_receipt(receipt.message) == "m1"
        assert said([ringing]) == [(MessageKind.RINGING, str(PEER))]

    def test_it_is_taken_once(self) -> None:
        made = endpoint()
        call = called(made).incoming.call
        assert said(made.perform(call, SendProceed(), NOW)) == [
            (MessageKind.ACCEPT, str(OWN.bare)),
            (MessageKind.PROCEED, str(PEER)),
        ]
        assert made.perform(call, SendProceed(), NOW) == []

    def test_proceeding_with_an_outgoing_call_says_nothing(self) -> None:
        assert calling().perform(CALL, SendProceed(), NOW) == []

    def test_declining_before_and_after_proceed(self) -> None:
        made = endpoint()
        call = called(made).incoming.call
        assert said(made.perform(call, SendEnd(EndReason.DECLINE), NOW)) == [
            (MessageKind.REJECT, str(PEER)),
            (MessageKind.REJECT, str(OWN.bare)),
        ]
        call = called(made, "two").incoming.call
        made.perform(call, SendProceed(), NOW)
        outputs = made.perform(call, SendEnd(EndReason.SUCCESS), NOW)
        assert said(outputs) == [(MessageKind.REJECT, str(PEER))]
        assert read(outputs[0]).reason is EndReason.DECLINE

    def test_a_repeated_proposal_rings_once(self) -> None:
        made = endpoint()
        call = called(made).incoming.call
        assert hear(made, "propose", "sid", inner=VOICE, to=OWN.bare, carbon="received") == []
        made.perform(call, SendEnd(EndReason.DECLINE), NOW)
        assert hear(made, "propose", "sid", inner=VOICE) == []

    def test_after_a_day_an_id_may_come_again(self) -> None:
        made = endpoint()
        made.perform(called(made).incoming.call, SendEnd(EndReason.DECLINE), NOW)
        stanza = message("propose", inner=VOICE)
        assert kinds(made.receive_message(stanza, PEER, NOW + 24 * 3600)) == ["Incoming"]

    @pytest.mark.parametrize(("age", "outcome"), [(59.0, Incoming), (60.0, Missed), (-5.0, Incoming)])
    def test_old_proposals_are_missed(self, age: float, outcome: type) -> None:
        (output,) = hear(endpoint(), "propose", "sid", inner=VOICE, stamp=NOW - age)
        assert type(output) is outcome

    def test_another_device_took_it(self) -> None:
        made = endpoint()
        call = called(made).incoming.call
        outputs = hear(made, "proceed", "sid", sender=OTHER, to=PEER, carbon="sent")
        assert outputs == [Deliver(call, Ended(EndReason.SUCCESS, Origin.ELSEWHERE)), Forget(call)]

    def test_once_taken_here_no_other_device_can_end_it(self) -> None:
        made = endpoint()
        made.perform(called(made).incoming.call, SendProceed(), NOW)
        assert hear(made, "accept", "sid", sender=OTHER, to=OWN.bare) == []
        assert hear(made, "reject", "sid", sender=OTHER, to=PEER, carbon="sent") == []

    @pytest.mark.parametrize("kind", ["propose", "ringing", "retract", "finish"])
    def test_what_other_devices_do_with_their_own_calls(self, kind: str) -> None:
        made = endpoint()
        called(made)
        assert hear(made, kind, "sid", sender=OTHER, to=PEER, carbon="sent", inner=VOICE) == []
        assert hear(made, kind, "sid", sender=OTHER, to=OWN.bare, inner=VOICE) == []

    @pytest.mark.parametrize("sender", [STRANGER, PEER])
    def test_forged_carbons(self, sender: Address) -> None:
        made = endpoint()
        called(made)
        for kind in ("proceed", "reject", "accept"):
            assert hear(made, kind, "sid", sender=sender, to=PEER, carbon="sent") == []

    def test_a_proceed_from_the_caller_means_nothing(self) -> None:
        made = endpoint()
        called(made)
        for kind in ("proceed", "ringing", "reject"):
            assert hear(made, kind, "sid") == []

    @pytest.mark.parametrize("other_devices", [True, False])
    def test_busy(self, other_devices: bool) -> None:
        made = endpoint(screening=Screening.BUSY, other_devices=other_devices)
        outputs = hear(made, "propose", "sid", inner=VOICE)
        assert isinstance(outputs[0], Missed)
        assert outputs[0].outcome == "busy"
        assert said(outputs) == ([] if other_devices else [(MessageKind.REJECT, str(PEER))])

    def test_so_many_at_once(self) -> None:
        callers = [Address.parse(f"friend{number}@ov.example/x") for number in range(MAXIMUM_PROPOSALS + 5)]
        made = endpoint(roster=callers)
        rang = [bool(hear(made, "propose", "sid", sender=caller, inner=VOICE)) for caller in callers]
        assert rang.count(True) == MAXIMUM_PROPOSALS

    def test_a_thousand_strangers_leave_one_entry_and_no_stanza(self) -> None:
        """Ring spam."""
        made = endpoint()
        outputs: list[Output] = []
        for number in range(1000):
            stranger = Address.parse(f"bot{number}@spam.example/x")
            outputs += hear(made, "propose", f"sid{number}", sender=stranger, inner=VOICE)
        assert [type(output) for output in outputs] == [Missed]


class TestGlare:
    """Both call at once (XEP-0353, 6.1)."""

    def test_ours_is_lower(self) -> None:
        made = calling()
        (reject,) = hear(made, "propose", HIGH, inner=VOICE, to=OWN.bare)
        assert (read(reject).kind, read(reject).reason, read(reject).tie_break) == (
            MessageKind.REJECT,
            EndReason.EXPIRED,
            True,
        )
        assert hear(made, "propose", HIGH, inner=VOICE, to=OWN.bare) == []
        assert kinds(hear(made, "proceed")) == ["Deliver"]

    def test_theirs_is_lower(self) -> None:
        made = calling()
        retract, lost = hear(made, "propose", LOW, inner=VOICE, to=OWN.bare)
        assert (read(retract).kind, read(retract).tie_break) == (MessageKind.RETRACT, True)
        assert lost == Deliver(CALL, GlareLost())
        assert said(made.perform(CALL, SendProceed(), NOW))[1] == (MessageKind.PROCEED, str(PEER))

    def test_told_to_have_lost(self) -> None:
        made = calling()
        assert hear(made, "reject", inner=f"<tie-break xmlns='{ns.JINGLE_MESSAGE}'/>") == []

    def test_whoever_dials_while_the_peer_rings_takes_that_call(self) -> None:
        made = endpoint()
        ringing = called(made).incoming.call
        made.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
        over, taken = made.perform(CALL, SendProposal(), NOW)
        assert isinstance(over, Deliver)
        assert isinstance(over.message, Ended)
        assert (over.call, over.message.origin) == (ringing, Origin.ELSEWHERE)
        assert taken == Deliver(CALL, GlareLost())
        proceeded = said(made.perform(CALL, SendProceed(), NOW))
        assert proceeded == [(MessageKind.ACCEPT, str(OWN.bare)), (MessageKind.PROCEED, str(PEER))]

    def test_whoever_dials_somebody_else_than_rings_calls_that_one(self) -> None:
        made = endpoint()
        called(made)
        made.begin(CALL, STRANGER.bare, frozenset({"audio"}), NOW)
        assert said(made.perform(CALL, SendProposal(), NOW)) == [(MessageKind.PROPOSE, str(STRANGER.bare))]

    def test_a_reject_without_reason_after_glare_means_busy(self) -> None:
        made = calling()
        hear(made, "propose", HIGH, inner=BOTH, to=OWN.bare)
        assert hear(made, "reject")[0] == Deliver(CALL, Ended(EndReason.BUSY, Origin.REMOTE))

    def test_an_old_proposal_is_no_glare(self) -> None:
        made = calling()
        assert kinds(hear(made, "propose", LOW, inner=VOICE, stamp=NOW - 3600)) == ["Missed"]

    def test_a_proposal_without_voice_is_no_glare(self) -> None:
        outputs = hear(calling(), "propose", LOW, inner=VOICE.replace("audio", "video"))
        assert kinds(outputs) == ["Missed"]

    def test_a_proposal_that_is_over_is_no_glare(self) -> None:
        made = endpoint()
        made.perform(called(made, LOW).incoming.call, SendEnd(EndReason.DECLINE), NOW)
        made.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
        made.perform(CALL, SendProposal(), NOW)
        assert hear(made, "propose", LOW, inner=VOICE) == []

    def test_after_proceed_there_is_no_glare(self) -> None:
        made = calling()
        hear(made, "proceed")
        assert kinds(hear(made, "propose", LOW, inner=VOICE)) == ["Incoming"]


def test_proceed_for_nothing_is_answered_to_contacts_only() -> None:
    made = endpoint()
    (output,) = hear(made, "proceed", "unknown")
    assert isinstance(output, SendMessage)
    assert output.message.get("type") == "error"
    assert hear(made, "proceed", "unknown", sender=STRANGER) == []
    assert hear(made, "proceed", "unknown", to=OWN.bare) == []
    called(made)
    assert hear(made, "proceed", "sid") == []
