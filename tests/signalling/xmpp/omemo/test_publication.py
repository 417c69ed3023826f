"""What is published of the own device, when it is renewed, and how often."""

from __future__ import annotations

import time

import pytest

from openvoice.signalling.xmpp.omemo import prekeys, wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.omemo.identity import own_identity, own_key, settle_identity
from openvoice.testing.fakes import MemorySecrets
from tests.signalling.xmpp.omemo.world import ALICE, BOB, World


def bundle(world: World, device: int) -> wire.Bundle:
    return wire.read_bundle(world.server.nodes[ALICE, wire.bundle_node(device)])


async def test_the_keys_are_there_before_the_device_is_on_the_list() -> None:
    world = World()
    alice = await world.published(ALICE)
    assert world.server.published == [(ALICE, wire.bundle_node(alice.id)), (ALICE, wire.DEVICE_LIST)]
    assert len(bundle(world, alice.id).pre_keys) == 100
    assert bundle(world, alice.id).identity_key == alice.key


async def test_nothing_is_published_that_is_there_already() -> None:
    world = World()
    alice = await world.published(ALICE)
    world.server.published.clear()
    await alice.publish()
    await world.device(ALICE).publish()
    assert world.server.published == []


async def test_what_the_server_lost_is_published_again() -> None:
    world = World()
    alice = await world.published(ALICE)
    before = bundle(world, alice.id)
    world.server.nodes.clear()
    await alice.publish()
    assert bundle(world, alice.id) == before
    assert wire.read_device_list(world.server.nodes[ALICE, wire.DEVICE_LIST]) == (alice.id,)


async def test_other_devices_stay_on_the_list_even_a_thousand() -> None:
    world = World()
    world.server.nodes[ALICE, wire.DEVICE_LIST] = wire.write_device_list(range(1, 900))
    alice = await world.published(ALICE)
    listed = wire.read_device_list(world.server.nodes[ALICE, wire.DEVICE_LIST], 2000)
    assert listed == (*range(1, 900), alice.id)


async def test_the_signed_key_is_replaced_after_a_week_and_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World()
    alice, bob = await world.published(ALICE), await world.published(BOB)
    first = bundle(world, alice.id)
    late = await bob.seal(ALICE, alice.id, {"": "late"})
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + prekeys.ROTATION + 60)
    await alice.publish()
    second = bundle(world, alice.id)
    assert second.signed_pre_key != first.signed_pre_key
    assert second.signed_pre_key_id != first.signed_pre_key_id
    assert second.identity_key == first.identity_key
    assert (await alice.unseal(BOB, late.elements)).texts == {"": "late"}
    await alice.close()
    again = await world.published(BOB, "again")
    too_late = await again.seal(ALICE, alice.id, {"": "too late"})
    for weeks in (2, 3):
        monkeypatch.setattr(time, "time", lambda weeks=weeks: now + weeks * (prekeys.ROTATION + 60))
        await alice.publish()
    with pytest.raises(OmemoFailed) as raised:
        await alice.unseal(BOB, too_late.elements)
    assert raised.value.cause is Cause.UNDECRYPTABLE
    await alice.close()


def test_the_number_of_a_device_is_settled_once() -> None:
    secrets = MemorySecrets()
    assert own_key(secrets) is None
    drawn = own_identity(secrets)
    assert own_key(secrets) == (drawn.device, drawn.key)
    settled = settle_identity(secrets, taken=(drawn.device,))
    assert settled.device != drawn.device
    assert settled.key == drawn.key
    assert settle_identity(secrets, taken=(settled.device,)).device == settled.device
    assert own_identity(secrets).device == settled.device


def test_a_number_is_drawn_until_it_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter([4, 4, 5, 6])
    monkeypatch.setattr("openvoice.signalling.xmpp.omemo.identity.dice.randbelow", lambda _: next(drawn))
    assert settle_identity(MemorySecrets(), taken=(5, 6)).device == 7
