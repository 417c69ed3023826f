"""Which sample of the loudspeaker is heard while a sample of the microphone is captured.

Both devices count samples by clocks of their own, and tell the time of a block with an error of a millisecond or so.
What echo cancellation needs is far steadier: a place that moves by a tenth of a sample from block to block spoils it.
So one filter (Kalman's, of place and drift) learns from every block, and the place in use glides after it.
"""

from __future__ import annotations

import statistics

BLOCK_SAMPLES = 480
"""One step: 10 ms of the microphone's sound at 48 kHz."""
FIRST_BLOCKS = 10
"""A time told once may be wrong by much; the median of these in a row is where the filter begins, or begins anew."""
ERROR = 48.0
"""Samples by which a time told is wrong at the least: 1 ms. On a busy machine it is more: surprises say how much."""
REMEMBERED = 0.99
"""From block to block, of how wrong times were."""
BELIEVED = 3 * ERROR
"""What is told further away than that counts as if it were no further."""
ELSEWHERE = 240.0
"""What is told so far away, 5 ms, teaches nothing: unless it goes on, for then a stream began anew, or lost sound."""
UNKNOWN_DRIFT = 300e-6
"""Sound cards differ by so much; a learner of it should not be surprised by three times that."""
KNOWN_DRIFT = 100e-6
"""No better is it known after a stream began anew."""
WANDERING = 5e-8
"""By how much the drift itself may change from block to block: warm clocks run otherwise than cold ones."""
GLIDE = 0.01
"""The share of the way to the filter's place that is made up in one block."""


class Alignment:
    """One pair of devices. Places are counted in samples of the loudspeaker's sound, brought to a nominal 48 kHz."""

    def __init__(self) -> None:
        self._drift = 0.0
        self._drift_variance = UNKNOWN_DRIFT**2
        self._place: float | None = None
        self._error = ERROR
        self._gathered: list[float] = []
        """Places told in a row that the filter does not believe (yet), each brought to the time of the first."""
        self._estimate = 0.0
        self._variance = 0.0
        self._covariance = 0.0

    @property
    def drift(self) -> float:
        """By how much the loudspeaker's clock is faster than the microphone's, as far as is known: 1e-6 is 1 ppm."""
        return self._drift

    def follow(self, told: float) -> tuple[float, float] | None:
        """Take the place that the clocks tell for the next block; return the one to use, and the step from sample to
        sample in it. ``None`` as long as too little is known.
        """
        if self._place is not None:
            self._learn(told)
        else:
            self._gather(told)
        if self._place is None:
            return None
        start = self._place
        step = 1 + self._drift + GLIDE * (self._estimate - start) / BLOCK_SAMPLES
        self._place = start + BLOCK_SAMPLES * step
        return start, step

    def move(self, samples: float) -> None:
        """From now on use a place so much later. The drift stays known."""
        self._gathered = [place + samples for place in self._gathered]
        self._estimate += samples
        if self._place is not None:
            self._place += samples

    def _gather(self, told: float) -> None:
        self._gathered.append(told - self._pace * len(self._gathered))
        if len(self._gathered) == FIRST_BLOCKS:
            self._place = self._estimate = statistics.median(self._gathered) + self._pace * (FIRST_BLOCKS - 1)
            self._variance, self._covariance = ERROR**2 / 4, 0.0
            self._drift_variance = max(self._drift_variance, KNOWN_DRIFT**2)
            self._gathered.clear()

    @property
    def _pace(self) -> float:
        return BLOCK_SAMPLES * (1 + self._drift)

    def _learn(self, told: float) -> None:
        self._estimate += self._pace
        self._variance += 2 * BLOCK_SAMPLES * self._covariance + BLOCK_SAMPLES**2 * self._drift_variance
        self._covariance += BLOCK_SAMPLES * self._drift_variance
        self._drift_variance += WANDERING**2
        surprise = told - self._estimate
        self._error += (1 - REMEMBERED) * (2 * min(abs(surprise), 2 * ELSEWHERE) - self._error)
        if abs(surprise) > ELSEWHERE:
            self._gather(told)
            return
        self._gathered.clear()
        surprise = max(-BELIEVED, min(BELIEVED, surprise))
        total = self._variance + max(ERROR, self._error) ** 2
        gain, drift_gain = self._variance / total, self._covariance / total
        self._estimate += gain * surprise
        self._drift += drift_gain * surprise
        self._drift_variance -= drift_gain * self._covariance
        self._covariance *= 1 - gain
        self._variance *= 1 - gain
