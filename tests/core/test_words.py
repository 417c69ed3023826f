"""The exchange of verification words: its order, what it binds, and what a middleman can do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core import words as module
from openvoice.core.description import Fingerprint
from openvoice.core.types import Role
from openvoice.core.word_list import words_of
from openvoice.core.words import (
    Side,
    Step,
    WordsExchange,
    WordsFailed,
    WordsMessage,
    commitment,
    derivation,
    exchange_nonce,
)

ALICE = Side(fingerprint=Fingerprint("sha-256", bytes([1] * 32)), key=bytes([11] * 32))
BOB = Side(fingerprint=Fingerprint("sha-512", bytes([2] * 64)), key=bytes([22] * 32))
EVE = Side(fingerprint=Fingerprint("sha-256", bytes([3] * 32)), key=bytes([33] * 32))
ONE, TWO = bytes([7] * 32), bytes([8] * 32)

octets = st.binary(min_size=32, max_size=32)
messages = st.one_of(
    st.just(WordsMessage(None)),
    st.builds(WordsMessage, st.sampled_from(Step), st.one_of(octets, st.sampled_from([ONE, TWO]))),
)


def initiator(
    own: Side = ALICE, peer: Side = BOB, *, nonce: bytes = ONE, session: str = "sid"
) -> tuple[WordsExchange, WordsMessage]:
    exchange = WordsExchange(Role.INITIATOR, session=session, own=own, peer=peer, nonce=nonce)
    return exchange, exchange.begin()


def responder(own: Side = BOB, peer: Side = ALICE, *, nonce: bytes = TWO, session: str = "sid") -> WordsExchange:
    return WordsExchange(Role.RESPONDER, session=session, own=own, peer=peer, nonce=nonce)


def run(one: WordsExchange, commit: WordsMessage, other: WordsExchange) -> None:
    nonce = other.take(commit)
    assert nonce is not None
    reveal = one.take(nonce)
    assert reveal is not None
    assert other.take(reveal) is None


@given(octets, octets, st.text(st.characters(codec="utf-8"), max_size=300))
def test_both_sides_get_the_same_words(one: bytes, two: bytes, session: str) -> None:
    alice, commit = initiator(nonce=one, session=session)
    bob = responder(nonce=two, session=session)
    if one == two:
        with pytest.raises(WordsFailed, match="sent back"):
            run(alice, commit, bob)
        return
    run(alice, commit, bob)
    assert alice.words == bob.words
    assert alice.words is not None
    assert len(alice.words) == 4


def test_a_commitment_hides_the_nonce_and_depends_on_all_of_its_side() -> None:
    made = commitment("sid", ALICE, ONE)
    others = {
        commitment("sid", ALICE, TWO),
        commitment("other", ALICE, ONE),
        commitment("sid", replace(ALICE, key=BOB.key), ONE),
        commitment("sid", replace(ALICE, fingerprint=BOB.fingerprint), ONE),
    }
    assert len({made, *others}) == 5
    assert ONE not in made


def test_the_words_depend_on_everything_and_on_its_place() -> None:
    seen = {
        derivation("sid", ALICE, BOB, ONE, TWO),
        derivation("sie", ALICE, BOB, ONE, TWO),
        derivation("sid", BOB, ALICE, ONE, TWO),
        derivation("sid", ALICE, BOB, TWO, ONE),
        derivation("sid", replace(ALICE, key=EVE.key), BOB, ONE, TWO),
        derivation("sid", ALICE, replace(BOB, key=EVE.key), ONE, TWO),
        derivation("sid", replace(ALICE, fingerprint=EVE.fingerprint), BOB, ONE, TWO),
        derivation("sid", ALICE, replace(BOB, fingerprint=EVE.fingerprint), ONE, TWO),
        derivation("sid", replace(ALICE, key=BOB.key), replace(BOB, key=ALICE.key), ONE, TWO),
        derivation("sid", ALICE, BOB, bytes(32), TWO),
        derivation("sid", ALICE, BOB, ONE, bytes(32)),
    }
    assert len(seen) == 11


@given(st.lists(messages, max_size=4), st.sampled_from(Role))
def test_only_the_one_right_order_makes_words(received: list[WordsMessage], role: Role) -> None:
    exchange = initiator()[0] if role is Role.INITIATOR else responder()
    right = [Step.NONCE] if role is Role.INITIATOR else [Step.COMMIT, Step.REVEAL]
    taken: list[Step | None] = []
    failed = False
    for message in received:
        try:
            exchange.take(message)
        except WordsFailed:
            failed = True
        taken.append(message.step)
    assert not (failed and exchange.words)
    assert failed == (taken != right[: len(taken)] or bool(exchange.words is None and taken == right))
    if exchange.words is not None:
        assert taken == right


def test_nothing_is_taken_before_the_commitment_went_out() -> None:
    exchange = WordsExchange(Role.INITIATOR, session="sid", own=ALICE, peer=BOB, nonce=ONE)
    with pytest.raises(WordsFailed, match="out of order"):
        exchange.take(WordsMessage(Step.NONCE, TWO))


def test_a_message_more_takes_the_words_back() -> None:
    alice, commit = initiator()
    bob = responder()
    run(alice, commit, bob)
    for side in (alice, bob):
        assert side.words is not None
        with pytest.raises(WordsFailed, match="twice"):
            side.take(WordsMessage(Step.REVEAL, ONE))
        assert side.words is None


def test_whoever_waits_is_known() -> None:
    alice, commit = initiator()
    bob = responder()
    assert (alice.waiting, bob.waiting) == (True, False)
    nonce = bob.take(commit)
    assert nonce is not None
    assert bob.waiting
    alice.take(nonce)
    assert not alice.waiting


@pytest.mark.parametrize(
    "peer", [replace(BOB, key=ALICE.key), replace(BOB, fingerprint=ALICE.fingerprint)], ids=["key", "fingerprint"]
)
def test_a_mirror_makes_no_words(peer: Side) -> None:
    alice, _ = initiator(peer=peer)
    with pytest.raises(WordsFailed, match="own keys"):
        alice.take(WordsMessage(Step.NONCE, TWO))


def test_values_check_themselves() -> None:
    with pytest.raises(ValueError, match="nonce"):
        WordsExchange(Role.INITIATOR, session="", own=ALICE, peer=BOB, nonce=b"short")
    with pytest.raises(ValueError, match="length"):
        WordsMessage(Step.COMMIT, bytes(31))
    with pytest.raises(ValueError, match="identity key"):
        Side(fingerprint=ALICE.fingerprint, key=bytes(33))


def test_every_exchange_of_a_call_has_a_nonce_of_its_own() -> None:
    nonces = {exchange_nonce(seed, number) for seed in (ONE, TWO) for number in range(10)}
    assert len(nonces) == 20
    assert {len(nonce) for nonce in nonces} == {32}
    assert not nonces & {ONE, TWO}


# --- attacks ----------------------------------------------------------------------------------------------------------


def test_a_commitment_of_another_session_opens_nothing() -> None:
    """A replay: what was right in one session is wrong in every other."""
    alice, commit = initiator(session="before")
    before = responder(session="before")
    reveal = alice.take(before.take(commit) or WordsMessage(None))
    later = responder(session="now")
    later.take(commit)
    assert reveal is not None
    with pytest.raises(WordsFailed, match="committed"):
        later.take(reveal)


def test_a_relay_of_all_messages_cannot_hide_a_swapped_key() -> None:
    alice, commit = initiator(peer=EVE)
    bob = responder(peer=EVE)
    reveal = alice.take(bob.take(commit) or WordsMessage(None))
    assert reveal is not None
    with pytest.raises(WordsFailed, match="committed"):
        bob.take(reveal)


ATTEMPTS = 3000
"""With one word of 8 bits, 11.7 of them succeed by luck; that 40 do has a chance below one in a billion."""
LUCK = 40


def first(exchange: WordsExchange) -> str:
    """A short derivation: 8 bits, one word."""
    assert exchange.words is not None
    return exchange.words[0]


@pytest.mark.parametrize("roles", ["between", "both commit", "both answer"])
def test_a_middleman_can_only_guess(roles: str) -> None:
    """Eve shows each side her own keys, in either role, and finishes with one side before she decides on the other."""
    dice = Random(4242)
    equal = 0
    for _ in range(ATTEMPTS):
        mine, yours = dice.randbytes(32), dice.randbytes(32)
        if roles == "both answer":
            # Eve began both sessions.
            first_side: WordsExchange = responder(ALICE, EVE, nonce=mine)
            eve, commit = initiator(EVE, ALICE, nonce=dice.randbytes(32))
            run(eve, commit, first_side)
        else:
            first_side, commit = initiator(ALICE, EVE, nonce=mine)
            run(first_side, commit, responder(EVE, ALICE, nonce=dice.randbytes(32)))
        target = first(first_side)
        if roles == "both commit":
            # Both called at once, and Eve answered both: she knows no nonce before she tells hers.
            second_side, commit = initiator(BOB, EVE, nonce=yours)
            invented = dice.randbytes(32)
            chosen = search(target, partial(derivation, "sid", BOB, EVE, invented), dice)
            run(second_side, commit, responder(EVE, BOB, nonce=chosen))
        else:
            second_side = responder(BOB, EVE, nonce=yours)
            invented = dice.randbytes(32)
            chosen = search(target, partial(_as_initiator, invented), dice)
            eve, commit = initiator(EVE, BOB, nonce=chosen)
            run(eve, commit, second_side)
        equal += target == first(second_side)
    assert 0 < equal < LUCK


def _as_initiator(invented: bytes, nonce: bytes) -> bytes:
    return derivation("sid", EVE, BOB, nonce, invented)


def search(target: str, words: Callable[[bytes], bytes], dice: Random) -> bytes:
    """The best that Eve can do before she knows the nonce of the other side: search against one that she invented."""
    tried = [dice.randbytes(32) for _ in range(16)]
    return next((nonce for nonce in tried if words_of(words(nonce)[:1])[0] == target), tried[-1])


def grind(target: str, alice_nonce: bytes) -> bytes:
    """A nonce of Eve's that gives Alice the word ``target``."""
    return next(
        nonce
        for nonce in (number.to_bytes(32, "big") for number in range(1 << 16))
        if words_of(derivation("sid", ALICE, EVE, alice_nonce, nonce)[:1])[0] == target
    )


