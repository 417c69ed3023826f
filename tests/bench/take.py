"""One end's view of a call of the bench: what was said and heard, and when."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.ndimage import median_filter

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame
from tests.bench.relay import LATE, Count
from tests.media.audio.sound import frames

_AROUND = 101
"""Blocks that tell what is usual in their middle: sound may be late from some moment on."""
_NEAR = SAMPLE_RATE
"""Samples around a place whose blocks tell when it was."""


@dataclass(frozen=True, slots=True)
class Clock:
    """When sound was: pairs of a sample's number and the time in seconds at which it was spoken or heard."""

    numbers: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]

    def at(self, number: int) -> float:
        """The time of a sample. Blocks are read late, never early, and seldom: the middle of many is right."""
        first, last = np.searchsorted(self.numbers, (number - _NEAR, number + _NEAR))
        if first == last:
            first, last = (0, 1) if first == 0 else (first - 1, first)
        begins = self.times[first:last] - self.numbers[first:last] / SAMPLE_RATE
        return float(np.median(begins)) + number / SAMPLE_RATE

    def stalls(self) -> int:
        """How many blocks were more than :data:`~tests.bench.relay.LATE` later than those around them."""
        late = self.times - self.numbers / SAMPLE_RATE
        return int(np.count_nonzero(late - median_filter(late, _AROUND, mode="nearest") > LATE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """``said`` counts from the begin of the script; ``heard`` from the first of ``samples``."""

    samples: Samples
    said: Clock
    heard: Clock
    concealed: float
    cpu_pct: float
    """Of one core, for both ends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    heard: Heard
    count: Count

    @property
    def stalls(self) -> int:
        return self.count.stalls + self.heard.said.stalls() + self.heard.heard.stalls()


@dataclass(slots=True)
class _Times:
    numbers: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def note(self, number: int) -> None:
        self.numbers.append(number)
        self.times.append(time.time())

    def clock(self) -> Clock:
        return Clock(np.array(self.numbers), np.array(self.times))


class Mouth:
    """A source that notes when each frame had been spoken: its end is now."""

    def __init__(self, sound: Samples) -> None:
        self._frames = iter(frames(sound))
        self._times = _Times()
        self._spoken = 0

    def read(self) -> Frame | None:
        frame = next(self._frames, None)
        if frame is not None:
            self._spoken += FRAME_SAMPLES
            self._times.note(self._spoken)
        return frame

    def close(self) -> None: ...

    def clock(self) -> Clock:
        return self._times.clock()


class Ear:
    """A sink that notes when each frame was heard: its begin is now."""

    def __init__(self) -> None:
        self._frames: list[Frame] = []
        self._times = _Times()

    def write(self, frame: Frame) -> None:
        self._times.note(len(self._frames) * FRAME_SAMPLES)
        self._frames.append(frame)

    def close(self) -> None: ...

    def clock(self) -> Clock:
        return self._times.clock()

    def samples(self) -> Samples:
        return np.concatenate(self._frames)


class Silence:
    """A source and a sink of nothing."""

    def read(self) -> Frame:
        return np.zeros(FRAME_SAMPLES, np.int16)

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...
