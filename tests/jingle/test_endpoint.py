from __future__ import annotations

import random
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.description import Setup
from openvoice.core.inputs import AnswerReceived, CandidatesReceived, Ended, OfferReceived
from openvoice.core.policy import Screening
from openvoice.core.types import CallId, EndReason, Origin
from openvoice.jingle import namespaces as ns
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.endpoint import ENDED_CALLS
from openvoice.jingle.initiation import MAXIMUM_PROPOSALS
from openvoice.jingle.limits import MAXIMUM_EARLY
from openvoice.jingle.model import JingleAction, MessageKind
from openvoice.jingle.outputs import (
    Deliver,
    Forget,
    Incoming,
    Missed,
    Output,
    ReplyError,
    ReplyResult,
    SendIq,
    SendMessage,
)
from tests.jingle.samples import (
    CANDIDATE,
    NOW,
    OTHER,
    OWN,
    PEER,
    STRANGER,
    VOICE,
    answered,
    ask,
    candidate,
    content,
    description,
    endpoint,
    fingerprint,
    jingle,
    kinds,
    message,
    proceeding,
    transport,
    trickled,
)

CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
SECOND = Address.parse("bob@conv.example/tablet")
ACCEPT = content(inner=transport(fingerprint("active")))


def refusal(outputs: list[Output]) -> tuple[str, str]:
    (reply,) = outputs
    assert isinstance(reply, ReplyError)
    return reply.condition, reply.jingle_condition


UNKNOWN = ("item-not-found", "unknown-session")
ABSENT = ("service-unavailable", "")
OUT_OF_ORDER = ("unexpected-request", "out-of-order")


def test_the_address_follows_the_stream() -> None:
    made = endpoint()
    assert made.own == OWN
    made.own = OTHER
    assert made.receive_message(message("propose", inner=VOICE, to=OWN), PEER, NOW) == []
    assert kinds(made.receive_message(message("propose", inner=VOICE, to=OTHER), PEER, NOW)) == ["Incoming"]


@pytest.mark.parametrize(
    "effect",
    [
        e.SendProposal(),
        e.SendRinging(),
        e.SendProceed(),
        e.SendOffer(description()),
        e.SendAnswer(description()),
        e.SendCandidates("0", (candidate(),)),
        e.SendRestart((("0", "u", "p"),), answering=True),
        e.SendInformation(e.Information.MUTE),
        e.SendRenewal(),
    ],
)
def test_a_call_that_is_not_there_says_nothing(effect: e.SignallingEffect) -> None:
    assert endpoint().perform(CALL, effect, NOW) == []


def test_ending_a_call_that_is_not_there_forgets_it() -> None:
    assert endpoint().perform(CALL, e.SendEnd(EndReason.SUCCESS), NOW) == [Forget(CALL)]


def test_a_direct_call_from_offer_to_end() -> None:
    made = endpoint()
    made.begin(CALL, PEER, frozenset({"audio"}), NOW)
    (offer,) = made.perform(CALL, e.SendOffer(description()), NOW)
    assert isinstance(offer, SendIq)
    assert (offer.to, offer.payload.get("action"), offer.payload.get("sid")) == (PEER, "session-initiate", CALL)
    assert made.perform(CALL, e.SendOffer(description()), NOW) == []
    assert made.iq_finished(offer.id, None, NOW) == []
    outputs = ask(made, "session-accept", ACCEPT, CALL)
    assert kinds(outputs) == ["ReplyResult", "Deliver"]
    assert isinstance(outputs[1], Deliver)
    assert isinstance(outputs[1].message, AnswerReceived)
    assert kinds(made.perform(CALL, e.SendInformation(e.Information.MUTE), NOW)) == ["SendIq"]
    assert kinds(made.perform(CALL, e.SendEnd(EndReason.SUCCESS), NOW)) == ["SendIq", "Forget"]
    assert ask(made, "session-terminate", "", CALL) == [ReplyResult("q", PEER)]


def test_effects_that_belong_to_proposals_say_nothing_in_a_session() -> None:
    made = endpoint()
    call = answered(made)
    assert made.perform(call, e.SendProposal(), NOW) == []
    assert made.perform(call, e.SendOffer(description()), NOW) == []
    assert made.perform(call, e.SendProceed(), NOW) == []


def test_outcomes_of_requests_that_nobody_sent() -> None:
    made = endpoint()
    answered(made)
    assert made.iq_finished("nothing", "timeout", NOW) == []


