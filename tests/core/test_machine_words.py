"""Verification words in the machine of a call: two machines, a wire between them, and people who compare."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.description import Fingerprint, SessionDescription, Setup
from openvoice.core.machine import CallMachine
from openvoice.core.policy import Policy
from openvoice.core.security import MediaFacts
from openvoice.core.trust import Trust, Voucher
from openvoice.core.types import Direction, EndReason, Origin, Vouching, WordsOutcome
from openvoice.core.verification import EXCHANGE_WITHIN
from openvoice.core.words import Step, WordsMessage
from openvoice.errors import InvalidState

from .descriptions import SIGNALLING, description, facts, voucher

PRINTS = {
    Direction.OUTGOING: Fingerprint("sha-256", bytes([1] * 32)),
    Direction.INCOMING: Fingerprint("sha-256", bytes([2] * 32)),
}
KEYS = {Direction.OUTGOING: bytes([11] * 32), Direction.INCOMING: bytes([22] * 32)}


@dataclass
class Side:
    """A call up to the agreement on keys, in one of the two directions."""

    direction: Direction
    trust: Trust = Trust.TRUSTED
    policy: Policy = field(default_factory=Policy)
    takes_words: bool = True
    seen: list[e.Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.machine = CallMachine(
            self.direction, "bob@example.org", policy=self.policy, seed=KEYS[self.direction], signalling=SIGNALLING
        )
        before: tuple[i.CallInput, ...]
        if self.direction is Direction.OUTGOING:
            answer = i.AnswerReceived(self.described(Setup.ACTIVE), "sid", self.takes_words)
            before = (i.Dial(), i.PeerProceeded(), i.LocalDescription(description()), answer)
        else:
            offer = i.OfferReceived(self.described(), session="sid")
            before = (i.PeerProposed(True), i.Accept(), offer, i.LocalDescription(description(Setup.ACTIVE)))
        for message in before:
            self.machine.handle(message, 0.0)

    @property
    def other(self) -> Direction:
        return Direction.INCOMING if self.direction is Direction.OUTGOING else Direction.OUTGOING

    @property
    def voucher(self) -> Voucher:
        return replace(
            voucher(self.trust),
            own_key=KEYS[self.direction],
            peer=replace(voucher(self.trust).peer, key=KEYS[self.other]),
        )

    def described(self, setup: Setup = Setup.ACTPASS) -> SessionDescription:
        return description(setup, self.voucher)

    @property
    def facts(self) -> MediaFacts:
        remote = replace(PRINTS[self.other], voucher=self.voucher)
        return replace(facts(), local_fingerprint=PRINTS[self.direction], remote_fingerprint=remote)

    def handle(self, message: i.CallInput, now: float = 1.0) -> list[WordsMessage]:
        """Returns what is said about words."""
        return self.note(self.machine.handle(message, now))

    def note(self, effects: list[e.Effect]) -> list[WordsMessage]:
        self.seen += effects
        said = (effect.information for effect in effects if isinstance(effect, e.SendInformation))
        return [message for message in said if isinstance(message, WordsMessage)]

    @property
    def words(self) -> tuple[str, ...] | None:
        return self.machine.words.words

    @property
    def told(self) -> list[events.CallEvent]:
        return [effect.event for effect in self.seen if isinstance(effect, e.Notify)]


def exchange(alice: Side, bob: Side) -> None:
    wires: dict[Direction, list[WordsMessage]] = {Direction.OUTGOING: [], Direction.INCOMING: []}
    sides = {alice.direction: alice, bob.direction: bob}
    for side in sides.values():
        wires[side.other] += side.handle(i.MediaSecured(side.facts))
        wires[side.other] += side.handle(i.MediaFlowing())
    while any(wires.values()):
        for side in sides.values():
            waiting, wires[side.direction] = wires[side.direction], []
            for message in waiting:
                wires[side.other] += side.handle(i.WordsReceived(message))


def compared() -> tuple[Side, Side]:
    alice, bob = Side(Direction.OUTGOING), Side(Direction.INCOMING)
    exchange(alice, bob)
    assert alice.words is not None
    assert alice.words == bob.words
    return alice, bob


def test_two_calls_show_the_same_words_once_sound_flows() -> None:
    alice, bob = compared()
    for side in (alice, bob):
        names = [event.name for event in side.told]
        assert names == ["secured", "connected", "words"]
        assert side.machine.security.words is WordsOutcome.SHOWN
        assert side.machine.deadline is None


def test_words_that_are_the_same_verify() -> None:
    alice, _ = compared()
    assert alice.words is not None
    alice.handle(i.CompareWords(alice.words, same=True))
    assert isinstance(alice.told[-1], events.CallVerified)
    assert alice.machine.security.vouching is Vouching.OMEMO_VERIFIED
    assert alice.machine.security.words is WordsOutcome.SAME
    assert alice.words is not None


def test_words_that_differ_end_the_call() -> None:
    alice, _ = compared()
    assert alice.words is not None
    alice.handle(i.CompareWords(alice.words, same=False))
    assert alice.machine.end == e.Finish(EndReason.SECURITY_ERROR, Origin.LOCAL, "the words of the two sides differ")
    assert alice.machine.security.vouching is Vouching.NONE
    assert alice.machine.security.words is WordsOutcome.DIFFERENT


def test_only_the_words_that_are_shown_can_be_compared() -> None:
    alice = Side(Direction.OUTGOING)
    for words in ((), ("acorn", "acrobat", "acorn", "acrobat")):
        with pytest.raises(InvalidState):
            alice.handle(i.CompareWords(words, same=True))
    alice, _ = compared()
    with pytest.raises(InvalidState):
        alice.handle(i.CompareWords(("acorn", "acrobat", "acorn", "acrobat"), same=True))
    assert alice.machine.security.vouching is Vouching.OMEMO_TRUSTED


def test_a_peer_without_the_feature_gets_no_words() -> None:
    alice = Side(Direction.OUTGOING, takes_words=False)
    assert alice.handle(i.MediaSecured(alice.facts)) == []
    alice.handle(i.MediaFlowing())
    assert alice.words is None
    assert alice.machine.security.words is WordsOutcome.NONE


def test_after_a_disturbance_nothing_is_shown_and_the_call_goes_on() -> None:
    alice, bob = compared()
    for side in (alice, bob):
        side.handle(i.WordsReceived(WordsMessage(Step.REVEAL, bytes(32))))
        assert isinstance(side.told[-1], events.WordsNotShown)
        assert side.words is None
        assert side.machine.end is None
        assert side.machine.security.words is WordsOutcome.FAILED
        effects = side.machine.handle(i.WordsReceived(WordsMessage(None)), 2.0)
        assert [type(effect) for effect in effects] == [e.RejectInput]


def strict(direction: Direction) -> Side:
    return Side(direction, Trust.VERIFIED, Policy(require=Vouching.OMEMO_VERIFIED))


def test_a_disturbance_ends_a_call_that_must_be_verified() -> None:
    alice = strict(Direction.OUTGOING)
    alice.handle(i.MediaSecured(alice.facts))
    alice.handle(i.WordsReceived(WordsMessage(None)))
    assert alice.machine.end is not None
    assert alice.machine.end.reason is EndReason.SECURITY_ERROR


def test_so_does_one_before_dtls_is_up() -> None:
    bob = strict(Direction.INCOMING)
    bob.handle(i.WordsReceived(WordsMessage(None)))
    assert bob.machine.end is None
    bob.handle(i.MediaFlowing())
    bob.handle(i.MediaSecured(bob.facts))
    assert bob.machine.end is not None
    assert isinstance(bob.seen[-1], e.Finish)


def test_silence_about_the_words_ends_no_call() -> None:
    alice = strict(Direction.OUTGOING)
    alice.handle(i.MediaSecured(alice.facts))
    alice.handle(i.MediaFlowing())
    assert alice.machine.deadline == 1.0 + EXCHANGE_WITHIN
    alice.note(alice.machine.handle_timeout(1.0 + EXCHANGE_WITHIN))
    assert isinstance(alice.told[-1], events.WordsNotShown)
    assert alice.machine.end is None
    assert alice.machine.deadline is None


def test_a_call_that_ends_waits_for_no_words() -> None:
    alice = Side(Direction.OUTGOING)
    alice.handle(i.MediaSecured(alice.facts))
    alice.handle(i.HangUp())
    assert alice.machine.deadline is None


def test_a_restart_of_ice_begins_no_exchange_and_keeps_the_words() -> None:
    alice, _ = compared()
    words = alice.words
    assert alice.handle(i.MediaInterrupted()) == []
    assert alice.handle(i.LocalRestart((("0", "u", "p"),), answering=False)) == []
    assert alice.handle(i.RestartReceived((("0", "v", "q"),), ours=True)) == []
    assert alice.handle(i.MediaRestored()) == []
    assert alice.words == words


def test_a_call_that_moves_gets_other_words() -> None:
    bob = Side(Direction.INCOMING)
    exchange(Side(Direction.OUTGOING), bob)
    before = bob.words
    assert before is not None
    bob.handle(i.CompareWords(before, same=True), 2.0)
    bob.handle(i.PeerMigrated(), 2.0)
    assert bob.words is None
    bob.trust = Trust.VERIFIED
    bob.handle(i.OfferReceived(bob.described(), session="next"), 2.0)
    bob.handle(i.LocalDescription(description(Setup.ACTIVE)), 2.0)
    assert bob.handle(i.MediaSecured(bob.facts), 2.0) == []
    (answer,) = bob.handle(i.WordsReceived(WordsMessage(Step.COMMIT, bytes(32))), 2.0)
    assert answer.step is Step.NONCE
    with pytest.raises(InvalidState):
        bob.handle(i.CompareWords(before, same=True), 2.0)


def test_a_call_that_moves_while_words_are_compared_shows_none_any_more() -> None:
    alice, bob = compared()
    read = bob.words
    assert read is not None
    bob.handle(i.PeerMigrated(), 2.0)
    assert isinstance(bob.told[-1], events.WordsNotShown)
    bob.handle(i.OfferReceived(bob.described(), session="next"), 2.0)
    bob.handle(i.LocalDescription(description(Setup.ACTIVE)), 2.0)
    bob.handle(i.MediaSecured(bob.facts), 2.0)
    bob.handle(i.MediaFlowing(), 2.0)
    assert bob.handle(i.WordsReceived(WordsMessage(Step.COMMIT, bytes(32))), 2.0) == []
    assert bob.machine.security.words is WordsOutcome.FAILED
    for words in (read, alice.words or ()):
        with pytest.raises(InvalidState):
            bob.handle(i.CompareWords(words, same=True), 2.0)


def test_who_loses_the_glare_answers_the_commitment() -> None:
    """Both called at once: the roles of the session count, not who dialled."""
    alice = Side(Direction.OUTGOING)
    loser = Side(Direction.OUTGOING)
    loser.machine = CallMachine(Direction.OUTGOING, "x", policy=Policy(), seed=KEYS[Direction.INCOMING])
    loser.direction = Direction.INCOMING
    for message in (
        i.Dial(),
        i.GlareLost(),
        i.OfferReceived(loser.described(), session="sid"),
        i.LocalDescription(description(Setup.ACTIVE)),
    ):
        loser.handle(message)
    exchange(alice, loser)
    assert alice.words is not None
    assert alice.words == loser.words
