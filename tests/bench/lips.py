"""How late pictures and voice are, and how well they fit: a flash and a click every second, from one side of a call to
the other on loopback, in real time, over a path that is impaired. Displays and loudspeakers are not part of it.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import math
import statistics
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from openvoice.core import inputs
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import Role, VideoLabel
from openvoice.media.video.stamp import age, read_stamp, write_stamp
from openvoice.ports import (
    FRAME_SAMPLES,
    FRAME_SECONDS,
    SAMPLE_RATE,
    Frame,
    MediaSettings,
    Picture,
    PictureFormat,
    VideoReport,
)
from openvoice.testing.impairment import Conditions
from tests.media.peers import LOOPBACK, Pair, impair

RATE = 30
PATHS = {
    "clean": Conditions(),
    "40 ms": Conditions(delay=0.04),
    "40 ms, 5 % lost": Conditions(delay=0.04, loss=0.05),
    "40 ms, 30 ms of jitter": Conditions(delay=0.055, jitter=0.015),
    "40 ms, 60 ms of jitter": Conditions(delay=0.07, jitter=0.03),
    "40 ms, 100 ms of jitter, 2 % lost": Conditions(delay=0.09, jitter=0.05, loss=0.02),
}
_WARM_UP = 8.0
"""Seconds that are not counted: the path is being found out."""
_LOUD, _BRIGHT = 6000, 160


def _clicks(begin: float) -> Frame:
    """The sound of 20 ms from ``begin`` on: a click of 4 ms at every whole second."""
    times = begin + np.arange(FRAME_SAMPLES) / SAMPLE_RATE
    since = times - np.floor(times + 1e-9)
    sound = np.where(since < 0.004, 20_000 * np.sin(2 * np.pi * 2000 * since), 0)
    return sound.astype(np.int16)


class Metronome:
    """A microphone that hears clicks: each frame is given when its last sample was heard."""

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        self._deliver(_clicks(self._due - FRAME_SECONDS))
        self._due += FRAME_SECONDS
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> None:
        self._timer.cancel()


class Ear:
    """A loudspeaker without latency, which notes when a click begins."""

    def __init__(self) -> None:
        self.clicks: list[float] = []

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        loud = np.flatnonzero(np.abs(self._request()) > _LOUD)
        heard = self._due + int(loud[0]) / SAMPLE_RATE if len(loud) else 0.0
        if heard and (not self.clicks or heard - self.clicks[-1] > 0.5):
            self.clicks.append(heard)
        self._due += FRAME_SECONDS
        self._timer = self._loop.call_at(self._due, self._tick)

    def stop(self) -> None:
        self._timer.cancel()


class Flashes:
    """A camera that sees a flash of 100 ms at every whole second, and writes the time into each picture."""

    def __init__(self, wanted: PictureFormat) -> None:
        self._wanted = wanted
        self._stopping = threading.Event()

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self._deliver = deliver
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        width, height = self._wanted.width, self._wanted.height
        still = np.full((height * 3 // 2, width), 128, np.uint8)
        # A gradient with some noise: what a camera sees is never flat.
        still[:height] = np.linspace(40, 110, width).astype(np.uint8)
        noise = np.random.default_rng(1).integers(0, 6, (8, height, width), np.uint8)
        number = math.ceil(time.monotonic() * RATE)
        while not self._stopping.wait(max(0.0, number / RATE - time.monotonic())):
            data = still.copy()
            data[:height] += noise[number % 8]
            if number % RATE < RATE // 10:
                data[height // 4 : height * 3 // 4] = 235
            write_stamp(data, round(number / RATE * 1000))
            self._deliver(Picture(data, number / RATE))
            number += 1

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(1)


@dataclass
class Eye:
    """A display without latency: when it shows what, and when a flash begins."""

    shown: list[float] = field(default_factory=list)
    ages: list[int] = field(default_factory=list)
    flashes: list[float] = field(default_factory=list)
    _was_bright: bool = False

    def write(self, picture: Picture) -> None:
        now = time.monotonic()
        stamp = read_stamp(picture)
        if stamp is not None:
            self.ages.append(age(stamp, round(now * 1000)))
        self.shown.append(now)
        middle = picture.data[picture.height // 2 - 2 : picture.height // 2 + 2]
        bright = float(middle.mean()) > _BRIGHT
        if bright and not self._was_bright:
            self.flashes.append(now)
        self._was_bright = bright

    def close(self) -> None:
        """Nothing to let go."""


async def measure(conditions: Conditions, wanted: PictureFormat, seconds: float, seed: int) -> dict[str, float]:
    """One call, with pictures both ways; figures of one direction, in milliseconds."""
    ears, eyes = [Ear(), Ear()], [Eye(), Eye()]

    def settings(number: int) -> MediaSettings:
        return MediaSettings(
            input=Metronome,
            output=lambda: ears[number],
            interfaces=(LOOPBACK,),
            video_input=lambda label: Flashes(wanted),
            video_output=lambda label: eyes[number],
            video_format=wanted,
        )

    pair = Pair(settings(0), settings(1))
    offer = await pair.caller.media.open(Role.INITIATOR, None, video=True)
    pair.caller.media.announce()
    answer = await pair.callee.media.open(Role.RESPONDER, offer, video=True)
    pair.callee.media.announce()
    await pair.caller.media.apply_answer(answer)
    for side in pair.sides:
        await side.says(inputs.MediaSecured)
    impair(pair, conditions, seed)
    await pair.flow()
    for side in pair.sides:
        await side.media.show(VideoLabel.CAMERA, "1")
    begun, worked = time.monotonic(), time.process_time()
    await asyncio.sleep(seconds + _WARM_UP)
    elapsed, worked = time.monotonic() - begun, time.process_time() - worked
    received = pair.callee.media.statistics().video[0].received
    await pair.close()
    since = begun + _WARM_UP
    eye, ear = eyes[1], ears[1]
    shown = [moment for moment in eye.shown if moment >= since]
    ages = eye.ages[-len(shown) :]
    gaps = [after - before for before, after in itertools.pairwise(shown)]
    skews = [
        1000 * (flash - min(ear.clicks, key=lambda click: abs(click - flash)))
        for flash in eye.flashes
        if flash >= since and any(abs(click - flash) < 0.5 for click in ear.clicks)
    ]
    voice = [1000 * (click - math.floor(click)) for click in ear.clicks if click >= since]
    return {
        "picture": statistics.median(ages),
        "picture_95": sorted(ages)[int(0.95 * len(ages))],
        "voice": statistics.median(voice) if voice else math.nan,
        "skew": statistics.median(skews) if skews else math.nan,
        "skew_least": min(skews, default=math.nan),
        "skew_most": max(skews, default=math.nan),
        "within_60": sum(abs(skew) <= 60 for skew in skews) / max(1, len(skews)),
        "gap": 1000 * max(gaps),
        "freezes": received.freezes,
        "rate": len(shown) / seconds,
        "kbit": received.bitrate,
        "cpu": 100 * worked / elapsed,
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench lips", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each call")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--paths", default=";".join(PATHS), help="names, parted by semicolons")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    wanted = PictureFormat(width=options.width, height=options.height, rate=RATE)
    columns = ("picture", "95 %", "voice", "lips behind voice", "from", "to", "within 60", "longest gap", "freezes")
    sys.stdout.write("| path | " + " | ".join(columns) + " | pictures/s | kbit/s | CPU % |\n")
    for name, conditions in PATHS.items():
        if name in options.paths.split(";"):
            figures = asyncio.run(measure(conditions, wanted, options.seconds, options.seed))
            row = (f"{figure:.2f}" if key == "within_60" else f"{figure:.0f}" for key, figure in figures.items())
            sys.stdout.write(f"| {name} | " + " | ".join(row) + " |\n")
            sys.stdout.flush()
    return 0
