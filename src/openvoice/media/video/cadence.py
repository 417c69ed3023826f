"""Which pictures of a source are coded: so many a second, and none while those before were too large. Pure."""

from __future__ import annotations

_AHEAD = 0.25
"""Seconds by which what was coded may be ahead of the rate, before pictures are left out."""
_PAUSE = 1.0
"""Seconds without a picture after which the times of before count no more."""


class Cadence:
    """Thins out the pictures of a source evenly, to ``rate`` a second. Times are those of the pictures, in seconds."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        """May be changed at any time."""
        self._due: float | None = None

    def takes(self, time: float) -> bool:
        """Whether the picture of that time is one of those."""
        interval = 1 / self.rate
        if self._due is None or not -_PAUSE < time - self._due < _PAUSE:
            self._due = time
        # The pictures of a camera are not even, and none should be left out for a little of that.
        if time < self._due - interval / 3:
            return False
        self._due = max(self._due + interval, time - interval)
        return True


class OutputGuard:
    """Watches that what an encoder really makes keeps to ``bitrate`` kbit/s, whatever it was told."""

    def __init__(self, bitrate: float) -> None:
        self.bitrate = bitrate
        """May be changed at any time, and holds for what is made from then on."""
        self._ahead = 0.0
        """Seconds of the rate."""
        self._time: float | None = None

    def allows(self, now: float) -> bool:
        """Whether one more picture may be coded."""
        if self._time is not None:
            self._ahead = max(0.0, self._ahead - max(0.0, now - self._time))
        self._time = now
        return self._ahead <= _AHEAD

    def add(self, octets: int) -> None:
        """So many were made."""
        self._ahead += octets * 8 / 1000 / self.bitrate

    def forgive(self) -> None:
        """What was ahead was thrown away."""
        self._ahead = 0.0
