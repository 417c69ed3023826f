from __future__ import annotations

import asyncio
import logging
from typing import cast

import numpy as np
import pytest

from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.media.audio.clock import MOST_AT_ONCE, PacedInput, PacedOutput
from openvoice.ports import FRAME_SAMPLES, Frame
from tests.media.audio.virtual_time import VirtualLoop, run


class Source:
    def __init__(self, frames: int = 10**9) -> None:
        self.left = frames
        self.closed = 0

    def read(self) -> Frame | None:
        self.left -= 1
        if self.left == -2:
            raise OSError("a secret path")
        return np.zeros(FRAME_SAMPLES, np.int16) if self.left >= 0 else None

    def close(self) -> None:
        self.closed += 1


class Sink:
    def __init__(self, room: int = 10**9) -> None:
        self.times: list[float] = []
        self.room = room
        self.closed = 0

    def write(self, frame: Frame) -> None:
        if len(self.times) == self.room:
            raise OSError("disk full")
        self.times.append(asyncio.get_running_loop().time())

    def close(self) -> None:
        self.closed += 1


def silence() -> Frame:
    return np.zeros(FRAME_SAMPLES, np.int16)


def test_a_source_is_read_every_20_ms_on_a_grid_that_does_not_drift() -> None:
    async def main() -> None:
        loop, times = asyncio.get_running_loop(), []
        paced = PacedInput(Source())
        begin = loop.time()
        paced.start(lambda frame: times.append(loop.time() - begin), print)
        await asyncio.sleep(60.01)
        assert times == pytest.approx([n * 0.02 for n in range(3001)], abs=1e-6)
        paced.stop()
        await asyncio.sleep(1)
        assert len(times) == 3001

    run(main())


def test_after_a_stall_a_few_frames_are_made_up_for_and_the_rest_is_let_go() -> None:
    async def main() -> None:
        loop = cast("VirtualLoop", asyncio.get_running_loop())
        sink = Sink()
        paced = PacedOutput(sink)
        paced.start(silence, print)
        await asyncio.sleep(0.5)
        before = len(sink.times)
        loop.stall(10)
        await asyncio.sleep(0.001)
        assert len(sink.times) - before == MOST_AT_ONCE + 1
        await asyncio.sleep(1)
        assert len(sink.times) - before == pytest.approx(MOST_AT_ONCE + 51, abs=1)
        paced.stop()

    run(main())


def test_a_small_delay_is_made_up_for_in_full() -> None:
    async def main() -> None:
        loop = cast("VirtualLoop", asyncio.get_running_loop())
        sink = Sink()
        paced = PacedOutput(sink)
        paced.start(silence, print)
        for _ in range(50):
            await asyncio.sleep(0.1)
            loop.stall(0.05)
        await asyncio.sleep(0.0001)
        assert len(sink.times) == pytest.approx(7.5 / 0.02, abs=2)
        paced.stop()

    run(main())


def test_the_end_of_a_source_is_told_once() -> None:
    async def main() -> None:
        source, got = Source(3), list[Frame | None]()
        paced = PacedInput(source)
        paced.start(got.append, print)
        await asyncio.sleep(1)
        assert [frame is None for frame in got] == [False, False, False, True]
        paced.stop()
        paced.stop()
        assert source.closed == 1

    run(main())


def test_a_source_that_breaks_is_an_end_with_words(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        source, got, said = Source(-1), list[Frame | None](), list[DeviceChanged]()
        paced = PacedInput(source)
        with caplog.at_level(logging.DEBUG):
            paced.start(got.append, said.append)
            await asyncio.sleep(1)
        assert got == [None]
        assert [(one.direction, one.what) for one in said] == [(SoundDirection.INPUT, DeviceChange.FAILED)]
        assert "secret" not in said[0].text + caplog.text
        paced.stop()

    run(main())


def test_a_sink_that_breaks_is_told_once_and_left_alone() -> None:
    async def main() -> None:
        sink, said = Sink(room=5), list[DeviceChanged]()
        paced = PacedOutput(sink)
        paced.start(silence, said.append)
        await asyncio.sleep(1)
        assert len(sink.times) == 5
        assert [(one.direction, one.what) for one in said] == [(SoundDirection.OUTPUT, DeviceChange.FAILED)]
        paced.stop()
        paced.stop()
        assert sink.closed == 1

    run(main())


def test_a_pace_may_be_stopped_from_within() -> None:
    async def main() -> None:
        sink = Sink()
        paced = PacedOutput(sink)

        def request() -> Frame:
            paced.stop()
            return silence()

        paced.start(request, print)
        await asyncio.sleep(1)
        assert len(sink.times) == 1

    run(main())
