from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.core.trust import DeviceKey, Trust, decided, first_sight
from openvoice.core.types import Vouching

from .descriptions import voucher

BOB = Address.parse("bob@example.org")


@pytest.mark.parametrize(
    ("known", "thought"),
    [
        ([], Trust.TRUSTED),
        ([Trust.TRUSTED, Trust.UNDECIDED], Trust.TRUSTED),
        ([Trust.TRUSTED, Trust.DISTRUSTED], Trust.UNDECIDED),
        ([Trust.VERIFIED], Trust.UNDECIDED),
        ([Trust.TRUSTED, Trust.VERIFIED, Trust.UNDECIDED], Trust.UNDECIDED),
    ],
)
def test_trust_is_blind_until_a_key_was_verified_or_refused(known: list[Trust], thought: Trust) -> None:
    assert first_sight(known) is thought


def test_with_the_first_verified_key_blind_trust_is_over_for_the_others_too() -> None:
    """An attacker's device may have been there before anybody looked."""
    before = {1: Trust.TRUSTED, 2: Trust.TRUSTED, 3: Trust.DISTRUSTED}
    keys = [DeviceKey(owner=BOB, device=number, key=bytes([number] * 32), trust=before[number]) for number in before]
    once = decided(keys, keys[0].key, Trust.VERIFIED)
    assert [key.trust for key in once] == [Trust.VERIFIED, Trust.UNDECIDED, Trust.DISTRUSTED]
    accepted = decided(once, keys[1].key, Trust.TRUSTED)
    assert [key.trust for key in accepted] == [Trust.VERIFIED, Trust.TRUSTED, Trust.DISTRUSTED]
    twice = decided(accepted, keys[2].key, Trust.VERIFIED)
    assert [key.trust for key in twice] == [Trust.VERIFIED, Trust.TRUSTED, Trust.VERIFIED], "what was accepted stays so"


def test_a_voucher_is_worth_what_the_user_thinks_of_its_key() -> None:
    assert voucher(Trust.UNDECIDED).vouching is Vouching.SIGNALLED
    assert voucher(Trust.TRUSTED).vouching is Vouching.OMEMO_TRUSTED
    assert voucher(Trust.VERIFIED).vouching is Vouching.OMEMO_VERIFIED
    assert voucher(Trust.DISTRUSTED).vouching is Vouching.NONE


@pytest.mark.parametrize(
    ("owner", "device", "key"),
    [
        ("bob@example.org/x", 1, bytes(32)),
        ("bob@example.org", 0, bytes(32)),
        ("bob@example.org", 2**32, bytes(32)),
        ("bob@example.org", 1, bytes(31)),
    ],
)
def test_what_is_no_key_of_a_device_does_not_exist(owner: str, device: int, key: bytes) -> None:
    with pytest.raises(ValueError, match="OMEMO"):
        DeviceKey(owner=Address.parse(owner), device=device, key=key, trust=Trust.TRUSTED)


def test_a_key_is_shown_in_groups_for_eyes() -> None:
    shown = DeviceKey(owner=BOB, device=1, key=bytes(range(32)), trust=Trust.TRUSTED).fingerprint
    assert shown.startswith("00010203 04050607 ")
    assert len(shown.split()) == 8
