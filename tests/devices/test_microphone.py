from __future__ import annotations

import asyncio
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.devices.microphone import Microphone
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.ports import FRAME_SAMPLES, AudioInput, Frame
from tests.devices.fake_sounddevice import FakeSoundDevice, FakeStream
from tests.waiting import until


class Recording:
    """A started microphone and what came of it."""

    def __init__(self, device: str | int | None = None, processor: VoiceProcessor | None = None) -> None:
        self.frames: list[Frame] = []
        self.reports: list[DeviceChanged] = []
        self.microphone = Microphone(device, processor)
        port: AudioInput = self.microphone
        port.start(self._take, self.reports.append)

    @property
    def troubles(self) -> list[str]:
        return [report.text for report in self.reports]

    def _take(self, frame: Frame | None) -> None:
        assert frame is not None
        self.frames.append(frame)

    def values(self) -> list[int]:
        """The first sample of each frame that is not silence."""
        return [int(frame[0]) for frame in self.frames if frame.any()]


async def stream_of(library: FakeSoundDevice, number: int = 1) -> FakeStream:
    await until(lambda: sum(stream.active for stream in library.streams) == 1 and len(library.streams) >= number)
    return library.streams[-1]


@pytest.fixture(autouse=True)
def connected(library: FakeSoundDevice) -> None:
    library.add("Built-in Audio", 2, 2)
    library.defaults = [0, 0]


async def test_blocks_become_frames(library: FakeSoundDevice) -> None:
    recording = Recording()
    stream = await stream_of(library)
    assert (stream.settings["samplerate"], stream.settings["channels"], stream.settings["blocksize"]) == (48000, 1, 480)
    assert (stream.settings["latency"], stream.settings["dtype"]) == ("low", "int16")
    for value in (1, 1, 2, 2, 3):
        stream.turn(value)
        await asyncio.sleep(0)
    await until(lambda: recording.values() == [1, 2])
    assert all(frame.shape == (FRAME_SAMPLES,) and frame.dtype == np.int16 for frame in recording.frames)
    recording.microphone.stop()
    assert recording.troubles == []
    assert recording.microphone.missed == 0


class Negating(VoiceProcessor):
    def __init__(self) -> None:
        super().__init__(Processing(echo=False, noise=False, level=False))
        self.times: list[float] = []
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1

    def captured(self, samples: Frame, time: float) -> Frame:
        self.times.append(time)
        return -samples


