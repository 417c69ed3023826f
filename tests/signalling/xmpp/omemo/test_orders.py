"""Whatever is lost, doubled, delayed or restarted: what arrives is read, once, and no message key is used twice."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from unittest.mock import patch
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.signalling.xmpp.omemo import device as module
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.device import OmemoDevice
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from tests.signalling.xmpp.omemo.world import ALICE, BOB, World, over_the_wire, settled

pytestmark = pytest.mark.slow

SIDE = st.sampled_from([ALICE, BOB])
STEP = st.one_of(
    st.tuples(st.just("say"), SIDE, st.integers(1, 3)),
    st.tuples(st.just("deliver"), SIDE, st.integers(0, 9)),
    st.tuples(st.just("double"), SIDE, st.integers(0, 9)),
    st.tuples(st.just("lose"), SIDE, st.integers(0, 9)),
    st.tuples(st.just("restart"), SIDE, st.just(0)),
)


@dataclass
class Play:
    """Two devices; what is on its way to each, and what each has read."""

    world: World
    devices: dict[Address, OmemoDevice]
    coming: dict[Address, list[tuple[str, Element]]] = field(default_factory=lambda: {ALICE: [], BOB: []})
    read: dict[Address, list[Element]] = field(default_factory=lambda: {ALICE: [], BOB: []})
    keys: list[str] = field(default_factory=list)

    async def step(self, what: str, side: Address, number: int) -> None:
        other = BOB if side == ALICE else ALICE
        match what:
            case "say":
                texts = {str(index): f"{len(self.keys)}" for index in range(number)}
                sealed = await self.devices[side].seal(other, self.devices[other].id, texts)
                for name, item in sealed.elements.items():
                    self.keys.append(item.findtext(f".//{{{wire.NAMESPACE}}}key", ""))
                    self.coming[other].append((texts[name], over_the_wire(item)))
            case "deliver" if number < len(self.coming[side]):
                text, item = self.coming[side].pop(number)
                assert (await self.devices[side].unseal(other, {"": item})).texts == {"": text}
                self.read[side].append(item)
            case "double" if number < len(self.read[side]):
                try:
                    await self.devices[side].unseal(other, {"": self.read[side][number]})
                except OmemoFailed as failure:
                    assert failure.cause is Cause.REPLAY  # noqa: PT017
                else:
                    raise AssertionError("a replay was read")
            case "lose" if number < len(self.coming[side]):
                self.coming[side].pop(number)
            case "restart":
                await self.devices[side].close()
                self.devices[side] = self.world.device(side)

    async def speak(self) -> None:
        """Both understand each other, after all that is still on its way has come."""
        for side in (ALICE, BOB):
            while self.coming[side]:
                await self.step("deliver", side, len(self.coming[side]) - 1)
        for side, device in self.devices.items():
            await self.step("say", side, 1)
            await settled(device)
        for side in (ALICE, BOB):
            await self.step("deliver", side, 0)
        for device in self.devices.values():
            await settled(device)
        assert len(set(self.keys)) == len(self.keys)


@given(st.lists(STEP, max_size=25))
@settings(max_examples=40, deadline=None)
def test_whatever_happens_on_the_way(steps: list[tuple[str, Address, int]]) -> None:
    async def play() -> None:
        world = World()
        devices = {side: await world.published(side) for side in (ALICE, BOB)}
        on_stage = Play(world, devices)
        for step in steps:
            await on_stage.step(*step)
        await on_stage.speak()
        assert all(device.healed == 0 for device in on_stage.devices.values())

    with patch.object(module, "GATHER", 0.0):
        asyncio.run(play())


@given(st.lists(st.sampled_from([ALICE, BOB]), min_size=1, max_size=8), st.sampled_from([ALICE, BOB]))
@settings(max_examples=15, deadline=None)
def test_what_was_forgotten_heals(said: list[Address], forgets: Address) -> None:
    """One side loses all sessions. A minute later at most, both understand each other again."""

    async def play() -> None:
        world = World()
        devices = {side: await world.published(side) for side in (ALICE, BOB)}
        on_stage = Play(world, devices)
        for side in said:
            await on_stage.step("say", side, 1)
            await on_stage.step("deliver", BOB if side == ALICE else ALICE, 0)
        kept = world.secrets[f"{forgets} "]
        for name in kept.names("omemo/session/"):
            kept.remove(name)
        other = BOB if forgets == ALICE else ALICE
        sealed = await devices[other].seal(forgets, devices[forgets].id, {"": "lost, or not"})
        await devices[forgets].receive(other, sealed.elements[""])
        await world.deliver(other, devices[other])
        await world.deliver(forgets, devices[forgets])
        await on_stage.speak()

    with patch.object(module, "GATHER", 0.0):
        asyncio.run(play())
