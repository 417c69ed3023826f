"""When a person hears a tone: with fakes on all sides, and a device that notes what it is told to play."""

from __future__ import annotations

import asyncio

import pytest

from openvoice import Audience, Call, CallState, Device, EndReason, Policy, Tones
from openvoice.core.tones import Tone
from tests.client.test_client import BOB, connected, pair
from tests.waiting import until


class Player:
    """In the place of what plays tones."""

    told: list[tuple[str, Tone, str | None]]

    def __init__(self, tone: Tone, device: str | None) -> None:
        self._about = tone, device
        self.told.append(("begins", *self._about))

    def stop(self) -> None:
        self.told.append(("ends", *self._about))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Tone, str | None]]:
    """What was played, and stopped."""
    Player.told = []
    monkeypatch.setattr("openvoice.devices.player.PlayedTone", Player)
    monkeypatch.setattr("openvoice.devices.tones.BEGINNING", -0.55)
    return Player.told


Told = list[tuple[str, Tone, str | None]]
DEVICES = {"output": Device("headset"), "ring": Device("speakers")}


async def test_ring_and_ring_back_end_as_soon_as_somebody_takes_the_call(told: Told) -> None:
    async with pair() as (alice, bob), Tones(alice.client, **DEVICES), Tones(bob.client, **DEVICES):
        call = await alice.client.call(BOB.bare)
        assert told == []
        await call.wait_for(CallState.RINGING, timeout=2)
        await until(lambda: len(told) == 2)
        assert set(told) == {("begins", Tone.RING_BACK, "headset"), ("begins", Tone.RING, "speakers")}
        told.clear()
        await bob.client.calls[0].accept()
        await until(lambda: len(told) == 2)
        assert set(told) == {("ends", Tone.RING_BACK, "headset"), ("ends", Tone.RING, "speakers")}
        told.clear()
        await call.hangup()
        # The one who hung up needs no tone for it.
        await until(lambda: told == [("begins", Tone.ENDED, "headset"), ("ends", Tone.ENDED, "headset")])


async def test_who_is_answered_without_asking_does_not_ring(told: Told) -> None:
    async with pair() as (alice, bob), Tones(bob.client, **DEVICES):
        bob.client.policy = Policy(answer=Audience.ROSTER)
        call, _ = await connected(alice, bob)
        assert told == []
        await call.hangup()


async def test_without_a_device_nothing_is_played(told: Told) -> None:
    async with pair() as (alice, bob), Tones(alice.client), Tones(bob.client, ring=Device()):
        call = await alice.client.call(BOB.bare)
        await call.wait_for(CallState.RINGING, timeout=2)
        await until(lambda: told == [("begins", Tone.RING, None)])
        await call.hangup()
    assert told == [("begins", Tone.RING, None), ("ends", Tone.RING, None)]


async def test_the_last_tone_is_heard_to_its_end(told: Told) -> None:
    async with pair() as (alice, bob):

        @bob.client.on_call
        async def decline(call: Call) -> None:
            await call.reject(EndReason.BUSY)

        async with Tones(alice.client, **DEVICES):
            call = await alice.client.call(BOB.bare)
            await call.wait_closed()
        assert told[-2:] == [("begins", Tone.BUSY, "headset"), ("ends", Tone.BUSY, "headset")]
        told.clear()
        began = asyncio.get_running_loop().time()

        async def interrupted() -> None:
            async with Tones(alice.client, **DEVICES):
                await (await alice.client.call(BOB.bare)).wait_closed()
                # Whoever is interrupted waits for no tone.
                raise RuntimeError

        with pytest.raises(RuntimeError):
            await interrupted()
        assert asyncio.get_running_loop().time() - began < 1.0
        assert told[-1][0] == "ends"


async def test_the_next_call_ends_the_tone_of_the_one_before(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.devices.tones.BEGINNING", 60.0)
    async with pair() as (alice, bob), Tones(alice.client, **DEVICES):
        call, other = await connected(alice, bob)
        await other.hangup()
        await call.wait_closed()
        await until(lambda: told[-1:] == [("begins", Tone.ENDED, "headset")])
        bob.client.on_call(lambda call: asyncio.sleep(0))
        second = await alice.client.call(BOB.bare)
        await until(lambda: ("ends", Tone.ENDED, "headset") in told)
        await second.hangup()
