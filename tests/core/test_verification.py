"""The words of one call: over the sessions it has, in every order of what happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core.description import Fingerprint
from openvoice.core.trust import DeviceKey, Trust, Voucher
from openvoice.core.types import Role, WordsOutcome
from openvoice.core.verification import EXCHANGE_WITHIN, MAXIMUM_EARLY, Verification
from openvoice.core.words import Step, WordsMessage

from .descriptions import facts, voucher

KEYS = {Role.INITIATOR: bytes([11] * 32), Role.RESPONDER: bytes([22] * 32)}
PRINTS = {role: Fingerprint("sha-256", bytes([number] * 32)) for number, role in enumerate(Role, 1)}
OTHER = WordsMessage(Step.NONCE, bytes([9] * 32))


@dataclass
class Side:
    """One side of a call, and what became of it."""

    role: Role
    seed: bytes = b""
    takes_words: bool = True
    trust: Trust = Trust.TRUSTED
    seen: list[e.Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.verification = Verification(self.seed or KEYS[self.role])

    @property
    def voucher(self) -> Voucher:
        key = DeviceKey(owner=voucher().peer.owner, device=1, key=KEYS[self.role.other], trust=self.trust)
        return Voucher(peer=key, own_device=2, own_key=KEYS[self.role])

    def secured(self, *, vouched: bool = True, session: str = "sid", now: float = 0.0) -> list[e.Effect]:
        by = self.voucher if vouched else None
        self.verification.described(session, by, invites=self.takes_words)
        remote = replace(PRINTS[self.role.other], voucher=by)
        agreed = replace(facts(), local_fingerprint=PRINTS[self.role], remote_fingerprint=remote)
        return self.note(self.verification.secured(self.role, agreed, now))

    def active(self) -> list[e.Effect]:
        return self.note(self.verification.active())

    def take(self, message: WordsMessage, now: float = 0.0) -> list[e.Effect]:
        return self.note(self.verification.take(message, now))

    def note(self, effects: object) -> list[e.Effect]:
        made: list[e.Effect] = list(effects)  # type: ignore[call-overload]
        self.seen += made
        return made

    @property
    def told(self) -> list[events.CallEvent]:
        return [effect.event for effect in self.seen if isinstance(effect, e.Notify)]


def sent(effects: list[e.Effect]) -> WordsMessage:
    (message,) = (effect.information for effect in effects if isinstance(effect, e.SendInformation))
    assert isinstance(message, WordsMessage)
    return message


def failure(effects: list[e.Effect]) -> str:
    (event,) = (effect.event for effect in effects if isinstance(effect, e.Notify))
    assert isinstance(event, events.WordsNotShown)
    return event.text


def pair() -> tuple[Side, Side]:
    return Side(Role.INITIATOR), Side(Role.RESPONDER)


def exchanged() -> tuple[Side, Side]:
    """Both know the words, and show none before media flow."""
    alice, bob = pair()
    bob.secured()
    bob.take(sent(alice.take(sent(bob.take(sent(alice.secured()))))))
    assert alice.verification.deadline is bob.verification.deadline is None
    assert alice.verification.words is bob.verification.words is None
    return alice, bob


def test_words_are_shown_when_media_flow_and_not_before() -> None:
    alice, bob = exchanged()
    assert alice.told == bob.told == []
    for side in (alice, bob):
        side.active()
        assert side.verification.outcome is WordsOutcome.SHOWN
    assert alice.verification.words == bob.verification.words
    assert alice.told == bob.told == [events.WordsShown(alice.verification.words or ())]
    alice.active()
    assert len(alice.told) == 1


def test_words_that_come_late_are_shown_at_once() -> None:
    alice, bob = pair()
    bob.secured()
    reply = sent(bob.take(sent(alice.secured())))
    alice.active()
    assert [type(effect) for effect in alice.take(reply)] == [e.SendInformation, e.Notify]


def test_a_commitment_before_dtls_is_up_here_waits() -> None:
    alice, bob = pair()
    commit = sent(alice.secured())
    assert bob.take(commit) == []
    assert sent(bob.secured()).step is Step.NONCE


def test_early_messages_are_bounded_and_two_are_too_many() -> None:
    bob = Side(Role.RESPONDER)
    for number in range(100):
        assert bob.take(WordsMessage(Step.COMMIT, bytes([number] * 32))) == []
    assert len(bob.verification._early) == MAXIMUM_EARLY
    effects = bob.secured()
    assert sent(effects).step is Step.NONCE
    assert "twice" in failure(effects)
    assert bob.verification.settled


def test_a_message_that_a_server_repeats_says_nothing_and_moves_no_deadline() -> None:
    alice, bob = pair()
    commit = sent(alice.secured())
    nonce = sent([*bob.secured(), *bob.take(commit)])
    deadline = bob.verification.deadline
    assert bob.take(commit, now=5.0) == []
    assert bob.verification.deadline == deadline
    reveal = sent(alice.take(nonce))
    assert alice.take(nonce) == []
    bob.take(reveal)
    assert bob.take(commit) == bob.take(reveal) == []
    alice.active()
    bob.active()
    assert alice.verification.words == bob.verification.words is not None


def test_without_a_voucher_there_are_no_words() -> None:
    alice, bob = pair()
    assert alice.secured(vouched=False) == []
    bob.secured(vouched=False)
    assert "no OMEMO key" in failure(bob.take(WordsMessage(Step.COMMIT, bytes(32))))
    alice.active()
    assert alice.verification.words is None
    assert alice.verification.outcome is WordsOutcome.NONE


def test_a_voucher_of_another_fingerprint_is_none() -> None:
    alice = Side(Role.INITIATOR)
    alice.verification.described("sid", alice.voucher, invites=True)
    assert alice.note(alice.verification.secured(Role.INITIATOR, facts(), 0.0)) == []


def test_a_peer_that_knows_no_words_is_sent_none() -> None:
    alice = Side(Role.INITIATOR, takes_words=False)
    assert alice.secured() == []
    assert alice.verification.deadline is None
    assert "out of order" in failure(alice.take(OTHER))


def test_media_that_are_secured_twice_begin_one_exchange() -> None:
    alice, _ = pair()
    sent(alice.secured())
    assert alice.secured() == []


@pytest.mark.parametrize("role", list(Role))
def test_a_peer_that_stops_is_told_about(role: Role) -> None:
    alice, bob = pair()
    bob.secured(now=1.0)
    bob.take(sent(alice.secured(now=1.0)), 1.0)
    side = alice if role is Role.INITIATOR else bob
    assert side.verification.deadline == 1.0 + EXCHANGE_WITHIN
    assert side.note(side.verification.handle_timeout(EXCHANGE_WITHIN)) == []
    assert "did not go on" in failure(side.note(side.verification.handle_timeout(1.0 + EXCHANGE_WITHIN)))
    assert side.verification.deadline is None
    assert side.verification.settled


def test_a_disturbance_takes_the_words_back() -> None:
    alice, bob = exchanged()
    bob.active()
    assert bob.verification.words is not None
    failure(bob.take(WordsMessage(Step.REVEAL, bytes(32))))
    assert bob.verification.words is None
    assert bob.verification.outcome is WordsOutcome.FAILED
    assert bob.active() == []
    assert "could not be read" in failure(alice.take(WordsMessage(None)))


def test_another_session_has_other_words() -> None:
    alice, bob = exchanged()
    alice.active()
    bob.active()
    before = alice.verification.words
    for side in (alice, bob):
        side.verification.compared(same=True)
        assert side.note(side.verification.left()) == []
        assert side.verification.words is None
        assert side.verification.outcome is WordsOutcome.NONE
    bob.secured(session="next")
    first = sent(alice.secured(session="next"))
    bob.take(sent(alice.take(sent(bob.take(first)))))
    alice.active()
    bob.active()
    assert alice.verification.words == bob.verification.words != before


def test_no_nonce_is_used_twice() -> None:
    """Whoever knows a nonce before the commitment could choose its own to fit."""
    alice, bob = pair()
    nonces = set()
    for number in range(5):
        bob.secured(session=str(number))
        nonce = sent(bob.take(sent(alice.secured(session=str(number)))))
        reveal = sent(alice.take(nonce))
        bob.take(reveal)
        nonces |= {nonce.value, reveal.value}
        for side in (alice, bob):
            side.active()
            side.verification.compared(same=True)
            assert side.note(side.verification.left()) == []
    assert len(nonces) == 10


def test_a_session_left_in_the_middle_of_an_exchange_is_the_last_try() -> None:
    alice, _ = pair()
    sent(alice.secured())
    assert "moved" in failure(alice.note(alice.verification.left()))
    assert alice.secured(session="next") == []
    assert alice.verification.settled


@pytest.mark.parametrize("shown", [False, True])
@pytest.mark.parametrize("role", list(Role))
def test_a_session_left_before_its_words_were_compared_is_the_last_try(role: Role, shown: bool) -> None:
    """Unseen tries would add up, and a yes to words that were read must not fall on those of another session."""
    alice, bob = exchanged()
    side = alice if role is Role.INITIATOR else bob
    if shown:
        side.active()
    assert "before the words were compared" in failure(side.note(side.verification.left()))
    assert side.verification.words is None
    assert side.secured(session="next") == side.active() == []
    assert side.verification.settled


def test_a_session_without_an_exchange_may_be_left() -> None:
    for side in pair():
        side.note(side.verification.left())
        assert side.verification.outcome is WordsOutcome.NONE
    _, bob = pair()
    bob.secured()
    assert bob.note(bob.verification.left()) == []
    assert bob.verification.outcome is WordsOutcome.NONE


def test_a_failure_is_for_all_sessions_of_the_call() -> None:
    alice, _ = pair()
    alice.secured()
    alice.take(WordsMessage(None))
    assert alice.note(alice.verification.left()) == []
    assert alice.secured(session="next") == []
    assert alice.verification.outcome is WordsOutcome.FAILED


@given(st.integers(0, 2**32), st.lists(st.integers(0, 7), max_size=30))
def test_in_every_order_words_are_equal_or_not_shown(number: int, steps: list[int]) -> None:
    """Two sides, wires that deliver in order and a server that now and then drops, repeats or adds a message."""
    dice = Random(number)
    sides = {side.role: side for side in pair()}
    wires: dict[Role, list[WordsMessage]] = {role: [] for role in Role}
    secured: set[Role] = set()
    disturbed = False

    def carry(role: Role, effects: list[e.Effect]) -> None:
        wires[role.other] += [
            effect.information
            for effect in effects
            if isinstance(effect, e.SendInformation) and isinstance(effect.information, WordsMessage)
        ]

    for step in steps:
        role = dice.choice(list(Role))
        side, wire = sides[role], wires[role]
        if step == 0:
            carry(role, side.secured())
            secured.add(role)
        elif step == 1 and role in secured:
            carry(role, side.active())
        elif step == 2 and wire:
            wire.insert(0, wire[0])
        elif step == 3 and dice.random() < 0.2:
            wire.append(OTHER)
            disturbed = True
        elif wire and not side.verification.settled:
            carry(role, side.take(wire.pop(0)))
    shown = {side.verification.words for side in sides.values()} - {None}
    assert len(shown) <= 1
    for side in sides.values():
        shows = [event for event in side.told if isinstance(event, events.WordsShown)]
        assert len(shows) <= 1
        assert (side.verification.words is None) == (side.verification.outcome is not WordsOutcome.SHOWN)
        if not disturbed:
            assert side.verification.outcome is not WordsOutcome.FAILED
