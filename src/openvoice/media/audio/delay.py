"""How late packets come, and how long the playout buffer should therefore wait for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

_PIECE = 12
"""Packets of a piece of time: a quarter of a second of usual ones. One of them may be a straggler: to wait for it would
cost more than to conceal it."""
_PIECES = 40
"""Pieces remembered: 10 s. A delay that was needed before that is given up."""
_YOUNG = 12
"""Pieces below which it is not known yet what is usual: then everything is."""
_TROUBLE, _MINORITY = 12, 3
"""Pieces in which one trouble passes: 3 s, and no more than one of so many that are known."""
_SETTLED, _OVER = 3, 16
"""Pieces after which a route that was longer is over, and whatever came and went is."""
_CHEAP = 0.015
"""Seconds beyond what is usual within which nothing is forgiven: to wait so much longer costs less than it saves."""
_MOST = 0.2
"""Seconds of usual lateness that are waited for: beyond that a gap is better than the delay."""
_WARM = 25
_CAUTION = 0.020
"""Seconds added while fewer than ``_WARM`` packets are known."""
_MARGIN, _UNSEEN = 0.002, 0.05
"""Seconds added always, since the clock that pulls is not exact either, and the share of the known lateness that is
added, since the worst is yet to come."""


class DelayEstimate:
    """The offset between a packet's arrival and its timestamp, of the last few seconds.

    Offsets are seconds on the receiver's clock minus seconds on the sender's: their origin means nothing, their
    differences are network jitter. A drift between the clocks moves all of them and so is followed by itself.

    What is needed is the lowest offset that was exceeded in one trouble at most: a single spike, or a route that was
    longer for a while, is over when it is over; what comes again is waited for, and so is what was hardly later than
    that. While something lasts it always counts: the need rises at once.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all that came."""
        self._known = 0
        self._latest: deque[float] = deque(maxlen=_PIECE)
        self._piece: list[float] = []
        self._highs: deque[float] = deque(maxlen=_PIECES)
        self._lows: deque[float] = deque(maxlen=_PIECES)
        self._peaks: deque[float] = deque(maxlen=_PIECES)
        self._usual: float | None = None

    def add(self, offset: float) -> None:
        self._known += 1
        self._latest.append(offset)
        self._piece.append(offset)
        if len(self._piece) == _PIECE:
            self._highs.append(_lasting(self._piece))
            self._lows.append(min(self._piece))
            self._peaks.append(max(self._piece))
            self._piece.clear()
            young = len(self._highs) < _YOUNG
            usual = max(self._peaks) if young else _exceeded_once(self._highs)
            usual = max(late for late in (usual, *self._highs, *self._peaks) if late <= usual + _CHEAP)
            self._usual = min(usual, min(self._lows) + _MOST)

    @property
    def least(self) -> float | None:
        """The offset of the fastest packet, ``None`` before the first."""
        return min((*self._lows, *self._piece), default=None)

    @property
    def needed(self) -> float | None:
        """The offset at which enough packets are in time, ``None`` before the first."""
        least = self.least
        if least is None:
            return None
        lasting = _lasting(self._latest)
        usual = lasting if self._usual is None else max(lasting, self._usual)
        caution = _CAUTION if self._known < _WARM else 0.0
        return usual + _UNSEEN * min(usual - least, _MOST) + _MARGIN + caution


def _lasting(offsets: Sequence[float]) -> float:
    """The highest offset but the one of a straggler, if there are enough to tell."""
    return sorted(offsets)[-2 if len(offsets) == _PIECE else -1]


def _exceeded_once(highs: Sequence[float]) -> float:
    """The lowest of ``highs`` that all stay below but those of one trouble."""
    return min(high for high in highs if _is_forgivable([other > high for other in highs]))


def _is_forgivable(above: list[bool]) -> bool:
    """Whether what was ``above`` was so in one short time, or all through one that is over."""
    if not any(above):
        return True
    first, since = above.index(True), above[::-1].index(True)
    lasted = len(above) - since - first
    steady = all(above[first : first + lasted])
    return lasted <= min(_TROUBLE, len(above) // _MINORITY) or since >= (_SETTLED if steady else _OVER)