class TestIqs:
    @pytest.mark.parametrize(
        "action", [a for a in JingleAction if a not in (JingleAction.SESSION_INITIATE, JingleAction.SESSION_TERMINATE)]
    )
    def test_unknown_sessions(self, action: str) -> None:
        """GEN-02."""
        assert refusal(ask(endpoint(), action)) == UNKNOWN
        assert refusal(ask(endpoint(), action, sender=STRANGER)) == ABSENT

    def test_a_stranger_sees_what_is_seen_of_a_device_that_is_off(self) -> None:
        made = endpoint()
        assert refusal(ask(made, "session-terminate", sender=STRANGER)) == ABSENT
        assert refusal(ask(made, "no-such-action", sender=STRANGER)) == ABSENT
        assert kinds(ask(made, "session-initiate", content(), sender=STRANGER)) == ["ReplyError", "Missed"]
        assert refusal(ask(made, "session-initiate", sender=STRANGER)) == ABSENT

    def test_what_cannot_be_read(self) -> None:
        assert refusal(ask(endpoint(), "no-such-action")) == ("bad-request", "")

    def test_a_person_in_a_call_is_no_stranger(self) -> None:
        screened = endpoint(roster=())
        screened._doorkeeper.screen = lambda _: Screening.RING
        (_, incoming) = ask(screened, "session-initiate", content(), sender=STRANGER)
        assert isinstance(incoming, Incoming)
        assert refusal(ask(screened, "session-info", sid="other", sender=STRANGER)) == UNKNOWN

    def test_a_direct_call(self) -> None:
        made = endpoint()
        reply, incoming = ask(made, "session-initiate", content())
        assert reply == ReplyResult("q", PEER)
        assert isinstance(incoming, Incoming)
        assert isinstance(incoming.first, OfferReceived)
        call = incoming.incoming.call
        (ringing,) = made.perform(call, e.SendRinging(), NOW)
        assert isinstance(ringing, SendIq)
        assert kinds(made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)) == ["SendIq"]
        assert kinds(made.perform(call, e.SendCandidates("0", (candidate(),)), NOW)) == ["SendIq"]
        assert made.perform(call, e.SendRestart((("0", "u", "p"),), answering=True), NOW) == []

    def test_a_direct_call_while_busy(self) -> None:
        outputs = ask(endpoint(screening=Screening.BUSY), "session-initiate", content())
        assert kinds(outputs) == ["ReplyResult", "SendIq", "Missed"]
        assert isinstance(outputs[1], SendIq)
        assert outputs[1].payload.find(f"{{{ns.JINGLE}}}reason/{{{ns.JINGLE}}}busy") is not None

    def test_an_id_that_was_used_is_busy(self) -> None:
        made = endpoint()
        (_, incoming) = ask(made, "session-initiate", content())
        assert isinstance(incoming, Incoming)
        made.perform(incoming.incoming.call, e.SendEnd(EndReason.DECLINE), NOW)
        assert kinds(ask(made, "session-initiate", content())) == ["ReplyResult", "SendIq"]

    def test_an_offer_that_cannot_be_answered_never_rings(self) -> None:
        assert kinds(ask(endpoint(), "session-initiate")) == ["ReplyResult", "SendIq"]

    def test_an_id_counts_only_with_its_device(self) -> None:
        """GEN-06."""
        made = endpoint()
        proceeding(made)
        assert refusal(ask(made, "session-initiate", content(), sender=SECOND)) == UNKNOWN
        made = endpoint()
        ask(made, "session-initiate", content())
        assert refusal(ask(made, "session-initiate", content(), sender=SECOND)) == UNKNOWN
        assert refusal(ask(made, "transport-info", sender=SECOND)) == UNKNOWN

    def test_nobody_starts_a_session_before_it_was_taken(self) -> None:
        made = endpoint()
        made.receive_message(message("propose", inner=VOICE, to=OWN.bare), PEER, NOW)
        assert refusal(ask(made, "session-initiate", content())) == OUT_OF_ORDER
        assert refusal(ask(made, "transport-info", trickled(CANDIDATE))) == UNKNOWN


