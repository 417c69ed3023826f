"""How many bits a call may send: as many as the path takes, of those that the user allows. Pure.

All that is known comes from receiver reports (RFC 3550, 6.4.1), which every peer sends: the round trip, which grows as
the queue of a narrow link fills; how much arrived, which is what that link takes; and loss. Loss alone says nothing of
the rate, since a radio link loses by chance and a full one by the rate. Which it is shows when the rate changes.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.media.audio.congestion import LASTING, TRIAL_PACKETS, LossTrial, QueueEstimate
from openvoice.media.reports import PeerReport

RATES = (16, 21, 28, 38, 56, 71, 90)
"""kbit/s on the wire, with the headers of IP, UDP and SRTP. Few and coarse, so that they change seldom."""
FIRST_RATE = 71

FULL = 0.85
"""The share of what arrives over a full path that is sent then, so that its queue drains."""
FIRST_PATIENCE = 5.0
"""Seconds without trouble before more is tried."""
LONGEST_PATIENCE = 40.0
"""Each time that a rate has led to trouble doubles them for that rate, up to this."""
_PROBATION = 10.0
"""Seconds in which trouble after a rise is its doing."""
_DRAINING = 3.0
"""Seconds after which sending less must have shortened the queue, if it was ours."""
_HEAVY_LOSS, _HEAVY_PACKETS = 0.35, 150
"""The share of loss, among so many packets, above which less is tried."""
_FIRST_DOUBT, _LONGEST_DOUBT = 60.0, 600.0
"""Seconds between two trials of sending less for loss alone."""
_MEASURE = 0.8
"""Seconds over which at least it is measured how much arrives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Retreat:
    time: float
    level: int
    """Before it."""
    queue: float


