"""A test pattern: bars of colour, something that moves, a number that counts, and a time stamp."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from openvoice.media.video.conversion import fitted, planes
from openvoice.media.video.sources.thread import Run, ThreadSource
from openvoice.media.video.stamp import write_stamp
from openvoice.ports import Picture, PictureFormat

_BARS = ((180, 128, 128), (162, 44, 142), (131, 156, 44), (112, 72, 58), (84, 184, 198), (65, 100, 212), (35, 212, 114))
"""Y, U and V of white, yellow, cyan, green, magenta, red and blue at three quarters."""
_GLYPHS = (
    "111101101101111",
    "010110010010111",
    "111001111100111",
    "111001111001111",
    "101101111001001",
    "111100111001111",
    "111100111101111",
    "111001001001001",
    "111101111101111",
    "111101111001111",
)
"""The figures 0 to 9: five rows of three dots."""
FIGURES = 6
MOST_RATE = 120.0


class PatternSource(ThreadSource):
    """The pattern in whatever format is wanted, without end. ``clock`` is Unix time, for the stamp."""

    noun = "test pattern"

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        super().__init__()
        self._clock = clock

    def _run(self, run: Run, wanted: PictureFormat) -> None:
        pattern = Pattern(wanted)
        rate = min(max(wanted.rate, 1.0), MOST_RATE)
        begun, number = time.monotonic(), 0
        while not run.stopping.is_set():
            if run.wait_until(begun + number / rate):
                run.deliver(Picture(pattern.draw(number, round(self._clock() * 1000)), time.monotonic()))
            number += 1


class Pattern:
    """Draws the pattern in one format."""

    def __init__(self, wanted: PictureFormat) -> None:
        self.width, self.height = fitted(wanted.width, wanted.height, wanted)
        self._still = np.empty((self.height * 3 // 2, self.width), np.uint8)
        for plane, values in zip(planes(self._still), np.array(_BARS, np.uint8).T, strict=True):
            plane[:] = values[np.arange(plane.shape[1]) * len(_BARS) // plane.shape[1]]
        self._dot = max(2, self.height // 60 * 2)

    def draw(self, number: int, milliseconds: int) -> npt.NDArray[np.uint8]:
        """The picture with this number, as I420."""
        data = self._still.copy()
        luma = planes(data)[0]
        self._move(luma, number)
        self._count(luma, number)
        write_stamp(data, milliseconds)
        return data

    def _move(self, luma: npt.NDArray[np.uint8], number: int) -> None:
        bar, top = max(2, self.width // 40), self.height * 2 // 3
        left = number * max(1, self.width // 160) % max(1, self.width - bar)
        luma[top:, left : left + bar] = 235

    def _count(self, luma: npt.NDArray[np.uint8], number: int) -> None:
        dot, top = self._dot, self.height // 4
        left = max(0, (self.width - FIGURES * 4 * dot) // 2)
        luma[top - dot : top + 6 * dot, max(0, left - dot) : left + FIGURES * 4 * dot] = 16
        for place, figure in enumerate(f"{number % 10**FIGURES:0{FIGURES}d}"):
            dots = np.frombuffer(_GLYPHS[int(figure)].encode(), np.uint8).reshape(5, 3) - ord("0")
            shown = np.kron(dots * np.uint8(219) + np.uint8(16), np.ones((dot, dot), np.uint8))
            column = left + place * 4 * dot
            field = luma[top : top + 5 * dot, column : column + 3 * dot]
            field[:] = shown[: field.shape[0], : field.shape[1]]
