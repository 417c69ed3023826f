"""What a loudspeaker played, kept for as long as its echo may come back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.devices.line import BLOCKS_PER_SECOND
from openvoice.devices.processing.interpolation import REACH, Interpolator, Sound
from openvoice.devices.resampler import FrameResampler
from openvoice.devices.ringbuffer import RingBuffer
from openvoice.ports import SAMPLE_RATE

BLOCK_SAMPLES = SAMPLE_RATE // BLOCKS_PER_SECOND
RING_BLOCKS = 100
KEPT = 2 * SAMPLE_RATE


class Reference:
    """The sound of one loudspeaker that takes blocks of ``block_samples``, 10 ms, at the rate of its own.

    The device's thread calls :meth:`played`, which copies into memory made before; all else is the media loop's.
    Places count samples at a nominal 48 kHz from the first one played.
    """

    def __init__(self, block_samples: int) -> None:
        self.block_samples = block_samples
        self._ring = RingBuffer(RING_BLOCKS * block_samples)
        self._told: tuple[int, float] | None = None
        self._block = np.zeros(block_samples, np.int16)
        self._resample = FrameResampler(block_samples, BLOCK_SAMPLES)
        self._interpolate = Interpolator()
        self._kept = np.zeros(2 * KEPT, np.float32)
        self._filled = REACH
        self._first = -REACH
        """The place of the first sample kept: before the first one played there was silence."""

    def played(self, samples: npt.NDArray[np.int16], time: float) -> None:
        """``samples`` are heard from ``time`` on, in seconds. Runs on the device's thread."""
        index = self._ring.written
        self._ring.write(samples)
        self._told = (index, time)

    def take_in(self) -> None:
        """Fetch what was played since the last time."""
        while self._ring.available >= self.block_samples:
            self._ring.read(self._block)
            if self._filled + BLOCK_SAMPLES > len(self._kept):
                gone = self._filled - KEPT
                self._kept[:KEPT] = self._kept[gone : self._filled]
                self._first += gone
                self._filled = KEPT
            self._kept[self._filled : self._filled + BLOCK_SAMPLES] = self._resample(self._block)
            self._filled += BLOCK_SAMPLES

    @property
    def end(self) -> int:
        """The place after the last sample that can be read."""
        return self._first + self._filled - REACH

    def heard_at(self, time: float) -> float | None:
        """The place that is heard at ``time``, by the last thing the device told; ``None`` before it told anything."""
        if self._told is None:
            return None
        index, heard = self._told
        return index * BLOCK_SAMPLES / self.block_samples + (time - heard) * SAMPLE_RATE

    def read(self, start: float, step: float) -> Sound | None:
        """10 ms from the place ``start`` on; ``None`` if they were not all played yet, or are long gone."""
        if start < self._first + REACH or start + step * BLOCK_SAMPLES > self.end:
            return None
        return self._interpolate(self._kept[: self._filled], start - self._first, step, BLOCK_SAMPLES)
