"""How far ahead of its bit rate an encoder may be. Pure."""

from __future__ import annotations

from typing import Final

_AHEAD: Final = 0.3
"""Seconds of bits. A key picture may be more than that; nothing is coded until only so much is left to send."""


class Budget:
    """A leaky bucket: what was coded flows off at the bit rate that was asked for.

    It is the last resort where not even the coarsest quantizer holds the rate. Times in seconds, of pictures.
    """

    def __init__(self) -> None:
        self._debt = 0.0
        self._time: float | None = None

    def allows(self, time: float, bitrate: int) -> bool:
        """Whether a picture of ``time`` may be coded now, at ``bitrate`` (kbit/s)."""
        if self._time is not None:
            self._debt = max(0.0, self._debt - max(0.0, time - self._time) * bitrate * 1000)
        self._time = time
        return self._debt <= _AHEAD * bitrate * 1000

    def spend(self, octets: int) -> None:
        self._debt += octets * 8
