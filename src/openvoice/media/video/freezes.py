"""When a stream of pictures stands still: freezeCount and totalFreezesDuration of W3C webrtc-stats. Pure."""

from __future__ import annotations

from collections import deque

_AVERAGED = 30
"""Pictures whose spacing is what a stream usually does."""
_LONGER = 0.15
"""Seconds beyond the usual spacing: a freeze is three times that spacing, and longer than it by so much."""

_PAUSE = 5.0
"""Seconds: pictures that stayed away for longer were not shown by the peer. That is a pause, for W3C as well."""


class Freezes:
    """Of one stream. Times in seconds of any steady clock."""

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.longest_gap = 0.0
        """Seconds between two pictures, the most so far."""
        self._paused = False
        self._shown_at: float | None = None
        self._gaps: deque[float] = deque(maxlen=_AVERAGED)

    def show(self, now: float) -> None:
        """A picture is shown."""
        before, self._shown_at = self._shown_at, None if self._paused else now
        if before is None or self._paused:
            return
        gap = max(0.0, now - before)
        if gap > _PAUSE:
            return
        usual = sum(self._gaps) / len(self._gaps) if self._gaps else gap
        if gap >= max(3 * usual, usual + _LONGER):
            self.count += 1
            self.seconds += gap
        self.longest_gap = max(self.longest_gap, gap)
        self._gaps.append(gap)

    def pause(self, paused: bool) -> None:
        """Whether the peer says that it shows nothing: what comes all the same then, and when, is no measure.

        May be called in any thread.
        """
        self._paused, self._shown_at = paused, None
