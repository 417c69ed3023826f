"""Whether a path is too full: its queue, by the round trip, and what a change of the rate does to loss. Pure."""

from __future__ import annotations

from collections import deque

from openvoice.media.reports import PeerReport

LASTING, LONG = 0.08, 0.25
"""Seconds of queue that two reports in a row, or a single one, must show."""
SLEPT = 2.0
"""Seconds that no queue lasts: a single round trip so long says that one of the devices slept in between."""
TRIAL_PACKETS = 90
"""So many packets tell a share of loss well enough."""
_BASE_WINDOW = 30.0
"""Seconds in which the round trip was once without a queue."""
_SHORTEST_BURST, _LONGEST_BURST = 2.0, 4.0
"""Bursts may not have shown yet; and what looks like longer ones is a loss that changed meanwhile."""
_LEAST_CHANGE, _DEVIATIONS = 0.05, 2.0
"""By how much a share must change to count, and by how many standard deviations of chance more."""


class QueueEstimate:
    """The queue of a narrow link: the round trip above the shortest one of late. It may be that of the way back."""

    def __init__(self) -> None:
        self._round_trips: deque[tuple[float, float]] = deque()
        self._deviation = 0.0
        self._before = 0.0
        self.seconds = 0.0

    def add(self, round_trip: float, now: float) -> None:
        """``round_trip`` in seconds, as reported at ``now``."""
        while self._round_trips and now - self._round_trips[0][0] > _BASE_WINDOW:
            self._round_trips.popleft()
        if self._round_trips:
            change = abs(round_trip - self._round_trips[-1][1])
            self._deviation += (min(change, LASTING) - self._deviation) / 4
        self._round_trips.append((now, round_trip))
        self._before, self.seconds = self.seconds, round_trip - min(each for _, each in self._round_trips)

    @property
    def shows(self) -> bool:
        """Whether the last report saw a longer one than jitter explains."""
        return self.seconds > LASTING + 2 * self._deviation

    @property
    def lasts(self) -> bool:
        """Whether there is no doubt of that."""
        return LONG < self.seconds < SLEPT or (self.shows and self._before > LASTING + 2 * self._deviation)

    def accept(self) -> None:
        """The way itself takes as long as the last report said."""
        self._round_trips = deque([self._round_trips[-1]])
        self._before = self.seconds = 0.0


class LossTrial:
    """Compares the loss after a change of rate with that before: ``lost`` of ``expected`` packets.

    Loss in bursts of ``burst`` packets on average is more unequal by chance.
    """

    def __init__(self, lost: int, expected: int, burst: float) -> None:
        self._before = (lost, expected)
        self._spread = 2 * min(max(burst, _SHORTEST_BURST), _LONGEST_BURST) - 1
        self._lost = self._expected = 0
        self._begun = False

    def add(self, report: PeerReport) -> None:
        if self._begun:
            self._lost += report.lost
            self._expected += report.expected
        self._begun = True  # the first report is about the time before the change as well

    @property
    def finished(self) -> bool:
        return self._expected >= TRIAL_PACKETS

    @property
    def fell(self) -> bool:
        """Whether the loss is less by a third at least, and not by chance."""
        return self._after <= self._earlier * 2 / 3 and self._earlier - self._after > self._chance

    @property
    def grew(self) -> bool:
        """Whether there is more loss, and not by chance."""
        return self._after - self._earlier > _LEAST_CHANGE + self._chance

    @property
    def _earlier(self) -> float:
        return self._before[0] / self._before[1]

    @property
    def _after(self) -> float:
        return self._lost / self._expected

    @property
    def _chance(self) -> float:
        """How much two shares of so many packets each differ by chance."""
        (lost, expected), others = self._before, self._expected
        mean = (lost + self._lost) / (expected + others)
        return _DEVIATIONS * float((self._spread * mean * (1 - mean) * (1 / expected + 1 / others)) ** 0.5)
