"""When the sound of a block is heard or was captured, on one clock for all devices."""

from __future__ import annotations

import time
from typing import Any

from openvoice.devices.line import BLOCKS_PER_SECOND

LONGEST = 2.0
"""Seconds; a sound system that tells a longer way to or from its device does not know it."""


class BlockTimes:
    """Times of the blocks of one stream, in seconds of ``time.monotonic()``.

    Each stream of PortAudio may have a clock of its own; what is compared here are differences on that clock only.
    Some sound systems leave the times out: then ``latency`` of the stream, in seconds, stands in for them.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self.latency = latency

    def captured(self, told: Any) -> float:
        """When the first sample of an input block was captured; ``told`` is PortAudio's, and may be ``None``.

        That is a block ago at the least, whatever is told: some sound systems speak of the last sample.
        """
        return time.monotonic() - max(1 / BLOCKS_PER_SECOND, self._way(told, "inputBufferAdcTime", -1))

    def heard(self, told: Any) -> float:
        """When the first sample of an output block is heard."""
        return time.monotonic() + self._way(told, "outputBufferDacTime", 1)

    def _way(self, told: Any, name: str, sign: int) -> float:
        if told is None or not told.currentTime:
            return self.latency
        there = getattr(told, name)
        way = sign * (there - told.currentTime)
        return way if there and 0 <= way < LONGEST else self.latency
