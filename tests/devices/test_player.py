from __future__ import annotations

import asyncio

import numpy as np
import pytest

from openvoice.core.tones import Tone
from openvoice.devices.player import PlayedTone
from openvoice.devices.tones import sound
from tests.devices.fake_sounddevice import FakeSoundDevice, FakeStream
from tests.waiting import until


@pytest.fixture(autouse=True)
def connected(library: FakeSoundDevice) -> None:
    library.add("Built-in Audio", 2, 2)
    library.add("Headset", 1, 1)
    library.defaults = [0, 0]


async def running(library: FakeSoundDevice, number: int = 1) -> FakeStream:
    await until(lambda: len(library.running()) == 1 and len(library.streams) >= number)
    return library.running()[0]


def play(stream: FakeStream, blocks: int) -> list[int]:
    return [int(sample) for _ in range(blocks) for sample in stream.turn(-9)[:, 0]]


@pytest.mark.parametrize(("tone", "again"), [(Tone.RING_BACK, True), (Tone.ENDED, False)])
async def test_a_tone_is_played_as_it_is_again_or_once(library: FakeSoundDevice, tone: Tone, again: bool) -> None:
    played = PlayedTone(tone, "headset")
    stream = await running(library)
    assert library.name_of(stream) == "Headset"
    samples = sound(tone).tolist()
    blocks = len(samples) // 480
    # The event loop is not needed for it.
    assert play(stream, blocks) == samples
    assert play(stream, 50) == (samples[: 50 * 480] if again else [0] * 50 * 480)
    played.stop()


async def test_it_stops_within_a_block_and_without_a_click(library: FakeSoundDevice) -> None:
    played = PlayedTone(Tone.RING_BACK)
    stream = await running(library)
    before = play(stream, 20)
    played.stop()
    played.stop()
    after = play(stream, 1)
    assert max(np.abs(after)) > 100
    assert np.abs(np.diff([before[-1], *after, 0])).max() < 400
    assert not any(play(stream, 3))
    await until(lambda: stream.closed)


async def test_at_another_rate_it_is_the_same_tone(library: FakeSoundDevice) -> None:
    library.listed[0]["default_samplerate"] = 44_100.0
    library.refuse = lambda settings: settings["samplerate"] == 48_000 or settings["channels"] == 1
    played = PlayedTone(Tone.RING_BACK)
    stream = await running(library)
    sounds = np.array(play(stream, 50), float)
    hertz = np.argmax(np.abs(np.fft.rfft(sounds))) * 44_100 / len(sounds)
    assert abs(hertz - 425) <= 2
    played.stop()


async def test_a_device_that_is_missing_is_no_trouble(library: FakeSoundDevice) -> None:
    library.listed.clear()
    played = PlayedTone(Tone.RING)
    await until(lambda: library.renewed > 2)
    played.stop()


async def test_what_is_stopped_at_once_is_never_heard(library: FakeSoundDevice) -> None:
    PlayedTone(Tone.RING).stop()
    await asyncio.sleep(0.02)
    assert not any(sample for stream in library.streams for sample in play(stream, 3))


async def test_a_lost_device_gives_way_to_another(library: FakeSoundDevice) -> None:
    played = PlayedTone(Tone.RING, "headset")
    stream = await running(library)
    play(stream, 3)
    library.listed.pop()
    stream.active = False
    other = await running(library, 2)
    assert library.name_of(other) == "Built-in Audio"
    assert any(play(other, 3))
    played.stop()