class RateControl:
    """The level, an index of :data:`RATES`. ``bandwidth`` (kbit/s) is not exceeded, unless it is below the lowest."""

    def __init__(self, bandwidth: float = DEFAULT_BANDWIDTH) -> None:
        self._most = highest(bandwidth)
        self.level = min(highest(FIRST_RATE), self._most)
        self._queue = QueueEstimate()
        self._retreat: _Retreat | None = None
        self._recent: deque[tuple[int, int]] = deque(maxlen=8)
        self._growth: LossTrial | None = None
        self._doubt: LossTrial | None = None
        self._doubted = self.level
        self._doubt_interval = _FIRST_DOUBT
        self._trusted_until = 0.0
        self._burst = 1.0
        self._useful = self._most
        self._sending = 0.0
        self._arrived = 0.0
        self._counted: tuple[float, float] | None = None
        self._changed = 0.0
        self._rose: float | None = None
        self._ceiling: int | None = None
        self._patience = FIRST_PATIENCE

    def report(
        self,
        report: PeerReport,
        *,
        sending: float,
        octets: int,
        burst: float,
        useful: int,
        others_yield: bool = False,
    ) -> int:
        """The level from now on. Sent are ``sending`` kbit/s, in packets of ``octets``, both as on the wire.

        ``burst`` is the mean length of a run of lost packets. Above the level ``useful`` nothing more would be sent.
        While ``others_yield``, pictures on the same path, it is for them to make room.
        """
        self._burst = burst
        self._useful = min(useful, self._most)
        self._note(report, sending, octets)
        if others_yield:
            self._retreat = self._growth = self._doubt = None
            self._rise(report.time)
        elif self._queue.lasts or (self._queue.shows and self._on_probation(report.time)):
            self._heed_queue(report)
        else:
            if self._queue.seconds < LASTING:
                self._retreat = None
            self._heed_loss(report)
        self.level = min(self.level, self._useful)
        return self.level

    def _note(self, report: PeerReport, sending: float, octets: int) -> None:
        if self._counted is None:
            self._counted = (report.time, 0.0)
            self._changed = report.time
        elif report.time - self._counted[0] >= _MEASURE:
            bits = self._counted[1] + 8 * octets * (report.expected - report.lost)
            self._arrived = bits / 1000 / (report.time - self._counted[0])
            self._counted = (report.time, 0.0)
        else:
            self._counted = (self._counted[0], self._counted[1] + 8 * octets * (report.expected - report.lost))
        if report.round_trip is not None:
            self._queue.add(report.round_trip, report.time)
        for trial in (self._growth, self._doubt):
            if trial is not None:
                trial.add(report)
        if sending > self._sending > 0:
            self._growth = self._begin_trial(TRIAL_PACKETS)
        self._sending = sending
        self._recent.append((report.lost, report.expected))

    # --- delay --------------------------------------------------------------------------------------------------------

    def _heed_queue(self, report: PeerReport) -> None:
        retreat = self._retreat
        if retreat is None:
            self._give_way(report.time)
        elif report.time - retreat.time >= _DRAINING:
            if self._queue.seconds < FULL * retreat.queue or self._arrived < FULL * self._sending:
                self._give_way(report.time)
            else:  # all of ours passes and still it is not shorter: it is another's, or the way has become longer
                self._queue.accept()
                self._retreat = None
                self._move(retreat.level, report.time)

    def _give_way(self, now: float) -> None:
        if self._on_probation(now):
            self._refuse(self.level)
        self._growth = self._doubt = None
        self._retreat = _Retreat(time=now, level=self.level, queue=self._queue.seconds)
        self._move(self._passing, now)

    def _on_probation(self, now: float) -> bool:
        return self._rose is not None and now - self._rose < _PROBATION

    def _refuse(self, level: int) -> None:
        """It has led to trouble: try it again later than this time."""
        self._ceiling, self._rose = level, None
        self._patience = min(2 * self._patience, LONGEST_PATIENCE)

    @property
    def _passing(self) -> int:
        """The level below the present one that leaves room in what arrives."""
        return max(0, min(self.level - 1, highest(FULL * self._arrived)))

    # --- loss ---------------------------------------------------------------------------------------------------------

    def _heed_loss(self, report: PeerReport) -> None:
        grew = False
        if self._growth is not None and self._growth.finished:
            grew, self._growth = self._growth.grew, None
        if self._doubt is not None:
            if self._doubt.finished:
                self._end_doubt(self._doubt, report.time)
        elif self.level > 0 and report.time >= self._trusted_until and (grew or self._is_heavy):
            self._doubt, self._doubted = self._begin_trial(_HEAVY_PACKETS), self.level
            self._growth = None
            self._move(self._passing, report.time)
        elif self._growth is None:
            self._rise(report.time)

    def _end_doubt(self, doubt: LossTrial, now: float) -> None:
        self._doubt = None
        if doubt.fell:
            self._refuse(self._doubted)
            self._doubt_interval = _FIRST_DOUBT
        else:
            self._move(self._doubted, now)
            self._trusted_until = now + self._doubt_interval
            self._doubt_interval = min(2 * self._doubt_interval, _LONGEST_DOUBT)

    @property
    def _is_heavy(self) -> bool:
        lost, expected = self._counts(_HEAVY_PACKETS)
        return expected >= _HEAVY_PACKETS and lost >= _HEAVY_LOSS * expected

    def _begin_trial(self, packets: int) -> LossTrial | None:
        lost, expected = self._counts(packets)
        return LossTrial(lost, expected, self._burst) if expected else None

    def _counts(self, packets: int) -> tuple[int, int]:
        """Lost and expected ones of the last reports, about so many."""
        lost = expected = 0
        for each in reversed(self._recent):
            if expected >= packets:
                break
            lost, expected = lost + each[0], expected + each[1]
        return lost, expected

    # --- more ---------------------------------------------------------------------------------------------------------

    def _rise(self, now: float) -> None:
        if self._rose is not None and now - self._rose >= _PROBATION:
            self._rose = self._ceiling = None
            self._patience = FIRST_PATIENCE
        patience = self._patience if self.level + 1 == self._ceiling else FIRST_PATIENCE
        if self.level < self._useful and now - self._changed >= patience:
            self._rose = now
            self._move(self.level + 1, now)

    def _move(self, level: int, now: float) -> None:
        self.level = level
        self._changed = now


def highest(rate: float) -> int:
    """The highest level within ``rate`` kbit/s, or else the lowest."""
    return max((level for level, each in enumerate(RATES) if each <= rate), default=0)