class TestOfferAfterProceed:
    def test_candidates_may_overtake_it(self) -> None:
        """GEN-08."""
        made = endpoint()
        call = proceeding(made)
        for number in range(MAXIMUM_EARLY + 10):
            written = CANDIDATE.replace("41000", str(41000 + number))
            assert ask(made, "transport-info", trickled(written)) == [ReplyResult("q", PEER)]
        reply, offer, *rest = ask(made, "session-initiate", content())
        assert reply == ReplyResult("q", PEER)
        assert isinstance(offer, Deliver)
        assert (offer.call, type(offer.message)) == (call, OfferReceived)
        messages = [output.message for output in rest if isinstance(output, Deliver)]
        assert [type(item) for item in messages] == [CandidatesReceived] * MAXIMUM_EARLY

    def test_other_requests_may_not(self) -> None:
        made = endpoint()
        proceeding(made)
        assert refusal(ask(made, "session-info")) == OUT_OF_ORDER

    @pytest.mark.parametrize(
        ("inner", "reason"), [("", EndReason.CANCEL), ("<reason><gone/></reason>", EndReason.GONE)]
    )
    def test_the_caller_may_end_it(self, inner: str, reason: EndReason) -> None:
        made = endpoint()
        call = proceeding(made)
        assert ask(made, "session-terminate", inner) == [
            ReplyResult("q", PEER),
            Deliver(call, Ended(reason, Origin.REMOTE)),
            Forget(call),
        ]

    @pytest.mark.parametrize(
        ("inner", "reason"),
        [
            ("", EndReason.FAILED_APPLICATION),
            (content(inner=transport()), EndReason.SECURITY_ERROR),
            (content() + content("1", media="video"), EndReason.SECURITY_ERROR),
            (content(media="video"), EndReason.SECURITY_ERROR),
        ],
    )
    def test_it_must_be_what_was_proposed(self, inner: str, reason: EndReason) -> None:
        made = endpoint()
        call = proceeding(made)
        outputs = ask(made, "session-initiate", inner)
        assert kinds(outputs) == ["ReplyResult", "SendIq", "SendMessage", "Deliver", "Forget"]
        ended = outputs[3]
        assert isinstance(ended, Deliver)
        assert isinstance(ended.message, Ended)
        assert (ended.call, ended.message.reason, ended.message.origin) == (call, reason, Origin.LOCAL)


class TestMessagesInASession:
    @pytest.mark.parametrize(
        ("kind", "reason"),
        [("finish", EndReason.SUCCESS), ("retract", EndReason.CANCEL), ("reject", EndReason.DECLINE)],
    )
    def test_the_peer_ends_it_once(self, kind: str, reason: EndReason) -> None:
        made = endpoint()
        call = answered(made)
        outputs = made.receive_message(message(kind), PEER, NOW)
        assert kinds(outputs) == ["Deliver", "Forget", "SendMessage"]
        assert outputs[0] == Deliver(call, Ended(reason, Origin.REMOTE))
        assert made.receive_message(message(kind), PEER, NOW) == []
        assert ask(made, "session-terminate") == [ReplyResult("q", PEER)]

    def test_another_device_cannot(self) -> None:
        made = endpoint()
        answered(made)
        assert made.receive_message(message("finish", sender=SECOND), SECOND, NOW) == []

    def test_what_cannot_be_read_is_ignored(self) -> None:
        made = endpoint()
        assert made.receive_message(message("propose"), PEER, NOW) == []
        assert made.receive_message(message("ringing", to="@@"), PEER, NOW) == []


class TestArchive:
    def archived(
        self, kind: str, sid: str, age: float, sender: Address = PEER, to: Address = OWN.bare
    ) -> ArchivedMessage:
        inner = VOICE if kind == "propose" else ""
        return ArchivedMessage(message(kind, sid, sender=sender, to=to, inner=inner), sender, NOW - age)

    def test_what_is_young_and_open_rings(self) -> None:
        made = endpoint()
        pages = [self.archived("propose", "young", 30.0), self.archived("propose", "old", 7200.0)]
        ringing, missed = made.catch_up(pages, NOW)
        assert isinstance(ringing, Incoming)
        assert ringing.incoming.age == 30.0
        assert isinstance(missed, Missed)
        assert missed.outcome == "missed"
        assert made.catch_up(pages, NOW) == []

    def test_what_was_answered_is_noted_once(self) -> None:
        made = endpoint()
        pages = [self.archived("propose", "a", 30.0), self.archived("proceed", "a", 20.0, OTHER, PEER)]
        (missed,) = made.catch_up(pages, NOW)
        assert isinstance(missed, Missed)
        assert (missed.outcome, missed.incoming.peer) == ("answered-elsewhere", PEER)
        assert made.catch_up(pages, NOW) == []

    def test_a_call_that_rings_here_is_left_to_its_own_messages(self) -> None:
        made = endpoint()
        made.receive_message(message("propose", "a", inner=VOICE), PEER, NOW)
        pages = [self.archived("propose", "a", 30.0), self.archived("retract", "a", 20.0)]
        assert made.catch_up(pages, NOW) == []

    def test_strangers_are_not_noted(self) -> None:
        pages = [self.archived("propose", "a", 30.0, STRANGER), self.archived("retract", "a", 20.0, STRANGER)]
        assert endpoint().catch_up(pages, NOW) == []


