"""What pictures and voice make of narrow paths: a call on loopback, in real time, second by second.

Both sides are in one process, voice goes both ways and pictures one way, from a source as hard to code as named.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from openvoice.core import inputs
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.media.video.sources.thread import Run, ThreadSource
from openvoice.ports import MediaSettings, Picture, PictureFormat
from openvoice.testing.impairment import Conditions
from tests.media.peers import LOOPBACK, Microphone, Pair, Speaker, impair

_PERIOD = 90
_WARM_UP = 1.5
"""Seconds of voice alone."""


@dataclass(frozen=True, kw_only=True)
class Row:
    conditions: Conditions
    seconds: int = 25
    format: PictureFormat = field(default_factory=PictureFormat)
    then: dict[int, float] = field(default_factory=dict)
    """Other rates of the path, kbit/s, from those seconds on."""
    noise: bool = False


ROWS = {
    "300": Row(conditions=Conditions(rate=300, delay=0.02)),
    "3000": Row(conditions=Conditions(rate=3000, delay=0.02), format=PictureFormat(width=1280, height=720)),
    "step": Row(conditions=Conditions(rate=3000, delay=0.02), seconds=40, then={12: 300, 24: 3000}),
    "lossy": Row(conditions=Conditions(rate=3000, delay=0.04, loss=0.05)),
    "noise": Row(conditions=Conditions(rate=1000, delay=0.02), noise=True),
}


class Wandering(ThreadSource):
    """A rough surface that wanders by, thirty times a second, or nothing but noise."""

    noun = "wandering surface"

    def __init__(self, size: PictureFormat, *, noise: bool) -> None:
        super().__init__()
        self._pictures = _noise(size) if noise else _surface(size)

    def _run(self, run: Run, wanted: PictureFormat) -> None:
        begun, number = time.monotonic(), 0
        while not run.stopping.is_set():
            if run.wait_until(begun + number / 30):
                run.deliver(Picture(self._pictures[number % len(self._pictures)], time.monotonic()))
            number += 1


def _surface(size: PictureFormat) -> list[npt.NDArray[np.uint8]]:
    dice = np.random.default_rng(1)
    coarse = dice.integers(0, 255, (size.height // 8 + 40, size.width // 8 + 40)).astype(np.float32)
    surface = np.kron(coarse, np.ones((8, 8), np.float32))
    for axis in (0, 1):
        surface = np.mean([np.roll(surface, shift, axis) for shift in range(9)], axis=0)
    surface += dice.normal(0, 6, surface.shape)
    pictures = []
    for number in range(_PERIOD):
        angle = 2 * np.pi * number / _PERIOD
        left, top = int(60 + 50 * np.sin(angle)), int(60 + 30 * np.cos(2 * angle))
        pictures.append(_grey(surface[top : top + size.height, left : left + size.width]))
    return pictures


def _noise(size: PictureFormat) -> list[npt.NDArray[np.uint8]]:
    dice = np.random.default_rng(1)
    return [_grey(dice.integers(16, 235, (size.height, size.width)).astype(np.float32)) for _ in range(_PERIOD)]


def _grey(light: npt.NDArray[np.floating]) -> npt.NDArray[np.uint8]:
    height, width = light.shape
    data = np.full((height * 3 // 2, width), 128, np.uint8)
    data[:height] = np.clip(light, 16, 235)
    return data


class _Display:
    def write(self, picture: Picture) -> None: ...

    def close(self) -> None: ...


async def _call(row: Row) -> list[tuple[CallStatistics, CallStatistics]]:
    """The statistics of both sides, of who shows first, at the end of each second."""
    of = MediaSettings(
        input=Microphone,
        output=Speaker,
        interfaces=(LOOPBACK,),
        video_input=lambda _: Wandering(row.format, noise=row.noise),
        video_output=lambda _: _Display(),
        video_format=row.format,
    )
    pair = Pair(of, of)
    shower, watcher = (side.media for side in pair.sides)
    offer = await shower.open(Role.INITIATOR, None, video=True)
    shower.announce()
    answer = await watcher.open(Role.RESPONDER, offer, video=True)
    watcher.announce()
    await shower.apply_answer(answer)
    await pair.flow()
    up, down = impair(pair, row.conditions)
    down.conditions = Conditions(delay=row.conditions.delay)
    await asyncio.sleep(_WARM_UP)
    await shower.show(VideoLabel.CAMERA, "1")
    seconds = []
    for second in range(row.seconds):
        if second in row.then:
            up.conditions = replace(up.conditions, rate=row.then[second])
        await asyncio.sleep(1)
        seconds.append((shower.statistics(), watcher.statistics()))
    assert not pair.callee.has_said(inputs.MediaFailed)
    for side in pair.sides:
        await side.media.close()
    return seconds


def _print(name: str, seconds: list[tuple[CallStatistics, CallStatistics]]) -> None:
    sys.stdout.write(f"{name}\nsecond available kbit/s width sent shown limited-by voice-kbit/s concealed-%\n")
    shown = 0
    for second, (shower, watcher) in enumerate(seconds):
        sent, received = shower.video[0].sent, watcher.video[0].received
        sys.stdout.write(
            f"{second:6} {sent.available:9.0f} {sent.bitrate:6.0f} {sent.width:5} {sent.frames_per_second:4.0f}"
            f" {received.frames_decoded - shown:5} {sent.limited_by:10} {shower.bitrate_sent:12.0f}"
            f" {100 * watcher.concealed:11.2f}\n"
        )
        shown = received.frames_decoded
    received = seconds[-1][1].video[0].received
    sys.stdout.write(f"stood still {received.freezes} times, {received.freeze_seconds:.1f} s\n\n")


def main(arguments: list[str]) -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench narrow", description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help="all of them, if none is named")
    for name in parser.parse_args(arguments).rows or ROWS:
        _print(name, asyncio.run(_call(ROWS[name])))
    return 0
