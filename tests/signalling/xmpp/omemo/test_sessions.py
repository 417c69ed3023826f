"""Sessions: bounded, and total in what they are given."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.signalling.xmpp.omemo import prekeys, record, wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.sessions import Sessions
from openvoice.testing.fakes import MemorySecrets
from tests.signalling.xmpp.omemo.world import ALICE, BOB

MATERIAL = b"k" * 16 + b"t" * 16


@pytest.fixture(scope="module")
def bob() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture(scope="module")
def bundle(bob: MemorySecrets) -> wire.Bundle:
    return prekeys.fresh_bundle(bob)


@pytest.fixture(scope="module")
def keys(bob: MemorySecrets, bundle: wire.Bundle) -> list[wire.SealedKey]:
    """One that begins a session, and two that go on with it, of which the last was not opened."""
    alice = MemorySecrets()
    _, [first] = Sessions(alice, 1.0).seal(BOB, 2, [MATERIAL], bundle)
    assert Sessions(bob, 1.0).open(ALICE, 1, first).material == MATERIAL
    _, [answer] = Sessions(bob, 1.0).seal(ALICE, 1, [MATERIAL])
    Sessions(alice, 1.0).open(BOB, 2, answer)
    _, [second, third] = Sessions(alice, 1.0).seal(BOB, 2, [MATERIAL] * 2)
    assert Sessions(bob, 1.0).open(ALICE, 1, second).material == MATERIAL
    return [first, second, third]


def refused(work: Callable[[], object]) -> Cause:
    with pytest.raises(OmemoFailed) as raised:
        work()
    return raised.value.cause


@given(st.binary(min_size=1, max_size=300), st.booleans())
@settings(deadline=None)
def test_noise_is_refused(bob: MemorySecrets, keys: list[wire.SealedKey], noise: bytes, exchange: bool) -> None:
    before = dict(bob.kept)
    for data in (noise, b"\x33" + noise, noise + keys[2].data, keys[0].data[:40] + noise):
        key = wire.SealedKey(data, exchange)
        assert refused(lambda: Sessions(bob, 2.0).open(ALICE, 1, key)) in (Cause.JUNK, Cause.UNDECRYPTABLE)  # noqa: B023
    assert bob.kept == before


@given(st.data())
@settings(deadline=None)
def test_an_octet_that_was_changed_is_noticed(
    bob: MemorySecrets, keys: list[wire.SealedKey], data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from([keys[0], keys[2]]))
    place = data.draw(st.integers(0, len(key.data) - 1))
    change = data.draw(st.integers(1, 255))
    changed = bytearray(key.data)
    changed[place] ^= change
    cause = refused(lambda: Sessions(bob, 2.0).open(ALICE, 1, wire.SealedKey(bytes(changed), key.exchange)))
    assert cause in (Cause.JUNK, Cause.UNDECRYPTABLE, Cause.REPLAY)


def test_the_same_key_is_opened_once(bob: MemorySecrets, keys: list[wire.SealedKey]) -> None:
    for key in keys[:2]:
        assert refused(lambda: Sessions(bob, 2.0).open(ALICE, 1, key)) is Cause.REPLAY  # noqa: B023


def test_what_was_seen_too_long_ago_to_remember_is_opened_no_second_time(
    bob: MemorySecrets, keys: list[wire.SealedKey]
) -> None:
    kept = record.read_record(bob, ALICE, 1)
    kept.seen.clear()
    record.write_record(bob, ALICE, 1, kept, 2.0)
    assert refused(lambda: Sessions(bob, 2.0).open(ALICE, 1, keys[1])) is Cause.REPLAY
    assert refused(lambda: Sessions(bob, 2.0).open(ALICE, 1, keys[0])) is Cause.UNDECRYPTABLE


def test_without_a_session_and_a_bundle_nothing_is_sealed() -> None:
    assert refused(lambda: Sessions(MemorySecrets(), 1.0).seal(BOB, 2, [MATERIAL])) is Cause.NO_BUNDLE


def test_more_skipped_messages_than_are_remembered_are_refused(bob: MemorySecrets, bundle: wire.Bundle) -> None:
    alice = MemorySecrets()
    sessions = Sessions(alice, 1.0)
    _, sealed = sessions.seal(BOB, 2, [MATERIAL] * 1100, bundle)
    hearing = MemorySecrets()
    hearing.kept = dict(bob.kept)
    assert refused(lambda: Sessions(hearing, 1.0).open(ALICE, 9, sealed[-1])) is Cause.UNDECRYPTABLE
    assert Sessions(hearing, 1.0).open(ALICE, 9, sealed[900]).material == MATERIAL
    assert Sessions(hearing, 1.0).open(ALICE, 9, sealed[-1]).stale


def test_sessions_of_one_device_are_bounded(bundle: wire.Bundle) -> None:
    alice = MemorySecrets()
    for _ in range(20):
        Sessions(alice, 1.0).begin(BOB, 2, bundle, MATERIAL[:16])
    assert len(record.read_record(alice, BOB, 2).sessions) == record.MAXIMUM_SESSIONS


def test_devices_of_one_person_are_bounded_and_the_least_used_is_forgotten(bundle: wire.Bundle) -> None:
    alice = MemorySecrets()
    for number in range(1, wire.MAXIMUM_DEVICES + 1):
        Sessions(alice, float(number)).begin(BOB, number, bundle, MATERIAL[:16])
    Sessions(alice, 100.0).seal(BOB, 1, [MATERIAL])
    Sessions(alice, 101.0).begin(ALICE, 7, bundle, MATERIAL[:16])
    Sessions(alice, 102.0).begin(BOB, 99, bundle, MATERIAL[:16])
    assert len(alice.names(f"omemo/session/{BOB}/")) == wire.MAXIMUM_DEVICES
    assert Sessions(alice, 1.0).knows(BOB, 1)
    assert Sessions(alice, 1.0).knows(BOB, 99)
    assert Sessions(alice, 1.0).knows(ALICE, 7)
    assert not Sessions(alice, 1.0).knows(BOB, 2)


def test_what_was_seen_is_bounded() -> None:
    kept = record.Record()
    for number in range(1000):
        kept.note_seen(str(number).encode())
    assert len(kept.seen) == record.MAXIMUM_SEEN
    assert kept.has_seen(b"999")
    assert not kept.has_seen(b"0")


def test_a_device_is_reached_once_a_minute_by_all_processes_together() -> None:
    secrets = MemorySecrets()
    assert record.may_reach(secrets, BOB, 2, 1000.0)
    assert not record.may_reach(secrets, BOB, 2, 1059.0)
    assert record.may_reach(secrets, BOB, 3, 1059.0)
    assert record.may_reach(secrets, BOB, 2, 1060.0)
    assert record.may_reach(secrets, BOB, 2, 500.0), "the clock was set back"
