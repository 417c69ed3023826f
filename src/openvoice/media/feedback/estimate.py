"""What the path to here takes, as its receiver sees it (draft-alvestrand-rmcat-remb-03). Pure.

For peers that do not read when single packets arrived: the same judgement as that of our own sender, by when packets
were sent. Loss is left to the peer, which reads of it in every receiver report.
"""

from __future__ import annotations

from openvoice.media.path.arriving import ArrivalRate
from openvoice.media.path.delay import DelayTrend, Usage
from openvoice.media.path.rate import DelayRate
from openvoice.media.path.sent import Outcome

FIRST, LEAST, MOST = 1000.0, 50.0, 8000.0
"""kbit/s. Dino follows an early low estimate, and stays there: the first one is what most paths take."""
_INTERVAL = 1.0
"""Seconds between two estimates that are told."""
_UPDATE = 0.1
_LESS = 0.97
"""An estimate that falls below this share of what was told is told at once."""
_ROUND_TRIP = 0.2


class ReceiverEstimate:
    """Of one transport. Times are seconds: sending on any clock of the peer, arriving on any of this side."""

    def __init__(self) -> None:
        self._trend = DelayTrend()
        self._arrivals = ArrivalRate()
        self._rate = DelayRate(first=FIRST, least=LEAST, most=MOST)
        self._over = False
        self._updated: float | None = None
        self._told: tuple[float, float] | None = None

    @property
    def rate(self) -> float:
        """kbit/s."""
        return self._rate.rate

    def add(self, sent: float, arrived: float, octets: int) -> None:
        """A packet came."""
        self._arrivals.add(arrived, octets)
        self._trend.add(Outcome(sent, arrived, octets))
        self._over = self._over or self._trend.usage is Usage.OVER
        if self._updated is None or arrived - self._updated >= _UPDATE:
            self._updated = arrived
            usage = Usage.OVER if self._over else self._trend.usage
            self._rate.update(usage, self._arrivals.rate, _ROUND_TRIP, arrived)
            self._over = False

    def tell(self, now: float) -> float | None:
        """What to tell the peer at ``now``, in kbit/s; ``None`` if it knows well enough."""
        if self._arrivals.rate is None:
            return None
        if self._told is not None and now - self._told[0] < _INTERVAL and self.rate > _LESS * self._told[1]:
            return None
        self._told = now, self.rate
        return self.rate