def test_two_endpoints_understand_each_other() -> None:
    """A whole call in memory: what one side sends is what the other side reads, through text."""
    alice, bob = endpoint(), endpoint(roster=(OWN,))
    bob.own = PEER
    calls: dict[Address, CallId] = {OWN: CALL}
    heard: dict[Address, list[str]] = {OWN: [], PEER: []}

    def deliver(outputs: list[Output], side: Address) -> None:
        other, there = (PEER, bob) if side == OWN else (OWN, alice)
        for output in outputs:
            match output:
                case SendMessage(stanza) if stanza.get("to", "").startswith(str(other.bare)):
                    copied = ElementTree.fromstring(ElementTree.tostring(stanza))
                    deliver(there.receive_message(copied, side, NOW), other)
                case SendIq(request, to, payload):
                    assert to == other
                    copied = ElementTree.fromstring(ElementTree.tostring(payload))
                    deliver(there.receive_iq(request, side, copied, NOW), other)
                case ReplyResult(request):
                    deliver(there.iq_finished(request, None, NOW), other)
                case Incoming(incoming, first):
                    calls[side] = incoming.call
                    heard[side].append(type(first).__name__)
                case Deliver(_, told):
                    heard[side].append(type(told).__name__)

    def do(side: Address, effect: e.SignallingEffect) -> None:
        deliver((alice if side == OWN else bob).perform(calls[side], effect, NOW), side)

    alice.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
    do(OWN, e.SendProposal())
    do(PEER, e.SendRinging())
    do(PEER, e.SendProceed())
    do(OWN, e.SendOffer(description()))
    do(OWN, e.SendCandidates("0", (candidate(),)))
    do(PEER, e.SendAnswer(description(Setup.ACTIVE)))
    do(PEER, e.SendInformation(e.Information.HOLD))
    do(PEER, e.SendEnd(EndReason.SUCCESS))
    assert heard == {
        OWN: ["PeerRinging", "PeerProceeded", "AnswerReceived", "PeerHeld", "Ended"],
        PEER: ["PeerProposed", "OfferReceived", "CandidatesReceived"],
    }


KINDS = [kind.value for kind in MessageKind]
ACTIONS = [action.value for action in JingleAction]
INNERS = [
    "",
    content(),
    ACCEPT,
    trickled(CANDIDATE),
    trickled(ufrag="new"),
    "<reason><busy/></reason>",
    content(inner=""),
]
EFFECTS: list[e.SignallingEffect] = [
    e.SendProposal(),
    e.SendRinging(),
    e.SendProceed(),
    e.SendOffer(description()),
    e.SendAnswer(description(Setup.ACTIVE)),
    e.SendCandidates("0", (candidate(),)),
    e.SendRestart((("0", "u", "p"),), answering=False),
    e.SendRestart((("0", "u", "p"),), answering=True),
    e.SendInformation(e.Information.MUTE),
    e.SendEnd(EndReason.SUCCESS),
]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_no_order_of_events_breaks_it(seed: int) -> None:
    """Nothing raises, every IQ is answered first and once, strangers get no message, no call ends twice."""
    chance = random.Random(seed)
    made = endpoint()
    live: set[CallId] = set()
    ended: list[CallId] = []
    pending: list[str] = []
    sids = ["sid", "other", str(CALL), "0"]
    for step in range(120):
        now = NOW + step
        sender = chance.choice([PEER, PEER, SECOND, STRANGER, OTHER])
        sid = chance.choice(sids)
        match chance.randrange(5):
            case 0:
                payload = jingle(chance.choice(ACTIONS), chance.choice(INNERS), sid)
                outputs = made.receive_iq("q", sender, payload, now)
                replies = [output for output in outputs if isinstance(output, ReplyResult | ReplyError)]
                assert replies == outputs[:1]
            case 1:
                inner = chance.choice([VOICE, "", "<reason xmlns='urn:xmpp:jingle:1'><expired/></reason>"])
                stanza = message(chance.choice(KINDS), sid, to=chance.choice([OWN, OWN.bare, PEER]), inner=inner)
                carbon = chance.choice([None, None, "sent", "received"])
                outputs = made.receive_message(stanza, sender, now, carbon=carbon)
            case 2:
                made.begin(CALL, PEER.bare, frozenset({"audio"}), now)
                live.add(CALL)
                outputs = made.perform(CALL, e.SendProposal(), now)
            case 3 if pending:
                error = chance.choice([None, None, "timeout", "conflict", "item-not-found", "service-unavailable"])
                outputs = made.iq_finished(pending.pop(), error, now)
            case _:
                outputs = made.perform(chance.choice([CALL, *sorted(live)]), chance.choice(EFFECTS), now)
        for output in outputs:
            match output:
                case Incoming(incoming):
                    live.add(incoming.call)
                case Deliver(call, told):
                    assert call in live
                    if isinstance(told, Ended):
                        ended.append(call)
                case SendMessage(stanza):
                    assert not stanza.get("to", "").startswith(str(STRANGER.bare))
                case SendIq(request, to):
                    assert to.bare != STRANGER.bare
                    pending.append(request)
                case _:
                    pass
    assert all(ended.count(call) == 1 for call in live if call != CALL and call in ended)
    assert len(made._initiation._proposals) <= MAXIMUM_PROPOSALS
    assert len(made._ended._expiries) <= ENDED_CALLS
