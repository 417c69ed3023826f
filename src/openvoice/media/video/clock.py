"""The times of pictures as RTP timestamps (RFC 3550, 5.1), on the clock that sender reports tell of. Pure."""

from __future__ import annotations

from openvoice.media.video.codec import CLOCK_RATE

_STRAY = 2.0
"""Seconds that a picture is old at most: a source that says otherwise has another clock."""


class RtpClock:
    """Of one stream. ``origin`` is what is added to all, at random (RFC 3550, 5.1)."""

    def __init__(self, origin: int) -> None:
        self._origin = origin
        self._last: int | None = None

    def stamp(self, time: float, now: float) -> int:
        """Of the picture that was taken at ``time``. Always later than that of the picture before."""
        ticks = round((time if -_STRAY < time - now <= 0 else now) * CLOCK_RATE)
        self._last = ticks if self._last is None else max(ticks, self._last + 1)
        return self._last + self._origin & 0xFFFFFFFF

    def at(self, now: float) -> int:
        """The timestamp of this very moment, for a sender report."""
        return round(now * CLOCK_RATE) + self._origin & 0xFFFFFFFF
