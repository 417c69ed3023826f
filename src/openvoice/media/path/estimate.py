"""How much the path to the peer carries for pictures, from whatever the peer says about it. Pure.

The best that it says counts: arrivals of single packets (transport-wide congestion control), else its own estimate
(REMB: draft-alvestrand-rmcat-remb), else receiver reports. Where nothing is said any more, ever less is sent.
"""

from __future__ import annotations

from collections.abc import Iterable

from openvoice.media.audio.congestion import QueueEstimate
from openvoice.media.path.arriving import ArrivalRate
from openvoice.media.path.delay import DelayTrend, Usage
from openvoice.media.path.loss import LossWatch
from openvoice.media.path.queue import NOTICEABLE, TOO_LONG, StandingQueue
from openvoice.media.path.rate import EAGER, WARY, DelayRate
from openvoice.media.path.sent import Outcome
from openvoice.media.reports import PeerReport

FIRST, LEAST, MOST = 150.0, 20.0, 8000.0
"""kbit/s."""
_SILENCE, _SHORTEST_SILENCE = 3.0, 0.6
"""Round trips, and seconds, without a word about what is sent, after which half is sent: where arrivals are told."""
_REPORT_SILENCE = 6.5
"""Seconds, where the peer writes nothing but receiver reports and its own estimate, which some write irregularly.

Five seconds lie between two reports on the average, 6.2 at most (RFC 3550, 6.2 and 6.3.1)."""
_FRESH = 3.0
"""Seconds for which what the peer says counts before what is said less well."""
_USUAL_ROUND_TRIP = 0.2
_QUEUE_WINDOW = 0.2
"""Seconds over which it is measured what arrives while a queue stands: that is what the path takes, right now."""
_BUSY = 0.6
"""The share of the rate that is sent at least, if what arrives of it is to tell what the path takes."""


class PathEstimate:
    """Of one transport. Times are seconds of one steady clock, rates kbit/s on the wire."""

    def __init__(self) -> None:
        self._rate = DelayRate(first=FIRST, least=LEAST, most=MOST)
        self._trend = DelayTrend()
        self._arrivals = ArrivalRate()
        self._loss = LossWatch()
        self._round_trips = QueueEstimate()
        self._queue = StandingQueue()
        self._bound: float | None = None
        self._bound_at = 0.0
        self._arrivals_at: float | None = None
        self._heard_at: float | None = None
        self._sent_at: float | None = None
        self._leaving = ArrivalRate()
        self._halved_at = 0.0
        self.round_trip: float | None = None
        """Seconds, as far as known."""

    @property
    def rate(self) -> float:
        """What pictures may take."""
        return self._rate.rate if self._bound is None else max(LEAST, min(self._rate.rate, self._bound))

    @property
    def arriving(self) -> float | None:
        """What arrived of pictures lately, if it is known."""
        return self._arrivals.rate

    @property
    def loss(self) -> float:
        """The share of packets that was lost lately."""
        return self._loss.share

    def presume(self, rate: float, now: float) -> None:
        """After a pause nothing is known: begin with ``rate``, if it was less."""
        self._rate.begin(rate, now)
        self._heard_at = now

    def sent(self, octets: int, now: float) -> None:
        """So much left that the peer should tell of."""
        self._leaving.add(now, octets)
        if self._sent_at is None or (self._heard_at is not None and self._heard_at >= self._sent_at):
            self._sent_at = now

    def outcomes(self, outcomes: Iterable[Outcome], now: float) -> None:
        """The peer told how single packets came, in the order of sending."""
        lost = expected = 0
        last = None
        over = False
        for outcome in outcomes:
            expected += 1
            last = outcome
            if outcome.arrived is None:
                lost += 1
                continue
            self._arrivals.add(outcome.arrived, outcome.octets)
            self._trend.add(outcome)
            self._queue.add(outcome.sent, outcome.arrived)
            over = over or self._trend.usage is Usage.OVER
        if last is None:
            return
        self._arrivals_at = now
        self._bound = None
        self._hear(now)
        self._heed_loss(lost, expected, self.arriving, now)
        stands = self._queue.judge(self.rate, now)
        usage = self._trend.usage
        if stands or (over and self._queue.seconds > 0):
            usage = Usage.OVER
        elif usage is Usage.OVER:
            usage = Usage.NORMAL  # where no packet waits, what comes later and later does so by jitter
        if usage is Usage.NORMAL and self._queue.seconds > (NOTICEABLE if self._rate.eager else TOO_LONG):
            usage = Usage.UNDER  # what waits already is carried first
        arriving = self._arrivals.lately(_QUEUE_WINDOW) if self._queue.seconds > TOO_LONG else self.arriving
        self._update(usage, arriving, now, EAGER)

    def remb(self, rate: float, now: float) -> None:
        """The peer's own estimate: a bound, where single arrivals are not told."""
        if not self._told_of_arrivals(now):
            self._bound, self._bound_at = rate, now
            self._hear(now)
            if not self._full:
                # Reports may be seconds apart: until the next one, the peer's own estimate says that there is room.
                self._update(Usage.NORMAL, self._leaving.rate, now, EAGER)

    def report(self, report: PeerReport, now: float) -> None:
        """A receiver report about one of the streams of pictures."""
        if report.round_trip is not None:
            self.round_trip = report.round_trip
            self._round_trips.add(report.round_trip, report.time)
        if self._told_of_arrivals(now):
            return
        self._hear(now)
        leaving = self._leaving.rate
        share = report.lost / report.expected if report.expected else 0.0
        arriving = None if leaving is None else leaving * (1 - share)
        self._heed_loss(report.lost, report.expected, arriving, now)
        if self._bound is not None and now - self._bound_at > _FRESH:
            self._bound = None
        self._update(Usage.OVER if self._full else Usage.NORMAL, arriving, now, WARY if self._bound is None else EAGER)

    def tick(self, now: float) -> None:
        """Time passes: call it every tenth of a second or so. Whoever hears nothing sends ever less."""
        if self._sent_at is None or (self._heard_at is not None and self._heard_at >= self._sent_at):
            return
        if now - max(self._sent_at, self._halved_at) >= self._patience:
            self._halved_at = now
            self._rate.restrict(self.rate / 2, now)

    def _update(self, usage: Usage, arriving: float | None, now: float, eagerness: float) -> None:
        if usage is Usage.NORMAL and self._loss.trying:
            return
        queue, busy = self._queue.seconds, (self._leaving.rate or 0.0) > _BUSY * self.rate
        if self._rate.update(usage, arriving, self._round_trip, now, eagerness=eagerness, queue=queue, busy=busy):
            self._loss.confirm()

    def _heed_loss(self, lost: int, expected: int, arriving: float | None, now: float) -> None:
        rate = self._loss.add(lost, expected, rate=self.rate, arriving=arriving, now=now)
        if rate is not None:
            if rate < self.rate:
                self._rate.restrict(rate, now)
            else:
                self._rate.restore(rate)

    def _hear(self, now: float) -> None:
        self._heard_at = now

    @property
    def _full(self) -> bool:
        return self._round_trips.shows or self._round_trips.lasts

    @property
    def _patience(self) -> float:
        told = self._arrivals_at is not None
        return max(_SILENCE * self._round_trip, _SHORTEST_SILENCE) if told else _REPORT_SILENCE

    def _told_of_arrivals(self, now: float) -> bool:
        return self._arrivals_at is not None and now - self._arrivals_at <= _FRESH

    @property
    def _round_trip(self) -> float:
        return _USUAL_ROUND_TRIP if self.round_trip is None else self.round_trip
