"""When the sound of a block is heard or was captured, on one clock for all devices."""

from __future__ import annotations

import time
from typing import Any

from openvoice.devices.line import BLOCKS_PER_SECOND

FORGOTTEN = 2e-5
"""Seconds by which the earliest call is believed less with each that follows: clocks differ, and are set."""
STEP = 0.5
"""Seconds; a call that is so late is none: the clock of the stream was set."""
LONGEST = 2.0
"""Seconds; a sound system that tells a longer way to or from its device does not know it."""


class BlockTimes:
    """Times of the blocks of one stream, in seconds of ``time.monotonic()``.

    Each stream of PortAudio may have a clock of its own, and each call comes a little after it was read: what is
    between the two clocks is what the earliest of the last calls say. Some sound systems leave the times out: then
    ``latency`` of the stream, in seconds, stands in for them.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency
        self._between = 0.0

    def captured(self, told: Any) -> float:
        """When the first sample of an input block was captured; ``told`` is PortAudio's, and may be ``None``.

        That is a block ago at the least, whatever is told: some sound systems speak of the last sample.
        """
        now, way = self._way(told, "inputBufferAdcTime", -1)
        return now - max(1 / BLOCKS_PER_SECOND, way)

    def heard(self, told: Any) -> float:
        """When the first sample of an output block is heard."""
        now, way = self._way(told, "outputBufferDacTime", 1)
        return now + way

    def _way(self, told: Any, name: str, sign: int) -> tuple[float, float]:
        """When PortAudio read its clock, and how long the sound then takes to the device or took from it."""
        now = time.monotonic()
        if told is None or not told.currentTime:
            return now, self.latency
        between = now - told.currentTime
        known = self._between + FORGOTTEN
        self._between = known if known < between < known + STEP else between
        there = getattr(told, name)
        way = sign * (there - told.currentTime)
        return told.currentTime + self._between, way if there and 0 <= way < LONGEST else self.latency
