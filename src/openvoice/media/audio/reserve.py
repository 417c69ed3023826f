"""How much longer than for jitter alone sound should wait, so that later packets can replace what is lost."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

_LOSSES = 16
"""Losses remembered."""
_QUIET_INTERVALS = 6
"""Usual intervals between losses without one, after which the network is taken to have recovered."""
_APART = 0.5
"""Seconds between two losses that are not the same trouble."""
_SUPPOSED_INTERVAL, _SHORTEST_QUIET, _LONGEST_QUIET = 1.0, 2.0, 12.0
"""Seconds: an interval that counts like two observed ones, and the bounds of the quiet."""


class _Loss(NamedTuple):
    start: int
    distance: int
    moment: float
    lasting: bool


class RecoveryReserve:
    """Remembers what was lost and how long after it the packet came, or would have come, that could replace it.

    That *distance* is in samples of the sender's time.
    """

    def __init__(self) -> None:
        self._losses: deque[_Loss] = deque(maxlen=_LOSSES)

    def note(self, start: int, distance: int, now: float, lasting: bool = False) -> None:
        """What began at ``start`` was missing at ``now`` (seconds), though a packet ``distance`` later has a copy.

        ``lasting`` says that it ended a loss too long to be replaced as a whole. One such is no reason to wait.
        """
        if all(known.start != start for known in self._losses):
            self._losses.append(_Loss(start, distance, now, lasting))

    def forget(self, start: int) -> None:
        """It was not lost: it came late."""
        self._losses = deque((loss for loss in self._losses if loss.start != start), maxlen=_LOSSES)

    def reset(self) -> None:
        self._losses.clear()

    def wanted(self, now: float) -> int:
        """Samples to wait: the longest distance that is likely to be needed again soon."""
        for distance in sorted({loss.distance for loss in self._losses}, reverse=True):
            losses = [loss for loss in self._losses if loss.distance >= distance]
            moments = [loss.moment for loss in losses]
            single = all(loss.lasting for loss in losses) and moments[-1] - moments[0] < _APART
            if now - moments[-1] < _quiet(moments) and not single:
                return distance
        return 0


def _quiet(moments: list[float]) -> float:
    """Seconds after the last of the losses at ``moments`` in which another one is likely."""
    interval = (moments[-1] - moments[0] + 2 * _SUPPOSED_INTERVAL) / (len(moments) + 1)
    return min(_LONGEST_QUIET, max(_SHORTEST_QUIET, _QUIET_INTERVALS * interval))
