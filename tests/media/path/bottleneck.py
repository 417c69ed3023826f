"""A narrow link on a virtual clock, and flows of pictures over it that follow their estimates."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from openvoice.media.path.estimate import PathEstimate
from openvoice.media.path.sent import SentPackets
from openvoice.media.reports import PeerReport
from openvoice.testing.impairment import Conditions, Impairment

FEEDBACK = 0.1
"""Seconds between two reports of arrivals."""
PACKET = 1100
FRAME = 1 / 30


class Clock:
    """Runs what is due, in order, without waiting."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    def at(self, time: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._due, (max(time, self.now), next(self._order), act))

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self._due and self._due[0][0] <= end:
            self.now, _, act = heapq.heappop(self._due)
            act()
        self.now = end


@dataclass(kw_only=True)
class Flow:
    """Pictures 30 times a second, as many octets as the estimate says, and what the peer says about them."""

    clock: Clock
    link: Impairment
    tells: str = "arrivals"
    """``arrivals``, ``remb``, ``reports`` or ``nothing``."""
    most: float = 8000.0
    """kbit/s that its pictures take at most."""
    back: float = 0.02
    """Seconds from the peer to here."""
    seed: int = 0
    estimate: PathEstimate = field(default_factory=PathEstimate)
    trace: list[tuple[float, float]] = field(default_factory=list)
    delays: list[tuple[float, float]] = field(default_factory=list)
    """When each packet came, and how long it took."""

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._sent = SentPackets()
        self._reported: dict[int, float] = {}
        self._next_reported = 0
        self._number = 0
        self._came = 0
        self._counted = (0, 0)
        self._report_due = 0.0
        self._debt = 0.0
        self._begin = self.clock.now
        self._frame()
        self._tell()
        self._tick()

    @property
    def received(self) -> float:
        """kbit/s that came in the last second."""
        return sum(PACKET * 8 / 1000 for time, _ in self.delays if time > self.clock.now - 1)

    def _frame(self) -> None:
        now = self.clock.now
        self._debt += min(self.estimate.rate, self.most) * 1000 / 8 * FRAME * self._random.uniform(0.7, 1.3)
        count, self._debt = int(self._debt // PACKET), self._debt % PACKET
        for index in range(count):
            self.clock.at(now + index * FRAME / max(count, 1) * 0.7, self._send)
        self.clock.at(now + FRAME, self._frame)

    def _send(self) -> None:
        now = self.clock.now
        self._sent.add(PACKET, now)
        self.estimate.sent(PACKET, now)
        number, self._number = self._number, self._number + 1
        for departure in self.link.departures(PACKET - 28, now):
            self.clock.at(departure, lambda: self._arrive(number, now))

    def _arrive(self, number: int, sent: float) -> None:
        self._reported.setdefault(number, self.clock.now)
        self._came += 1
        self.delays.append((self.clock.now, self.clock.now - sent))

    def _tell(self) -> None:
        if self.tells != "nothing" and self._reported:
            highest = max(self._reported)
            told = [
                (number & 0xFFFF, None if (at := self._reported.get(number)) is None else round(at * 4000) / 4000)
                for number in range(self._next_reported, highest + 1)
            ]
            expected, came = highest + 1, self._came
            self._next_reported = highest + 1
            self._reported = {}
            if self.tells == "arrivals":
                self.clock.at(self.clock.now + self.back, lambda: self._hear(told))
            elif self.tells == "remb":
                late = self.delays[-1][1] > self.link.conditions.delay + 0.05
                bound = (0.85 if late else 1.5) * self.received
                self.clock.at(self.clock.now + self.back, lambda: self.estimate.remb(bound, self.clock.now))
            if self.tells in ("remb", "reports") and self.clock.now >= self._report_due:
                self._report_due = self.clock.now + 1.0
                self._report(expected, came)
        self.clock.at(self.clock.now + FEEDBACK, self._tell)

    def _report(self, expected: int, came: int) -> None:
        new, received = expected - self._counted[0], came - self._counted[1]
        self._counted = expected, came
        lost = max(0, new - received)
        trip = self.delays[-1][1] + self.back
        self.clock.at(
            self.clock.now + self.back,
            lambda: self.estimate.report(
                PeerReport(time=self.clock.now, loss=lost / max(new, 1), lost=lost, expected=new, round_trip=trip),
                self.clock.now,
            ),
        )

    def _hear(self, told: list[tuple[int, float | None]]) -> None:
        self.estimate.outcomes(self._sent.outcomes(told), self.clock.now)

    def _tick(self) -> None:
        self.estimate.tick(self.clock.now)
        self.trace.append((self.clock.now - self._begin, self.estimate.rate))
        self.clock.at(self.clock.now + 0.1, self._tick)


def path(
    rate: float | None, *, loss: float = 0.0, delay: float = 0.02, queue: float = 0.2, seed: int = 1
) -> Impairment:
    return Impairment(Conditions(rate=rate, loss=loss, delay=delay, queue=queue), seed=seed)