def test_who_knew_the_nonce_of_the_initiator_would_win() -> None:
    """What the commitment is for: were Alice's nonce sent in its place, Eve would choose hers to fit, each time."""
    dice = Random(77)
    for _ in range(20):
        bob = responder(BOB, EVE, nonce=dice.randbytes(32))
        eve, commit = initiator(EVE, BOB, nonce=dice.randbytes(32))
        run(eve, commit, bob)
        leaked = dice.randbytes(32)
        alice, _ = initiator(ALICE, EVE, nonce=leaked)
        alice.take(WordsMessage(Step.NONCE, grind(first(bob), leaked)))
        assert first(alice) == first(bob)


def open_late(target: str, bob: WordsExchange) -> None:
    """Eve commits to nothing in particular, and chooses what she reveals when she knows Bob's nonce."""
    answer = bob.take(WordsMessage(Step.COMMIT, bytes(32)))
    assert answer is not None
    chosen = next(
        nonce
        for nonce in (number.to_bytes(32, "big") for number in range(1 << 16))
        if words_of(derivation("sid", EVE, BOB, nonce, answer.value)[:1])[0] == target
    )
    bob.take(WordsMessage(Step.REVEAL, chosen))


def test_who_opened_a_commitment_as_she_likes_would_win(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, commit = initiator(ALICE, EVE)
    run(alice, commit, responder(EVE, ALICE, nonce=bytes(32)))
    with pytest.raises(WordsFailed, match="committed"):
        open_late(first(alice), responder(BOB, EVE))
    monkeypatch.setattr(module, "commitment", lambda *_: bytes(32))
    bob = responder(BOB, EVE)
    open_late(first(alice), bob)
    assert first(bob) == first(alice)
