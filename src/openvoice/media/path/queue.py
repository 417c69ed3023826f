"""How long packets wait in the queue of the path, by how much later they come than the quickest of late. Pure.

The trend of the delay shows a queue that grows; this shows one that stays, in which voice waits all the same.
"""

from __future__ import annotations

from collections import deque

from openvoice.media.path.jitter import Jitter

NOTICEABLE, TOO_LONG = 0.02, 0.045
"""Seconds of queue at which an eager rate waits, and that voice should not wait for."""
_BASE_WINDOW, _BUCKET = 30.0, 1.0
"""Seconds in which the path was once without a queue, and how finely they are remembered."""
_ENOUGH = 6
"""Packets of which the quickest tells of a queue: of fewer all may be late ones, where the network has jitter."""
_JUMP = 3.0
_DRAIN = 0.1
"""Seconds less of it in each second are a queue that goes away soon enough."""
_REACH = 3.0
"""Times the jitter: so much later than the quickest of late comes the quickest of many packets by jitter alone."""
_PATIENCE, _MUCH_LESS = 4.0, 0.5
"""Seconds of sending that share, in vain, after which the queue is another's, or the way has become longer."""


class StandingQueue:
    """Takes the packets of one report after the other: what they waited is the least of each."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._bases: deque[tuple[float, float]] = deque()
        self._least: float | None = None
        self._packets = 0
        self._recent: deque[tuple[float, int]] = deque()
        """Of the last reports, the quickest packet and how many there were: together just enough."""
        self._judged: float | None = None
        self._jitter = Jitter()
        self._long_since: tuple[float, float] | None = None
        """When it became too long, and what was sent then."""
        self.seconds = 0.0
        """Of queue, in the last report, beyond what jitter alone makes of it."""

    def add(self, sent: float, arrived: float) -> None:
        """A packet of the present report; the clocks are different ones."""
        delay = arrived - sent
        if self._bases and abs(delay - self._bases[-1][1]) > _JUMP:
            self._begin()
        self._least = delay if self._least is None else min(self._least, delay)
        self._packets += 1
        self._jitter.add(sent, delay)

    def judge(self, rate: float, now: float) -> bool:
        """The report is at its end: whether the queue is too long, and ``rate`` kbit/s do not make it shorter."""
        if self._least is None:
            return False
        least = self._quickest(self._least)
        self._remember(least, now)
        elapsed, self._judged = now - (now if self._judged is None else self._judged), now
        self._jitter.judge(elapsed)
        before = self.seconds
        self.seconds = max(0.0, least - min(base for _, base in self._bases) - _REACH * self._jitter.seconds)
        if self.seconds <= TOO_LONG:
            self._long_since = None
            return False
        since, sent = self._long_since = self._long_since or (now, rate)
        if now - since > _PATIENCE and rate <= _MUCH_LESS * sent:
            self._bases = deque([(now, least)])
            self._long_since = None
            return False
        return before - self.seconds < _DRAIN * elapsed

    def _quickest(self, least: float) -> float:
        """Of enough packets, if so many came lately."""
        self._recent.append((least, self._packets))
        self._least, self._packets = None, 0
        while sum(packets for _, packets in self._recent) - self._recent[0][1] >= _ENOUGH:
            self._recent.popleft()
        return min(least for least, _ in self._recent)

    def _remember(self, delay: float, now: float) -> None:
        if self._bases and now - self._bases[-1][0] < _BUCKET:
            self._bases[-1] = self._bases[-1][0], min(self._bases[-1][1], delay)
        else:
            self._bases.append((now, delay))
        while now - self._bases[0][0] > _BASE_WINDOW:
            self._bases.popleft()
