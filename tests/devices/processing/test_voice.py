from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from openvoice.core.inputs import DeviceChanged
from openvoice.core.processing import Processing
from openvoice.devices.processing.alignment import FIRST_BLOCKS
from openvoice.devices.processing.lead import LONGEST as LEAD
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.processing.webrtc import Block
from openvoice.errors import DeviceFailed
from tests.waiting import until


class Doubling:
    """Doubles what is captured, and notes what it was given."""

    def __init__(self, processing: Processing) -> None:
        self.far: list[Block | None] = []
        self.delays: list[float] = []

    def process(self, near: Block, far: Block | None, delay: float) -> Block:
        self.far.append(None if far is None else far.copy())
        self.delays.append(delay)
        return near * 2


class Call:
    """A processor between two devices that tell the right time; the loudspeaker is ``latency`` seconds ahead."""

    def __init__(self, processing: Processing | None = None, latency: float = 0.05) -> None:
        self.doubling = Doubling(processing or Processing())
        self.voice = VoiceProcessor(processing or Processing(), lambda _: self.doubling)
        self.latency = round(latency * 100)
        self.block = 0

    def play(self, value: int, samples: int = 480) -> None:
        self.voice.played(np.full(samples, value, np.int16), self.block * 0.01 + self.latency * 0.01)

    def turn(self, blocks: int, rate: int = 48_000) -> list[int]:
        """Play blocks of the number of their time, capture the same number; the first sample of each block sent."""
        sent = []
        for _ in range(blocks):
            self.play(self.block + self.latency, rate // 100)
            made = self.voice.captured(np.full(480, 7, np.int16), self.block * 0.01)
            sent.append(int(made[0]))
            self.block += 1
        return sent

    def heard(self) -> list[int]:
        """The middle of each block that the processor was told the loudspeaker plays."""
        return [int(far[240]) for far in self.doubling.far if far is not None]


async def started(call: Call) -> Call:
    call.voice.start(lambda report: pytest.fail(report.text))
    await until(lambda: call.voice.ready)
    return call


async def test_the_reference_is_what_will_be_heard_soon() -> None:
    call = await started(Call(latency=0.08))
    assert call.turn(100) == [14] * 100
    heard = call.heard()
    assert heard[: FIRST_BLOCKS - 1] == [0] * (FIRST_BLOCKS - 1)
    assert heard[20:] == [number + round(LEAD * 100) for number in range(20, 100)]
    assert set(call.doubling.delays) == {LEAD}


async def test_a_short_loudspeaker_is_heard_as_early_as_it_plays() -> None:
    call = await started(Call(latency=0.04))
    call.turn(300)
    assert call.doubling.delays[-1] == pytest.approx(0.02)
    assert call.heard()[-100:] == [number + 2 for number in range(200, 300)]


async def test_a_frame_is_processed_block_by_block() -> None:
    call = await started(Call())
    sent = call.voice.captured(np.arange(960, dtype=np.int16), 0.0)
    assert np.array_equal(sent, np.arange(960) * 2)
    assert len(call.doubling.far) == 2


async def test_until_it_is_loaded_sound_passes_as_it_is_and_in_time() -> None:
    gate = threading.Event()
    call = Call()

    def load(processing: Processing) -> Doubling:
        gate.wait(5)
        return call.doubling

    call.voice = VoiceProcessor(Processing(), load)
    call.voice.start(lambda report: pytest.fail(report.text))
    call.voice.start(lambda report: pytest.fail(report.text))
    assert call.turn(30) == [7] * 30
    gate.set()
    await until(lambda: call.voice.ready)
    assert call.turn(1) == [14]
    assert call.heard()[-1] != 0, "what was played meanwhile is known"


async def test_what_cannot_be_loaded_is_told_once_and_calls_go_on() -> None:
    told: list[DeviceChanged] = []

    def fail(processing: Processing) -> Doubling:
        raise DeviceFailed("the library for it is not installed: pip install 'openvoice[processing]'")

    voice = VoiceProcessor(Processing(level=False), fail)
    voice.start(told.append)
    voice.start(told.append)
    await until(lambda: len(told) == 1)
    await asyncio.sleep(0.01)
    assert [report.text for report in told] == [
        "The microphone is sent as it is, without care for echo and noise: "
        "the library for it is not installed: pip install 'openvoice[processing]'"
    ]
    frame = np.full(960, 5, np.int16)
    assert np.array_equal(voice.captured(frame, 0.0), frame)


async def test_what_fails_later_is_told_and_the_sound_goes_on() -> None:
    told: list[str] = []
    call = Call()
    call.voice.start(lambda change: told.append(change.text))
    await until(lambda: call.voice.ready)

    def fail(near: Block, far: Block | None, delay: float) -> Block:
        raise DeviceFailed("the library for it fails (RuntimeError)")

    call.doubling.process = fail  # type: ignore[method-assign]
    assert call.turn(3) == [7, 7, 7]
    assert told == [
        "The microphone is sent as it is, without care for echo, noise and level: "
        "the library for it fails (RuntimeError)"
    ]


async def test_another_device_is_another_clock() -> None:
    call = await started(Call(latency=0.08))
    call.turn(50)
    call.voice._alignment._drift = 0.01
    call.voice.renew()
    call.turn(50)
    assert abs(call.voice.drift) < 1e-4
    assert call.heard()[-20:] == [number + round(LEAD * 100) for number in range(80, 100)]


async def test_without_echo_the_loudspeaker_is_not_listened_to() -> None:
    call = await started(Call(Processing(echo=False)))
    call.turn(30)
    assert call.doubling.far == [None] * 30


def test_nothing_wanted_loads_nothing() -> None:
    voice = VoiceProcessor(Processing(echo=False, noise=False, level=False), lambda _: pytest.fail("it was loaded"))
    voice.start(lambda report: pytest.fail(report.text))
    assert not voice.ready


async def test_a_loudspeaker_that_stops_is_silence_and_another_one_is_taken_up() -> None:
    call = await started(Call(latency=0.08))
    call.turn(50)
    call.block += 50
    call.voice.captured(np.zeros(960, np.int16), call.block * 0.01)
    assert call.heard()[-2:] == [0, 0]
    call.turn(60, rate=16_000)
    assert call.heard()[-20:] == [number + round(LEAD * 100) for number in range(140, 160)]


async def test_without_a_loudspeaker_the_reference_is_silence() -> None:
    call = await started(Call())
    call.voice.captured(np.zeros(960, np.int16), 0.0)
    assert call.heard() == [0, 0]


async def test_other_processing_may_be_chosen_in_the_middle_of_a_block() -> None:
    call = await started(Call())

    class Exchanged(VoiceProcessor):
        """Another thread changes it after each look."""

        def __getattribute__(self, name: str) -> object:
            value: object = super().__getattribute__(name)
            if name == "_processor":
                self.change(Processing(noise=not self._processing.noise))
            return value

    call.voice.__class__ = Exchanged
    assert call.turn(2) == [14, 7]
