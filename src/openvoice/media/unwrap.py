"""RTP's wrapping counters as integers that only the sender's jumps bring out of order (RFC 3550, A.1)."""

from __future__ import annotations


class Unwrapper:
    """Extends a counter of ``bits`` bits: each value is read as the nearest to the highest so far."""

    def __init__(self, bits: int) -> None:
        self._cycle = 1 << bits
        self._highest: int | None = None

    def unwrap(self, value: int) -> int:
        if self._highest is None:
            self._highest = value
            return value
        half = self._cycle // 2
        extended = self._highest + (value - self._highest + half) % self._cycle - half
        self._highest = max(self._highest, extended)
        return extended
