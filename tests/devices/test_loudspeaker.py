from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import numpy as np
import pytest

from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.processing.voice import Samples, VoiceProcessor
from openvoice.ports import FRAME_SAMPLES, AudioOutput, Frame
from tests.devices.fake_sounddevice import FakeSoundDevice, FakeStream
from tests.waiting import until


class Playing:
    """A started loudspeaker; its frames are numbered from 1 on."""

    def __init__(self, processor: VoiceProcessor | None = None) -> None:
        self.requested = 0
        self.reports: list[DeviceChanged] = []
        self.loudspeaker = Loudspeaker(None, processor)
        port: AudioOutput = self.loudspeaker
        port.start(self._request, self.reports.append)

    @property
    def troubles(self) -> list[str]:
        return [report.text for report in self.reports]

    def _request(self) -> Frame:
        self.requested += 1
        return np.full(FRAME_SAMPLES, self.requested, np.int16)


async def turn(stream: FakeStream, count: int = 1) -> list[int]:
    """The first sample of each of the blocks played, with time for the event loop between them."""
    played = []
    for _ in range(count):
        played.append(int(stream.turn(-9)[0, 0]))
        await asyncio.sleep(0.001)
    return played


@pytest.fixture(autouse=True)
def connected(library: FakeSoundDevice) -> None:
    library.add("Built-in Audio", 2, 2)
    library.defaults = [0, 0]


async def start(library: FakeSoundDevice) -> tuple[Playing, FakeStream]:
    playing = Playing()
    await until(lambda: any(stream.active for stream in library.streams))
    return playing, library.streams[-1]


async def test_the_device_sets_the_pace(library: FakeSoundDevice) -> None:
    playing, stream = await start(library)
    assert await turn(stream) == [0]
    already = playing.requested
    played = await turn(stream, 20)
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(played))
    assert played[-1] - played[0] == pytest.approx(10, abs=1)
    assert playing.requested - already == pytest.approx(10, abs=1)
    assert playing.loudspeaker.missed == 0
    playing.loudspeaker.stop()


async def test_no_more_than_two_blocks_are_asked_for_ahead(library: FakeSoundDevice) -> None:
    playing, stream = await start(library)
    await turn(stream)
    for _ in range(30):
        before = playing.requested
        played = (await turn(stream))[0]
        assert before - played <= 1
    playing.loudspeaker.stop()


async def test_a_late_loop_is_heard_as_silence_and_leaves_no_delay(library: FakeSoundDevice) -> None:
    playing, stream = await start(library)
    await turn(stream, 4)
    blocks = [int(stream.turn(-9)[0, 0]) for _ in range(20)]
    assert blocks[-10:] == [0] * 10
    assert playing.loudspeaker.missed >= 16
    await asyncio.sleep(0.02)
    before = playing.requested
    played = (await turn(stream))[0]
    assert before - played <= 1
    playing.loudspeaker.stop()


async def test_every_channel_gets_the_sound_at_the_rate_of_the_device(library: FakeSoundDevice) -> None:
    library.listed[0]["default_samplerate"] = 44_100.0
    library.refuse = lambda settings: settings["samplerate"] == 48_000 or settings["channels"] == 1
    playing, stream = await start(library)
    await turn(stream, 6)
    block = stream.turn()
    assert block.shape == (441, 2)
    assert block.any()
    assert np.array_equal(block[:, 0], block[:, 1])
    playing.loudspeaker.stop()


class Listening(VoiceProcessor):
    def __init__(self) -> None:
        super().__init__(Processing(noise=False, level=False))
        self.heard: list[tuple[int, float]] = []
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1

    def played(self, samples: Samples, time: float) -> None:
        self.heard.append((int(samples[0]), time))


async def test_the_processor_of_the_microphone_hears_what_is_played_and_when(library: FakeSoundDevice) -> None:
    processor = Listening()
    playing = Playing(processor)
    await until(lambda: any(stream.active for stream in library.streams))
    stream = library.streams[-1]
    assert processor.renewed == 1
    played = await turn(stream, 10)
    now = time.monotonic()
    assert [value for value, _ in processor.heard] == [value for value in played if value]
    times = [at for _, at in processor.heard]
    assert times == sorted(times)
    assert abs(times[-1] - now) < 1
    playing.loudspeaker.stop()
    before = len(processor.heard)
    await turn(stream, 3)
    assert len(processor.heard) == before


async def test_stop_plays_what_was_taken(library: FakeSoundDevice) -> None:
    playing, stream = await start(library)
    await turn(stream, 3)
    requested = playing.requested
    playing.loudspeaker.stop()
    played = await turn(stream, 6)
    assert requested in played
    assert played[-1] == 0
    assert playing.requested == requested
    await until(lambda: stream.closed)
    assert stream.ended_by == "stop"
    assert playing.loudspeaker.missed == 0


async def test_a_missing_device_pulls_at_its_pace_all_the_same(library: FakeSoundDevice) -> None:
    library.listed.clear()
    began = time.monotonic()
    playing = Playing()
    await until(lambda: playing.requested >= 10)
    assert time.monotonic() - began >= 9 * 0.02 - 0.01
    assert playing.troubles[0].startswith("The loudspeaker does not work: no loudspeaker was found")
    playing.loudspeaker.stop()
    requested = playing.requested
    await asyncio.sleep(0.06)
    assert playing.requested == requested


def test_a_loudspeaker_that_was_never_started_stops() -> None:
    Loudspeaker().stop()
