"""Whether a queue grows on the path, by how much later each group of packets comes than the one before. Pure.

draft-ietf-rmcat-gcc-02, 5: packets are grouped as they were sent; a line is laid through the accumulated differences
of delay (a trend in place of the draft's Kalman filter); where its slope stays above a threshold that itself adapts to
what is usual on this path, the path is overused.
"""

from __future__ import annotations

from collections import deque
from enum import Enum

from openvoice.media.path.sent import Outcome

_GROUP = 0.005
"""Seconds in which what is sent is one group."""
_JUMP = 3.0
"""Seconds of difference that no queue makes: one of the clocks was set."""
_MOST_REORDERED = 3
_WINDOW = 20
_SMOOTHING = 0.9
_GAIN, _MOST_DIFFERENCES = 4.0, 60
"""The slope is judged the more strictly the longer it was measured, up to so many differences."""
_THRESHOLD, _LEAST_THRESHOLD, _MOST_THRESHOLD = 12.5, 6.0, 600.0
_RISING, _FALLING = 8.7, 39.0
"""How quickly the threshold follows what is beyond and below it, per second."""
_OUTLIER = 15.0
"""What is so far beyond the threshold says nothing of what is usual."""
_PERSISTENT = 0.01
"""Seconds for which a slope has to last."""


class Usage(Enum):
    """What the path does with what it is sent: its queue shrinks, stays or grows."""

    UNDER = "under"
    NORMAL = "normal"
    OVER = "over"


class _Group:
    def __init__(self, outcome: Outcome, arrived: float) -> None:
        self.first_sent = self.last_sent = outcome.sent
        self.first_arrived = self.last_arrived = arrived

    def takes(self, outcome: Outcome, arrived: float) -> bool:
        """Whether it was sent with this group, or came with it because all of it waited somewhere together."""
        if outcome.sent - self.first_sent <= _GROUP:
            return True
        since = arrived - self.last_arrived
        return since < outcome.sent - self.last_sent and since <= _GROUP and arrived - self.first_arrived < 0.1

    def add(self, outcome: Outcome, arrived: float) -> None:
        self.last_sent = max(self.last_sent, outcome.sent)
        self.last_arrived = max(self.last_arrived, arrived)


class DelayTrend:
    """Takes outcomes in the order of sending."""

    def __init__(self) -> None:
        self._threshold = _THRESHOLD
        self._begin()

    def _begin(self) -> None:
        self._present: _Group | None = None
        self._before: _Group | None = None
        self._reordered = 0
        self._origin = 0.0
        self._differences = 0
        self._accumulated = 0.0
        self._smoothed = 0.0
        self._points: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._slope = 0.0
        self._over_for: float | None = None
        self._judged: float | None = None
        self.usage = Usage.NORMAL

    def add(self, outcome: Outcome) -> None:
        """Judge by one more packet; of one that never came nothing is learnt here."""
        arrived = outcome.arrived
        if arrived is None:
            return
        if self._present is None:
            self._present, self._origin = _Group(outcome, arrived), arrived
        elif outcome.sent < self._present.first_sent:
            return
        elif self._present.takes(outcome, arrived):
            self._present.add(outcome, arrived)
        else:
            if self._before is not None:
                self._compare(self._before, self._present)
            # A jump begins everything anew.
            self._before, self._present = self._present, _Group(outcome, arrived)

    def _compare(self, before: _Group, after: _Group) -> None:
        sent = after.last_sent - before.last_sent
        arrived = after.last_arrived - before.last_arrived
        if abs(arrived - sent) > _JUMP:
            self._begin()
            return
        if arrived < 0:
            self._reordered += 1
            if self._reordered >= _MOST_REORDERED:
                self._begin()
            return
        self._reordered = 0
        self._differences = min(self._differences + 1, _MOST_DIFFERENCES)
        self._accumulated += arrived - sent
        self._smoothed += (1 - _SMOOTHING) * (self._accumulated - self._smoothed)
        self._points.append((after.last_arrived - self._origin, self._smoothed))
        slope = _slope(self._points) if len(self._points) == _WINDOW else self._slope
        self._judge(slope, sent, after.last_arrived)

    def _judge(self, slope: float, sent: float, now: float) -> None:
        trend = _GAIN * self._differences * slope
        if trend > self._threshold:
            before, self._over_for = self._over_for, (self._over_for or 0.0) + sent
            if before is not None and self._over_for > _PERSISTENT and slope >= self._slope:
                self._over_for = 0.0
                self.usage = Usage.OVER
        else:
            self._over_for = None
            self.usage = Usage.UNDER if trend < -self._threshold else Usage.NORMAL
        self._slope = slope
        self._adapt(abs(trend), now)

    def _adapt(self, size: float, now: float) -> None:
        elapsed = 0.0 if self._judged is None else min(max(now - self._judged, 0.0), 0.1)
        self._judged = now
        if size > self._threshold + _OUTLIER:
            return
        rate = _FALLING if size < self._threshold else _RISING
        self._threshold += rate * elapsed * (size - self._threshold)
        self._threshold = min(max(self._threshold, _LEAST_THRESHOLD), _MOST_THRESHOLD)


def _slope(points: deque[tuple[float, float]]) -> float:
    """Of the line with the least squares through ``points``; 0 if all have one abscissa."""
    count = len(points)
    mean_x = sum(x for x, _ in points) / count
    mean_y = sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
