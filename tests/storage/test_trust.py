from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.core.trust import Trust
from openvoice.errors import SecurityRefused
from openvoice.storage.trust import MAXIMUM_KEYS, TrustBook
from openvoice.testing.fakes import MemorySecrets

BOB, CAROL = Address.parse("bob@example.org"), Address.parse("carol@example.org")
ONE, TWO = bytes(32), b"\1" * 32


def test_a_key_is_met_once_and_then_known() -> None:
    secrets = MemorySecrets()
    met = TrustBook(secrets).meet(BOB, 1, ONE, 100.0)
    assert met.trust is Trust.TRUSTED
    assert TrustBook(secrets).meet(BOB, 1, ONE, 200.0) == met
    assert TrustBook(secrets).keys(BOB) == (met,)
    assert TrustBook(secrets).owners() == (BOB,)
    assert TrustBook(secrets).keys(CAROL) == ()


def test_after_a_verification_a_new_device_waits_for_a_decision() -> None:
    book = TrustBook(MemorySecrets())
    book.meet(BOB, 1, ONE, 0.0)
    assert book.decide(BOB, ONE, Trust.VERIFIED).trust is Trust.VERIFIED
    assert book.meet(BOB, 2, TWO, 1.0).trust is Trust.UNDECIDED
    assert book.decide(BOB, TWO, Trust.TRUSTED).trust is Trust.TRUSTED
    assert book.meet(CAROL, 3, TWO, 2.0).trust is Trust.TRUSTED


def test_a_key_that_was_verified_is_nobody_elses() -> None:
    book = TrustBook(MemorySecrets())
    for owner in (BOB, CAROL):
        book.meet(owner, 1, ONE, 0.0)
    book.decide(BOB, ONE, Trust.VERIFIED)
    assert book.decide(BOB, ONE, Trust.VERIFIED).trust is Trust.VERIFIED
    with pytest.raises(SecurityRefused, match="that of bob@"):
        book.decide(CAROL, ONE, Trust.VERIFIED)
    assert [key.trust for key in book.keys(CAROL)] == [Trust.TRUSTED]
    assert book.decide(CAROL, ONE, Trust.DISTRUSTED).trust is Trust.DISTRUSTED
    book.decide(BOB, ONE, Trust.DISTRUSTED)
    assert book.decide(CAROL, ONE, Trust.VERIFIED).trust is Trust.VERIFIED


def test_a_key_that_moved_to_another_device_keeps_its_trust() -> None:
    book = TrustBook(MemorySecrets())
    book.meet(BOB, 1, ONE, 0.0)
    book.decide(BOB, ONE, Trust.DISTRUSTED)
    assert book.meet(BOB, 7, ONE, 1.0).trust is Trust.DISTRUSTED
    assert [key.device for key in book.keys(BOB)] == [7]


def test_nobody_decides_about_a_key_that_was_never_seen() -> None:
    with pytest.raises(KeyError):
        TrustBook(MemorySecrets()).decide(BOB, ONE, Trust.VERIFIED)


def test_made_up_keys_are_bounded_and_push_out_none_that_was_decided_about() -> None:
    book = TrustBook(MemorySecrets())
    book.meet(BOB, 1, ONE, 0.0)
    book.decide(BOB, ONE, Trust.VERIFIED)
    book.meet(BOB, 2, TWO, 0.0)
    book.decide(BOB, TWO, Trust.DISTRUSTED)
    for number in range(3, 3 + 2 * MAXIMUM_KEYS):
        book.meet(BOB, number, number.to_bytes(32, "big"), float(number))
    assert len(book.keys(BOB)) == MAXIMUM_KEYS + 2
    assert book.meet(BOB, 1, ONE, 1000.0).trust is Trust.VERIFIED
    assert book.meet(BOB, 2, TWO, 1000.0).trust is Trust.DISTRUSTED
    assert book.keys(BOB)[-1].device == 2 + 2 * MAXIMUM_KEYS
