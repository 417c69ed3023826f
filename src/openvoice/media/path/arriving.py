"""How much passes: at the peer, by its own clock, or here. Pure."""

from __future__ import annotations

from collections import deque

_WINDOW = 0.5
"""Seconds. Less would say more of single pictures than of the path; more would notice a change of the path late."""
_JUMP = 3.0
_MOST = 4096


class ArrivalRate:
    """kbit/s over the last half second before the latest arrival."""

    def __init__(self) -> None:
        self._arrivals: deque[tuple[float, int]] = deque()
        self._octets = 0
        self._begun: float | None = None

    def add(self, arrived: float, octets: int) -> None:
        """``octets`` came at ``arrived``. A clock that jumps begins everything anew."""
        if self._arrivals and abs(arrived - self._arrivals[-1][0]) > _JUMP:
            self._arrivals.clear()
            self._octets, self._begun = 0, None
        if self._begun is None:
            self._begun = arrived
        self._arrivals.append((max(arrived, self._arrivals[-1][0] if self._arrivals else arrived), octets))
        self._octets += octets
        while self._arrivals[-1][0] - self._arrivals[0][0] > _WINDOW or len(self._arrivals) > _MOST:
            self._octets -= self._arrivals.popleft()[1]

    @property
    def rate(self) -> float | None:
        """``None`` until half a second was seen."""
        if self._begun is None or self._arrivals[-1][0] - self._begun < _WINDOW:
            return None
        return self._octets * 8 / 1000 / _WINDOW

    def lately(self, window: float) -> float | None:
        """The same over a shorter ``window``: where a queue stands, packets come evenly."""
        if self.rate is None:
            return None
        latest = self._arrivals[-1][0]
        octets = 0
        for moment, size in reversed(self._arrivals):
            if latest - moment >= window:
                break
            octets += size
        return octets * 8 / 1000 / window

    def rate_at(self, now: float) -> float:
        """The same over the half second before ``now``, on the same clock: nothing, where nothing passed."""
        return sum(octets for moment, octets in self._arrivals if now - moment <= _WINDOW) * 8 / 1000 / _WINDOW
