"""What goes on about a device: published while online, hearing contacts alone."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.messages import ReceivedMessage
from openvoice.signalling.xmpp.omemo import device as module
from openvoice.signalling.xmpp.omemo import upkeep, wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.upkeep import MAXIMUM_UNHEARD, Upkeep
from tests.signalling.xmpp.omemo.world import ALICE, BOB, World, settled
from tests.waiting import until


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "GATHER", 0.0)
    return World()


@pytest.fixture
async def bob(world: World) -> AsyncIterator[OmemoDevice]:
    device = world.device(BOB)
    yield device
    await settled(device)


async def eventually(condition: object) -> None:
    async with asyncio.timeout(5):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_it_is_published_when_online_and_tried_again(
    world: World, bob: OmemoDevice, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(upkeep, "AGAIN", 0.01)
    kept = Upkeep(bob, lambda person: person == ALICE)
    world.server.unavailable = True
    kept.connection_changed(True)
    await until(lambda: "not sealed until" in caplog.text)
    world.server.unavailable = False
    await until(lambda: bob.published)
    caplog.clear()
    world.server.unavailable = True
    kept.connection_changed(False)
    kept.connection_changed(True)
    await until(lambda: "could not be looked after" in caplog.text)
    assert "openvoice.test" not in caplog.text
    await kept.close()
    assert not kept._tasks


async def test_it_is_looked_after_once_a_day(world: World, bob: OmemoDevice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "FRESH", 0.01)
    kept = Upkeep(bob, lambda _: True)
    kept.connection_changed(True)
    await until(lambda: world.server.fetched.count((BOB, wire.DEVICE_LIST)) > 3)
    await kept.close()


async def test_only_contacts_are_heard(world: World, bob: OmemoDevice, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "openvoice")
    alice = await world.published(ALICE)
    await bob.publish()
    known = {ALICE}
    kept = Upkeep(bob, lambda person: person in known)
    sealed = [(await alice.seal(BOB, bob.id, {"": "hello"})).elements[""] for _ in range(4)]

    def sessions() -> list[str]:
        return world.secrets[f"{BOB} "].names("omemo/session/")

    stranger = known.pop()
    kept.message_received(element("jabber:client", "message", sealed[0]), stranger, late=False)
    known.add(ALICE)
    kept.message_received(element("jabber:client", "message", sealed[1], type="error"), ALICE, late=False)
    kept.message_received(element("jabber:client", "message"), ALICE, late=False)
    await kept._tasks.settled()
    assert sessions() == []
    kept.catch_up([ReceivedMessage(element("jabber:client", "message", sealed[2]), ALICE, None, 1.0)])
    await kept._tasks.settled()
    assert len(sessions()) == 1
    await kept.close()


async def test_a_flood_of_messages_leaves_time_for_everything_else(
    world: World, bob: OmemoDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    rounds: list[int] = []

    async def receive(sender: Address, encrypted: Element, *, late: bool) -> None:
        heard.append(int(encrypted.get("number", "")))
        rounds.append(turns)
        time.sleep(0.002)  # noqa: ASYNC251 # what decrypting is

    monkeypatch.setattr(bob, "receive", receive)
    kept = Upkeep(bob, lambda _: True)
    for number in range(MAXIMUM_UNHEARD + 10):
        encrypted = element(wire.NAMESPACE, "encrypted", number=str(number))
        kept.message_received(element("jabber:client", "message", encrypted), ALICE, late=False)
    turns = 0
    began = time.perf_counter()
    while len(heard) < 20:
        await asyncio.sleep(0)
        turns += 1
    assert heard == list(range(10, 30)), "in order, the newest of too many"
    assert len(set(rounds)) == 20, "one in each round"
    assert time.perf_counter() - began > 0.07, "for half of the time"
    await kept.close()


async def test_only_lists_of_devices_concern_it(world: World, bob: OmemoDevice) -> None:
    await bob.publish()
    kept = Upkeep(bob, lambda _: True)
    world.server.published.clear()
    empty = wire.write_device_list([])
    world.server.nodes[BOB, wire.DEVICE_LIST] = empty
    kept.node_changed(BOB, "another", empty)
    await settled(bob)
    assert world.server.published == []
    kept.node_changed(BOB, wire.DEVICE_LIST, empty)
    await settled(bob)
    assert world.server.published == [(BOB, wire.DEVICE_LIST)]
    await kept.close()
