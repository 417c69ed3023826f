"""Sealed descriptions, by every row of the table of what may go wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element

import pytest

from openvoice.core import effects as e
from openvoice.core.description import Setup
from openvoice.core.inputs import AnswerReceived, CandidatesReceived, Ended, OfferReceived, PeerProceeded, PeerProposed
from openvoice.core.policy import Screening
from openvoice.core.trust import Trust
from openvoice.core.types import CallId, EndReason, Origin, Vouching
from openvoice.jingle import namespaces as ns
from openvoice.jingle.endpoint import JingleEndpoint
from openvoice.jingle.messages import parse_message
from openvoice.jingle.model import IceTransport, Jingle, MessageKind
from openvoice.jingle.outputs import Deliver, Doubt, Incoming, Output, Seal, SendIq, SendMessage, Unseal
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.sealing import Sealed, Unsealed
from tests.jingle.samples import (
    CANDIDATE,
    HEX,
    NOW,
    OWN,
    PEER,
    VOICE,
    candidate,
    content,
    description,
    endpoint,
    fingerprint,
    jingle,
    kinds,
    message,
    sealed,
    transport,
    trickled,
)
from tests.jingle.sealer import OTHER_DEVICE, OWN_DEVICE, PEER_DEVICE, Sealer, encrypted

CALL = CallId("1f0e6a52-7d0b-4c7e-9b8e-2f6f6f0c1a11")
DEVICE = f"<device xmlns='{ns.OMEMO_DTLS}' id='{PEER_DEVICE}'/>"
SEALER = Sealer()
GOOD = content(inner=transport(sealed(encrypted(HEX), "active")))
PLAIN = content(inner=transport(fingerprint("active")))
OFFER = content(inner=transport(sealed(encrypted(HEX))))


def ask(made: JingleEndpoint, action: str, inner: str = "", sid: str = str(CALL)) -> list[Output]:
    return made.receive_iq("q", PEER, jingle(action, inner, sid), NOW)


def asked(outputs: list[Output]) -> Seal | Unseal:
    (found,) = (output for output in outputs if isinstance(output, Seal | Unseal))
    return found


def work(made: JingleEndpoint, outputs: list[Output], sealer: Sealer = SEALER) -> list[Output]:
    """What comes of the one thing that is to be sealed or opened."""
    request = asked(outputs)
    if isinstance(request, Seal):
        return made.sealed(request.call, sealer.seal(request), NOW)
    return made.unsealed(request.call, sealer.unseal(request), NOW)


def requests(outputs: list[Output]) -> list[Jingle]:
    return [parse_jingle(output.payload) for output in outputs if isinstance(output, SendIq)]


def said(outputs: list[Output]) -> list[tuple[MessageKind, EndReason | None]]:
    messages = [parse_message(output.message) for output in outputs if isinstance(output, SendMessage)]
    return [(message.kind, message.reason) for message in messages if message is not None]


def told(outputs: list[Output]) -> list[Any]:
    return [output.message for output in outputs if isinstance(output, Deliver)]


def transports(request: Jingle) -> list[IceTransport]:
    found = [item.transport for item in request.contents]
    assert all(isinstance(item, IceTransport) for item in found)
    return [item for item in found if isinstance(item, IceTransport)]


def proceeded(inner: str = DEVICE, **options: Any) -> JingleEndpoint:
    """A caller whose call was taken by a device of the peer."""
    made = endpoint(omemo_device=options.pop("omemo_device", OWN_DEVICE), **options)
    made.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
    made.perform(CALL, e.SendProposal(), NOW)
    (output,) = made.receive_message(message("proceed", str(CALL), inner=inner), PEER, NOW)
    assert isinstance(output, Deliver)
    assert isinstance(output.message, PeerProceeded)
    return made


def offered(sealer: Sealer = SEALER) -> JingleEndpoint:
    """The same, whose sealed offer has left."""
    made = proceeded()
    outputs = work(made, made.perform(CALL, e.SendOffer(description()), NOW), sealer)
    assert [request.action for request in requests(outputs)] == ["session-initiate"]
    return made


def taken(**options: Any) -> tuple[JingleEndpoint, CallId, list[Output]]:
    """A callee who said yes; and what said so."""
    made = endpoint(omemo_device=options.pop("omemo_device", OWN_DEVICE), **options)
    (incoming,) = made.receive_message(message("propose", str(CALL), inner=VOICE, to=OWN.bare), PEER, NOW)
    assert isinstance(incoming, Incoming)
    call = incoming.incoming.call
    return made, call, made.perform(call, e.SendProceed(), NOW)


def doubted(outputs: list[Output]) -> list[Doubt]:
    """The devices with which a new OMEMO session has to begin."""
    return [output for output in outputs if isinstance(output, Doubt)]


def refused(outputs: list[Output], *, first: str = "ReplyResult") -> str:
    """The sentence that a session ends with for security, said to the peer in both ways, and to the call."""
    names = [first, "SendIq", "SendMessage", "Deliver", "Forget"]
    assert [name for name in kinds(outputs) if name != "Doubt"] == (names if first else names[1:])
    (request,) = requests(outputs)
    assert (request.action, request.reason) == ("session-terminate", EndReason.SECURITY_ERROR)
    assert said(outputs) == [(MessageKind.FINISH, EndReason.SECURITY_ERROR)]
    (end,) = told(outputs)
    assert isinstance(end, Ended)
    assert (end.reason, end.origin, end.text) == (EndReason.SECURITY_ERROR, Origin.LOCAL, request.text)
    return end.text


class TestCalling:
    def test_the_offer_is_sealed_for_the_device_that_proceeded(self) -> None:
        made = proceeded()
        outputs = made.perform(CALL, e.SendOffer(description()), NOW)
        assert outputs == [Seal(CALL, PEER, PEER_DEVICE, {"0": HEX})]
        (request,) = requests(work(made, outputs))
        (found,) = transports(request)
        assert found.fingerprints == ()
        (seal,) = found.sealed
        assert (seal.hash, seal.setup) == ("sha-256", "actpass")
        assert seal.encrypted is not None
        assert seal.encrypted.findtext(ns.qualified(ns.OMEMO, "payload")) == HEX

    def test_an_answer_of_that_device_is_taken_with_its_voucher(self) -> None:
        made = offered()
        outputs = ask(made, "session-accept", GOOD)
        assert kinds(outputs) == ["ReplyResult", "Unseal"]
        (answer,) = told(work(made, outputs))
        assert isinstance(answer, AnswerReceived)
        assert answer.answer.voucher == SEALER.voucher(PEER, PEER_DEVICE)
        assert answer.answer.vouching is Vouching.OMEMO_TRUSTED
        assert answer.answer.contents[0].transport.setup is Setup.ACTIVE

    def test_the_trust_of_now_counts(self) -> None:
        made = offered()
        verified = Sealer(trust={PEER_DEVICE: Trust.VERIFIED})
        (answer,) = told(work(made, ask(made, "session-accept", GOOD), verified))
        assert answer.answer.vouching is Vouching.OMEMO_VERIFIED

    def test_an_undecided_key_goes_on_as_the_servers_word(self) -> None:
        undecided = Sealer(trust={PEER_DEVICE: Trust.UNDECIDED})
        made = offered(undecided)
        (answer,) = told(work(made, ask(made, "session-accept", GOOD), undecided))
        assert answer.answer.vouching is Vouching.SIGNALLED
        assert answer.answer.voucher is not None

    @pytest.mark.parametrize(
        ("answer", "words"),
        [
            (PLAIN, "the answer was not"),
            (content(inner=transport(fingerprint("active") + sealed(encrypted(HEX), "active"))), "and plain ones"),
            (GOOD + content("1", inner=transport(fingerprint("active"))), "and plain ones"),
            (GOOD + content("1", inner=transport()), "and plain ones"),
            (content(inner=transport(sealed("", "active"))), "cannot be read"),
            (content(inner=transport(sealed(encrypted(HEX), "active") * 2)), "cannot be read"),
            (GOOD * 2, "cannot be read"),
        ],
    )
    def test_an_answer_that_is_not_sealed_well(self, answer: str, words: str) -> None:
        outputs = ask(offered(), "session-accept", answer)
        assert words in refused(outputs)
        assert doubted(outputs) == [Doubt(PEER, PEER_DEVICE)]

    def test_a_refusal_is_no_reason_for_doubt(self) -> None:
        """openvoice and Conversations refuse what they cannot open, and begin a new OMEMO session themselves."""
        assert not doubted(ask(offered(), "session-terminate", "<reason><security-error/></reason>"))

    def test_nobody_doubts_a_session_that_was_not_used(self) -> None:
        made = proceeded(omemo_device=None)
        made.perform(CALL, e.SendOffer(description()), NOW)
        outputs = ask(made, "session-accept", GOOD)
        assert "sealed unasked" in refused(outputs)
        assert not doubted(outputs)

    @pytest.mark.parametrize(
        ("element", "words"),
        [
            (encrypted("?"), "could not be opened"),
            (encrypted(HEX, recipient=OTHER_DEVICE), "could not be opened"),
            (encrypted(HEX, sender=OTHER_DEVICE), "another device"),
            (encrypted("nonsense"), "cannot be read"),
            (encrypted(""), "cannot be read"),
        ],
    )
    def test_an_answer_under_a_bad_seal(self, element: Element, words: str) -> None:
        made = offered()
        outputs = ask(made, "session-accept", content(inner=transport(sealed(element, "active"))))
        assert kinds(outputs) == ["ReplyResult", "Unseal"]
        outputs = work(made, outputs)
        assert words in refused(outputs, first="")
        assert not told(outputs)[0].withheld, "the offer had left"

    @pytest.mark.parametrize("inner", [sealed(encrypted(HEX)), sealed(encrypted(HEX), "active", "sha-1")])
    def test_what_is_opened_is_checked_as_any_other(self, inner: str) -> None:
        made = offered()
        assert refused(work(made, ask(made, "session-accept", content(inner=transport(inner)))), first="")

    def test_white_space_and_case_do_not_count(self) -> None:
        made = offered()
        element = encrypted(f"\n {HEX.lower()} ")
        outputs = ask(made, "session-accept", content(inner=transport(sealed(element, "active"))))
        (answer,) = told(work(made, outputs))
        assert str(answer.answer.contents[0].transport.fingerprint) == HEX

    def test_the_same_device_with_another_key(self) -> None:
        made = offered()
        request = asked(ask(made, "session-accept", GOOD))
        assert isinstance(request, Unseal)
        other = SEALER.voucher(PEER, OTHER_DEVICE)
        result = Unsealed(voucher=other, texts={"0": HEX})
        assert "another device" in refused(made.unsealed(CALL, result, NOW), first="")

    def test_a_key_that_was_refused_gets_no_offer(self) -> None:
        made = proceeded()
        outputs = made.perform(CALL, e.SendOffer(description()), NOW)
        outputs = work(made, outputs, Sealer(trust={PEER_DEVICE: Trust.DISTRUSTED}))
        assert kinds(outputs) == ["SendMessage", "Deliver", "Forget"]
        assert said(outputs) == [(MessageKind.RETRACT, EndReason.SECURITY_ERROR)]
        assert "distrusted" in told(outputs)[0].text

    def test_a_key_that_was_refused_meanwhile_gets_no_sound(self) -> None:
        made = offered()
        outputs = work(made, ask(made, "session-accept", GOOD), Sealer(trust={PEER_DEVICE: Trust.DISTRUSTED}))
        assert "distrusted" in refused(outputs, first="")

    def test_what_cannot_be_sealed_leaves_in_plain_if_the_policy_allows(self) -> None:
        made = proceeded()
        outputs = made.perform(CALL, e.SendOffer(description()), NOW)
        (request,) = requests(made.sealed(CALL, None, NOW))
        assert kinds(outputs) == ["Seal"]
        assert [len(item.fingerprints) for item in transports(request)] == [1]
        (answer,) = told(ask(made, "session-accept", PLAIN))
        assert answer.answer.vouching is Vouching.SIGNALLED

    def test_an_answer_that_is_sealed_unasked(self) -> None:
        made = proceeded("")
        assert kinds(made.perform(CALL, e.SendOffer(description()), NOW)) == ["SendIq"]
        assert "unasked" in refused(ask(made, "session-accept", GOOD))

    @pytest.mark.parametrize("least", [Vouching.OMEMO_TRUSTED, Vouching.OMEMO_VERIFIED])
    @pytest.mark.parametrize(
        ("inner", "own"), [("", OWN_DEVICE), (DEVICE, None), (DEVICE.replace(str(PEER_DEVICE), "0"), OWN_DEVICE)]
    )
    def test_without_a_device_there_is_no_offer_if_the_policy_wants_a_seal(
        self, least: Vouching, inner: str, own: int | None
    ) -> None:
        made = proceeded(inner, omemo_device=own)
        outputs = made.perform(CALL, e.SendOffer(description(), least), NOW)
        assert kinds(outputs) == ["SendMessage", "Deliver", "Forget"]
        assert said(outputs) == [(MessageKind.RETRACT, EndReason.SECURITY_ERROR)]
        assert "only the servers vouch" in told(outputs)[0].text
        assert told(outputs)[0].withheld
        assert made.perform(CALL, e.SendCandidates("0", (candidate(),)), NOW) == []

    @pytest.mark.parametrize(
        ("sealer", "least", "leaves"),
        [
            (SEALER, Vouching.OMEMO_TRUSTED, True),
            (SEALER, Vouching.OMEMO_VERIFIED, False),
            (Sealer(trust={PEER_DEVICE: Trust.VERIFIED}), Vouching.OMEMO_VERIFIED, True),
            (Sealer(trust={PEER_DEVICE: Trust.UNDECIDED}), Vouching.OMEMO_TRUSTED, False),
            (Sealer(unreachable=frozenset({PEER_DEVICE})), Vouching.OMEMO_TRUSTED, False),
        ],
    )
    def test_the_offer_leaves_only_towards_a_key_that_is_good_enough(
        self, sealer: Sealer, least: Vouching, leaves: bool
    ) -> None:
        made = proceeded()
        outputs = work(made, made.perform(CALL, e.SendOffer(description(), least), NOW), sealer)
        assert kinds(outputs) == (["SendIq"] if leaves else ["SendMessage", "Deliver", "Forget"])

    def test_a_direct_offer_is_never_sealed(self) -> None:
        for least in (Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED):
            made = endpoint(omemo_device=OWN_DEVICE)
            made.begin(CALL, PEER, frozenset({"audio"}), NOW)
            outputs = made.perform(CALL, e.SendOffer(description(), least), NOW)
            assert kinds(outputs) == (["SendIq"] if least is Vouching.SIGNALLED else ["Deliver", "Forget"])

    def test_the_first_who_proceeds_is_the_one(self) -> None:
        made = proceeded()
        second = DEVICE.replace(str(PEER_DEVICE), str(OTHER_DEVICE))
        assert made.receive_message(message("proceed", str(CALL), inner=second), PEER, NOW) == []
        assert asked(made.perform(CALL, e.SendOffer(description()), NOW)) == Seal(CALL, PEER, PEER_DEVICE, {"0": HEX})


class TestBeingCalled:
    def test_the_proceed_names_the_own_device(self) -> None:
        for device in (OWN_DEVICE, None):
            _, _, outputs = taken(omemo_device=device)
            named = [
                (parse_message(output.message), output.message.get("to"))
                for output in outputs
                if isinstance(output, SendMessage)
            ]
            assert [(what.kind, what.device, to) for what, to in named if what is not None] == [
                (MessageKind.ACCEPT, None, str(OWN.bare)),
                (MessageKind.PROCEED, device, str(PEER)),
            ]

    def test_a_sealed_offer_is_opened_and_answered_under_seal(self) -> None:
        made, call, _ = taken()
        outputs = ask(made, "session-initiate", OFFER)
        assert kinds(outputs) == ["ReplyResult", "Unseal"]
        (offer,) = told(work(made, outputs))
        assert isinstance(offer, OfferReceived)
        assert offer.offer.voucher == SEALER.voucher(PEER, PEER_DEVICE)
        outputs = made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
        assert outputs == [Seal(call, PEER, PEER_DEVICE, {"0": HEX})]
        assert made.perform(call, e.SendCandidates("0", (candidate(1), candidate(2))), NOW) == []
        found = requests(work(made, outputs))
        assert [request.action for request in found] == ["session-accept", "transport-info", "transport-info"]
        assert [item.candidates[0].port for request in found[1:] for item in transports(request)] == [1, 2]
        assert [(len(item.fingerprints), len(item.sealed)) for item in transports(found[0])] == [(0, 1)]

    def test_a_plain_offer_goes_on_as_the_servers_word(self) -> None:
        made, call, _ = taken()
        (offer,) = told(ask(made, "session-initiate", content()))
        assert offer.offer.vouching is Vouching.SIGNALLED
        (request,) = requests(made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW))
        assert [(len(item.fingerprints), len(item.sealed)) for item in transports(request)] == [(1, 0)]

    def test_a_sealed_offer_without_omemo(self) -> None:
        made, _, _ = taken(omemo_device=None)
        assert "off on this device" in refused(ask(made, "session-initiate", OFFER))

    @pytest.mark.parametrize("element", [encrypted("?"), encrypted(HEX, recipient=OTHER_DEVICE)])
    def test_a_seal_that_cannot_be_opened(self, element: Element) -> None:
        made, _, _ = taken()
        outputs = ask(made, "session-initiate", content(inner=transport(sealed(element))))
        assert "could not be opened" in refused(work(made, outputs), first="")

    def test_contents_of_two_devices(self) -> None:
        made, _, _ = taken()
        second = content("1", inner=transport(sealed(encrypted(HEX, sender=OTHER_DEVICE))))
        assert "could not be opened" in refused(work(made, ask(made, "session-initiate", OFFER + second)), first="")

    def test_a_key_that_was_refused_is_not_answered(self) -> None:
        made, _, _ = taken()
        outputs = work(made, ask(made, "session-initiate", OFFER), Sealer(trust={PEER_DEVICE: Trust.DISTRUSTED}))
        assert "distrusted" in refused(outputs, first="")

    def test_other_media_than_proposed(self) -> None:
        made, _, _ = taken()
        outputs = work(made, ask(made, "session-initiate", OFFER.replace("audio", "video")))
        assert "other media" in refused(outputs, first="")

    @pytest.mark.parametrize("result", ["none", "other"])
    def test_an_answer_that_cannot_be_sealed_does_not_leave(self, result: str) -> None:
        made, call, _ = taken()
        work(made, ask(made, "session-initiate", OFFER))
        made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
        other = Sealed(voucher=SEALER.voucher(PEER, OTHER_DEVICE), elements={"0": encrypted(HEX)})
        outputs = made.sealed(call, None if result == "none" else other, NOW)
        assert "could not be sealed" in refused(outputs, first="")

    def test_omemo_that_goes_off_before_the_answer(self) -> None:
        device: list[int | None] = [OWN_DEVICE]
        made, call, _ = taken(omemo_device=lambda: device[0])
        work(made, ask(made, "session-initiate", OFFER))
        device[0] = None
        outputs = made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
        assert "could not be sealed" in refused(outputs, first="")

    def test_a_direct_offer_is_opened_only_after_the_yes(self) -> None:
        made = endpoint(omemo_device=OWN_DEVICE)
        reply, incoming = ask(made, "session-initiate", OFFER)
        assert kinds([reply, incoming]) == ["ReplyResult", "Incoming"]
        assert isinstance(incoming, Incoming)
        assert incoming.first == PeerProposed(announce=True)
        call = incoming.incoming.call
        assert [request.action for request in requests(made.perform(call, e.SendRinging(), NOW))] == ["session-info"]
        assert kinds(ask(made, "transport-info", trickled(CANDIDATE))) == ["ReplyResult"]
        outputs = made.perform(call, e.SendProceed(), NOW)
        assert kinds(outputs) == ["Unseal"]
        assert made.perform(call, e.SendProceed(), NOW) == []
        offer, candidates = told(work(made, outputs))
        assert isinstance(offer, OfferReceived)
        assert isinstance(candidates, CandidatesReceived)
        assert offer.offer.vouching is Vouching.OMEMO_TRUSTED

    def test_a_direct_offer_that_cannot_be_opened_here_does_not_ring(self) -> None:
        for made, offer in (
            (endpoint(), OFFER),
            (endpoint(omemo_device=OWN_DEVICE), OFFER + content("1")),
        ):
            outputs = ask(made, "session-initiate", offer)
            assert kinds(outputs) == ["ReplyResult", "SendIq"]
            assert requests(outputs)[0].reason is EndReason.SECURITY_ERROR

    def test_nothing_is_opened_for_strangers(self) -> None:
        made = endpoint(screening=Screening.SILENT, omemo_device=OWN_DEVICE)
        assert kinds(ask(made, "session-initiate", OFFER)) == ["ReplyError", "Missed"]

    def test_a_call_that_moved_is_sealed_anew(self) -> None:
        made, call, _ = taken()
        work(made, ask(made, "session-initiate", OFFER))
        work(made, made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW))
        made.receive_message(message("propose", "moved", inner=VOICE, to=OWN.bare), PEER, NOW)
        outputs = made.perform(call, e.SendProceed(), NOW)
        assert [kind for kind, _ in said(outputs)] == [MessageKind.ACCEPT, MessageKind.PROCEED]
        offer = content(inner=transport(sealed(encrypted(HEX, sender=OTHER_DEVICE))))
        (moved,) = told(work(made, ask(made, "session-initiate", offer, "moved")))
        assert moved.offer.voucher.peer.device == OTHER_DEVICE
        assert asked(made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)) == Seal(
            call, PEER, OTHER_DEVICE, {"0": HEX}
        )

    def test_after_losing_the_tie_break_the_other_side_seals(self) -> None:
        made = endpoint(omemo_device=OWN_DEVICE)
        made.begin(CALL, PEER.bare, frozenset({"audio"}), NOW)
        made.perform(CALL, e.SendProposal(), NOW)
        made.receive_message(message("propose", "0", inner=VOICE, to=OWN.bare), PEER, NOW)
        outputs = made.perform(CALL, e.SendProceed(), NOW)
        assert [kind for kind, _ in said(outputs)] == [MessageKind.ACCEPT, MessageKind.PROCEED]
        (offer,) = told(work(made, ask(made, "session-initiate", OFFER, "0")))
        assert offer.offer.vouching is Vouching.OMEMO_TRUSTED


class TestMeanwhile:
    def test_a_session_that_has_not_begun_is_not_there_for_the_peer(self) -> None:
        made = proceeded()
        made.perform(CALL, e.SendOffer(description()), NOW)
        for action in ("session-accept", "transport-info", "session-terminate", "session-info"):
            (reply,) = ask(made, action, PLAIN)
            assert kinds([reply]) == ["ReplyError"]

    def test_hanging_up_before_the_offer_leaves_retracts(self) -> None:
        made = proceeded()
        outputs = made.perform(CALL, e.SendOffer(description()), NOW)
        assert made.perform(CALL, e.SendCandidates("0", (candidate(),)), NOW) == []
        ended = made.perform(CALL, e.SendEnd(EndReason.SUCCESS), NOW)
        assert kinds(ended) == ["SendMessage", "Forget"]
        assert said(ended) == [(MessageKind.RETRACT, EndReason.CANCEL)]
        assert work(made, outputs) == []

    @pytest.mark.parametrize("kind", ["reject", "retract", "finish"])
    def test_a_peer_that_gives_up_before_the_offer_leaves(self, kind: str) -> None:
        made = proceeded()
        outputs = made.perform(CALL, e.SendOffer(description()), NOW)
        ended = made.receive_message(message(kind, str(CALL)), PEER, NOW)
        assert [type(item) for item in told(ended)] == [Ended]
        assert work(made, outputs) == []

    def test_a_second_answer_while_the_first_is_opened(self) -> None:
        made = offered()
        outputs = ask(made, "session-accept", GOOD)
        assert kinds(ask(made, "session-accept", PLAIN)) == ["ReplyError"]
        assert [type(item) for item in told(work(made, outputs))] == [AnswerReceived]
        assert made.unsealed(CALL, SEALER.unseal(asked(outputs)), NOW) == []  # type: ignore[arg-type]

    @pytest.mark.parametrize(
        ("made", "action", "inner"),
        [(offered, "session-accept", GOOD), (lambda: taken()[0], "session-initiate", OFFER)],
    )
    def test_the_peer_ends_while_something_is_opened(
        self, made: Callable[[], JingleEndpoint], action: str, inner: str
    ) -> None:
        side = made()
        outputs = ask(side, action, inner)
        assert kinds(ask(side, "session-terminate"))[:2] == ["ReplyResult", "Deliver"]
        assert work(side, outputs) == []

    def test_hanging_up_while_the_answer_is_sealed(self) -> None:
        made, call, _ = taken()
        work(made, ask(made, "session-initiate", OFFER))
        outputs = made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW)
        made.perform(call, e.SendCandidates("0", (candidate(),)), NOW)
        ended = made.perform(call, e.SendEnd(EndReason.SUCCESS), NOW)
        assert [(request.action, request.reason) for request in requests(ended)] == [
            ("session-terminate", EndReason.DECLINE)
        ]
        assert work(made, outputs) == []

    def test_candidates_of_the_peer_wait_for_the_opened_description(self) -> None:
        made = offered()
        outputs = ask(made, "session-accept", GOOD)
        for port in (41001, 41002):
            trickle = trickled(CANDIDATE.replace("41000", str(port)))
            assert kinds(ask(made, "transport-info", trickle)) == ["ReplyResult"]
        answer, *candidates = told(work(made, outputs))
        assert isinstance(answer, AnswerReceived)
        assert [item.candidates[0].port for item in candidates] == [41001, 41002]


class TestLater:
    def sealed_call(self, **options: Any) -> JingleEndpoint:
        made, call, _ = taken(**options)
        work(made, ask(made, "session-initiate", OFFER))
        work(made, made.perform(call, e.SendAnswer(description(Setup.ACTIVE)), NOW))
        return made

    @pytest.mark.parametrize("profile", [PeerProfile(), PeerProfile(answers_with_session_accept=True)])
    def test_what_is_added_must_be_sealed_or_inherit(self, profile: PeerProfile) -> None:
        for inner, told in ((transport(sealed(encrypted(HEX))), "Unseal"), (transport(), "Deliver")):
            outputs = ask(self.sealed_call(profile=profile), "content-add", content("1", media="video", inner=inner))
            assert kinds(outputs) == ["ReplyResult", told]
        outputs = ask(self.sealed_call(profile=profile), "content-add", content("1", media="video"))
        assert "plain key" in refused(outputs)

    @pytest.mark.parametrize("inner", [sealed(encrypted(HEX)), fingerprint(value=HEX[::-1])])
    def test_another_fingerprint_ends_the_call(self, inner: str) -> None:
        assert refused(ask(self.sealed_call(), "transport-info", trickled(inner)))

    def test_the_same_in_plain_is_only_repeated(self) -> None:
        assert kinds(ask(self.sealed_call(), "transport-info", trickled(fingerprint()))) == ["ReplyResult"]


def test_outcomes_that_nobody_waits_for_are_nothing() -> None:
    made = endpoint(omemo_device=OWN_DEVICE)
    assert made.sealed(CALL, None, NOW) == []
    assert made.unsealed(CALL, None, NOW) == []
    calling = offered()
    assert calling.sealed(CALL, None, NOW) == []
    assert calling.unsealed(CALL, None, NOW) == []
