"""How late packets come, and how long the playout buffer should therefore wait for them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

_WINDOW = 200
"""Packets remembered: 4 s of usual ones. A delay that was needed before that is given up."""
_SHARE_IN_TIME = 0.97
"""Of packets that should come before they are needed. Waiting for the rest costs more than concealing it."""
_WARM = 25
_CAUTION = 0.020
"""Seconds added while fewer than ``_WARM`` packets are known."""
_INSISTENCE, _STEP = 2, 0.005
"""Packets in a row, each by so many seconds later than usual, that are taken for a route that became longer."""
_MARGIN = 0.002
"""Seconds added always: the clock that pulls is not exact either."""


class DelayEstimate:
    """The offset between a packet's arrival and its timestamp, of the last few seconds.

    Offsets are seconds on the receiver's clock minus seconds on the sender's: their origin means nothing, their
    differences are network jitter. A drift between the clocks moves all of them and so is followed by itself.
    """

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []

    def add(self, offset: float) -> None:
        if len(self._recent) == _WINDOW:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft())]
        self._recent.append(offset)
        insort(self._ordered, offset)

    def reset(self) -> None:
        self._recent.clear()
        self._ordered.clear()

    @property
    def least(self) -> float | None:
        """The offset of the fastest packet."""
        return self._ordered[0] if self._ordered else None

    @property
    def needed(self) -> float | None:
        """The offset at which enough packets are in time, ``None`` before the first. Rises at once, falls after 4 s."""
        if not self._ordered:
            return None
        caution = _CAUTION if len(self._ordered) < _WARM else 0.0
        usual = self._ordered[int(_SHARE_IN_TIME * (len(self._ordered) - 1) + 0.5)]
        lasting = min(self._recent[-packet] for packet in range(1, min(_INSISTENCE, len(self._recent)) + 1))
        return (lasting if lasting > usual + _STEP else usual) + _MARGIN + caution
