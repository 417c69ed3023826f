"""Who may send how much of what the path carries for pictures, and when there is too little for any. Pure.

Voice is not in it: it takes what it takes, and what is left is what the estimate says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_STARVING = 0.5
"""Seconds with less than the least after which pictures pause."""
_FIRST_PAUSE, _LONGEST_PAUSE = 10.0, 120.0
"""Seconds of pause before the least is tried again; each pause right after such a trial doubles them."""
_PROBATION = 10.0


@dataclass(frozen=True, slots=True)
class Demand:
    """kbit/s on the wire that a stream of pictures takes: at least, to be of use, and at most."""

    least: float
    most: float

    def __post_init__(self) -> None:
        if not 0 < self.least <= self.most:
            raise ValueError("a stream takes something, and not less at most than at least")


def share(available: float, demands: Sequence[Demand]) -> list[float]:
    """What each gets: the least first, in their order, then all the same until they have enough.

    A stream for which not even the least is left gets nothing.
    """
    shares = []
    left = available
    for demand in demands:
        shares.append(demand.least if left >= demand.least else 0.0)
        left -= shares[-1]
    # Those who want the least more are served first, so that each next one shares what they left.
    open_demands = sorted(
        (index for index, granted in enumerate(shares) if granted), key=lambda index: demands[index].most
    )
    for count, index in enumerate(open_demands):
        more = min(demands[index].most - shares[index], left / (len(open_demands) - count))
        shares[index] += more
        left -= more
    return shares


class Pause:
    """Whether pictures pause because the path has not even room for a few of them."""

    def __init__(self) -> None:
        self.paused = False
        self._short_since: float | None = None
        self._resumed: float | None = None
        self._until = 0.0
        self._length = _FIRST_PAUSE

    def update(self, available: float, least: float, now: float) -> bool:
        """Whether it ended just now: then the least is to be tried, whatever was available before."""
        if self.paused:
            if now < self._until:
                return False
            self.paused, self._resumed, self._short_since = False, now, None
            return True
        if available >= least:
            self._short_since = None
            return False
        self._short_since = now if self._short_since is None else self._short_since
        if now - self._short_since >= _STARVING:
            in_vain = self._resumed is not None and now - self._resumed < _PROBATION
            self._length = min(2 * self._length, _LONGEST_PAUSE) if in_vain else _FIRST_PAUSE
            self.paused, self._until = True, now + self._length
        return False
