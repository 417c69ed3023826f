from __future__ import annotations

import pytest

from openvoice import InvalidState, Keys, Match, SecurityRefused, Trust, UsageError
from openvoice.core.address import Address
from openvoice.core.key_uri import serialize_key_uri
from openvoice.storage.trust import MAXIMUM_KEYS, TrustBook
from openvoice.testing.fakes import MemorySecrets

ALICE, BOB = Address.parse("alice@example.org"), Address.parse("bob@example.org")
MINE, ONE, TWO = b"\7" * 32, bytes(32), b"\1" * 32


@pytest.fixture
def book() -> TrustBook:
    return TrustBook(MemorySecrets())


@pytest.fixture
def keys(book: TrustBook) -> Keys:
    return Keys(ALICE, (5, MINE), book, lambda: 100.0)


def test_what_was_seen_is_decided_about_by_device(keys: Keys, book: TrustBook) -> None:
    book.meet(BOB, 1, ONE, 1.0)
    book.meet(BOB, 2, TWO, 2.0)
    assert keys.people == (BOB,)
    assert [key.trust for key in keys.verify(keys.of(BOB)[:1])] == [Trust.VERIFIED]
    assert [key.trust for key in keys.distrust(BOB, 2)] == [Trust.DISTRUSTED]
    assert keys.accept(BOB, 2).trust is Trust.TRUSTED
    assert {key.device: key.trust for key in keys.of(BOB)} == {1: Trust.VERIFIED, 2: Trust.TRUSTED}


def test_nothing_is_decided_about_a_device_that_was_never_seen(keys: Keys) -> None:
    with pytest.raises(UsageError, match="no device 9"):
        keys.accept(BOB, 9)


def test_the_key_that_was_compared_is_verified_and_no_other_of_that_number(keys: Keys, book: TrustBook) -> None:
    """Whoever carries messages can begin a session under the number of any device, with a key of its own."""
    compared = book.meet(BOB, 1, ONE, 1.0)
    book.meet(BOB, 1, TWO, 2.0)
    assert [key.key for key in keys.verify([compared])] == [ONE]
    assert {key.key: key.trust for key in keys.of(BOB)} == {ONE: Trust.VERIFIED, TWO: Trust.UNDECIDED}


def test_a_key_that_was_forgotten_while_it_was_compared_is_verified_all_the_same(keys: Keys, book: TrustBook) -> None:
    compared = book.meet(BOB, 1, ONE, 1.0)
    for number in range(MAXIMUM_KEYS):
        book.meet(BOB, 2, number.to_bytes(32, "big")[::-1] if number else TWO, 2.0)
    assert ONE not in {key.key for key in keys.of(BOB)}
    assert [key.trust for key in keys.verify([compared])] == [Trust.VERIFIED]


def test_no_device_is_accepted_that_came_with_two_keys(keys: Keys, book: TrustBook) -> None:
    book.meet(BOB, 1, ONE, 1.0)
    book.meet(BOB, 1, TWO, 2.0)
    with pytest.raises(UsageError, match="2 keys"):
        keys.accept(BOB, 1)
    book.decide(BOB, TWO, Trust.DISTRUSTED)
    assert keys.accept(BOB, 1).key == ONE


def test_a_lost_device_is_distrusted_whatever_key_comes_under_its_number(keys: Keys, book: TrustBook) -> None:
    book.meet(BOB, 1, ONE, 1.0)
    book.decide(BOB, ONE, Trust.VERIFIED)
    book.meet(BOB, 1, TWO, 2.0)
    assert {key.key for key in keys.distrust(BOB, 1)} == {ONE, TWO}
    assert {key.trust for key in keys.of(BOB)} == {Trust.DISTRUSTED}


def test_the_own_code_has_this_device_and_the_verified_other_ones(keys: Keys, book: TrustBook) -> None:
    book.meet(ALICE, 6, ONE, 1.0)
    assert keys.uri() == serialize_key_uri(ALICE, [(5, MINE)])
    keys.verify(keys.of(ALICE))
    assert keys.uri() == serialize_key_uri(ALICE, [(5, MINE), (6, ONE)])


def test_before_the_first_login_there_is_no_code(book: TrustBook) -> None:
    fresh = Keys(ALICE, None, book, lambda: 0.0)
    with pytest.raises(InvalidState, match="first login"):
        fresh.uri()


def test_a_scanned_key_is_verified_whether_it_was_seen_before_or_not(keys: Keys, book: TrustBook) -> None:
    book.meet(BOB, 1, ONE, 1.0)
    compared = keys.scan(serialize_key_uri(BOB, [(1, ONE), (2, TWO)]))
    assert [(one.key.device, one.match) for one in compared] == [(1, Match.VERIFIED), (2, Match.VERIFIED)]
    assert {key.trust for key in keys.of(BOB)} == {Trust.VERIFIED}
    assert next(key for key in keys.of(BOB) if key.device == 2).seen == 100.0


def test_a_key_that_the_owner_does_not_have_is_distrusted(keys: Keys, book: TrustBook) -> None:
    book.meet(BOB, 1, TWO, 1.0)
    compared = keys.scan(serialize_key_uri(BOB, [(1, ONE)]))
    assert [(one.key.key, one.match) for one in compared] == [(TWO, Match.DIFFERENT), (ONE, Match.VERIFIED)]
    assert {key.key: key.trust for key in keys.of(BOB)} == {TWO: Trust.DISTRUSTED, ONE: Trust.VERIFIED}


def test_a_code_with_somebody_elses_key_is_not_believed(keys: Keys) -> None:
    with pytest.raises(SecurityRefused, match="this very device"):
        keys.scan(serialize_key_uri(BOB, [(1, MINE)]))
    keys.scan(serialize_key_uri(BOB, [(1, ONE)]))
    carol = Address.parse("carol@example.org")
    with pytest.raises(SecurityRefused, match="that of bob@"):
        keys.scan(serialize_key_uri(carol, [(1, ONE)]))
    assert not [key for key in keys.of(carol) if key.trust is Trust.VERIFIED]


def test_the_own_code_is_no_news(keys: Keys) -> None:
    with pytest.raises(UsageError, match="this very device"):
        keys.scan(keys.uri())