async def test_what_the_processor_makes_of_it_is_delivered(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    processor = Negating()
    recording = Recording(processor=processor)
    stream = await stream_of(library)
    assert processor.renewed == 1
    now = 1000.0
    monkeypatch.setattr("openvoice.devices.moment.time", SimpleNamespace(monotonic=lambda: now))
    for value in (1, 1, 2, 2, 3, 3):
        stream.turn(value)
        now += 0.01
    await until(lambda: recording.values() == [-1, -2, -3])
    # The first sample of a block was captured a block before it came, or longer ago: the stream says 10 ms.
    assert processor.times == pytest.approx([999.99, 1000.01, 1000.03])
    recording.microphone.stop()


async def test_nothing_is_delivered_after_stop(library: FakeSoundDevice) -> None:
    recording = Recording()
    stream = await stream_of(library)
    stream.turn(1)
    stream.turn(1)
    recording.microphone.stop()
    stream.turn(2)
    stream.turn(2)
    before = len(recording.frames)
    await until(lambda: stream.closed)
    await asyncio.sleep(0.05)
    assert len(recording.frames) == before
    assert recording.values() == []


async def test_a_stop_while_the_device_opens_still_closes_it(library: FakeSoundDevice) -> None:
    recording = Recording()
    recording.microphone.stop()
    await until(lambda: all(stream.closed for stream in library.streams))
    for stream in library.streams:
        stream.turn(1)
        stream.turn(1)
    await asyncio.sleep(0.05)
    assert recording.values() == []


def test_a_microphone_that_was_never_started_stops() -> None:
    Microphone().stop()


async def test_the_loop_is_woken_once_for_all_that_waits(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording()
    stream = await stream_of(library)
    loop = asyncio.get_running_loop()
    real, wakes = loop.call_soon_threadsafe, 0

    def count(*words: Any) -> Any:
        nonlocal wakes
        wakes += 1
        return real(*words)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    for _ in range(6):
        stream.turn(1)
    assert wakes == 1
    await until(lambda: len(recording.values()) == 3)
    recording.microphone.stop()


async def test_a_late_loop_gets_the_newest_sound_only(library: FakeSoundDevice) -> None:
    recording = Recording()
    stream = await stream_of(library)
    for value in range(1, 31):
        stream.turn(value)
    await until(lambda: len(recording.values()) > 0)
    # The ring holds 20 blocks; of those the last frame is kept.
    assert recording.values() == [19]
    assert recording.microphone.missed == 30 * 480 - FRAME_SAMPLES
    recording.microphone.stop()


async def test_stereo_at_another_rate_is_converted(library: FakeSoundDevice) -> None:
    library.listed[0]["default_samplerate"] = 44_100.0
    library.refuse = lambda settings: settings["samplerate"] == 48_000 or settings["channels"] == 1
    recording = Recording()
    stream = await stream_of(library)
    assert (stream.settings["samplerate"], stream.settings["channels"]) == (44_100, 2)
    for _ in range(6):
        stream.turn(1000)
        await asyncio.sleep(0.002)
    await until(lambda: len(recording.values()) == 3)
    assert recording.frames[-1].shape == (FRAME_SAMPLES,)
    assert np.abs(recording.frames[-1] - 1000.0).max() <= 1
    recording.microphone.stop()


async def test_channels_are_mixed(library: FakeSoundDevice) -> None:
    library.refuse = lambda settings: settings["channels"] == 1
    recording = Recording()
    stream = await stream_of(library)
    for _ in range(2):
        block = np.tile(np.array([30_000, 20_000], np.int16), (480, 1))
        stream.settings["callback"](block, 480, None, None)
    await until(lambda: len(recording.values()) == 1)
    assert recording.values() == [25_000]
    recording.microphone.stop()


async def test_a_missing_device_is_silence_at_its_pace_and_comes_back(library: FakeSoundDevice) -> None:
    present = library.listed.pop()
    began = time.monotonic()
    recording = Recording()
    await until(lambda: len(recording.frames) >= 10)
    assert time.monotonic() - began >= 9 * 0.02 - 0.01
    assert recording.values() == []
    assert recording.troubles == [
        "The microphone does not work: no microphone was found: connect one, or use a file instead"
    ]
    assert library.renewed > 0
    library.listed.append(present)
    stream = await stream_of(library)
    await until(lambda: len(recording.troubles) == 2)
    assert recording.troubles[1] == "The microphone works again."
    stream.turn(7)
    stream.turn(7)
    await until(lambda: recording.values() == [7])
    recording.microphone.stop()


async def test_a_vanished_device_is_told_once_and_replaced_by_silence(library: FakeSoundDevice) -> None:
    recording = Recording()
    stream = await stream_of(library)
    stream.turn(1)
    present = library.listed.pop()
    stream.active = False
    await until(lambda: len(recording.troubles) == 2)
    before = len(recording.frames)
    await until(lambda: len(recording.frames) >= before + 5)
    assert recording.troubles[0] == "The microphone is gone; the call goes on without it until it is back."
    assert stream.closed
    assert stream.ended_by == "abort"
    library.listed.append(present)
    await stream_of(library, 2)
    await until(lambda: len(recording.troubles) == 3)
    recording.microphone.stop()


async def test_a_device_that_falls_silent_is_given_up(
    library: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openvoice.devices.stream.LIFELESS_SECONDS", 0.05)
    recording = Recording()
    await until(lambda: len(library.streams) >= 2)
    assert library.streams[0].closed
    assert recording.troubles[0] == "The microphone is gone; the call goes on without it until it is back."
    recording.microphone.stop()


async def test_a_device_that_refuses_is_trouble_and_no_exception(library: FakeSoundDevice) -> None:
    library.start_error = "Device unavailable"
    recording = Recording()
    await until(lambda: len(recording.troubles) == 1)
    assert recording.troubles == ["The microphone does not work: the sound system refuses: Device unavailable"]
    await until(lambda: len(library.streams) >= 4)
    assert all(stream.closed for stream in library.streams[:-1])
    assert len(recording.troubles) == 1
    recording.microphone.stop()


async def test_an_ambiguous_name_is_trouble_that_lists_the_devices(library: FakeSoundDevice) -> None:
    library.add("Built-in Line", 1, 0)
    recording = Recording("built")
    await until(lambda: len(recording.troubles) == 1)
    assert "'Built-in Audio' (0), 'Built-in Line' (1)" in recording.troubles[0]
    recording.microphone.stop()


def test_a_forgotten_device_ends_with_its_loop(library: FakeSoundDevice) -> None:
    async def forget() -> FakeStream:
        Recording()
        return await stream_of(library)

    stream = asyncio.run(forget())
    stream.turn(1)
    stream.turn(1)
    deadline = time.monotonic() + 5
    while not stream.closed:
        assert time.monotonic() < deadline
        time.sleep(0.01)
