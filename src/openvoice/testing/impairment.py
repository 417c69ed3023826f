"""A bad network path as a pure, seeded model: datagrams in, their departure times out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

HEADER_BYTES = 28
"""IPv4 and UDP headers, which take their share of a link's rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """What a path does to datagrams. Times are seconds, shares between 0 and 1. Raises ``ValueError`` for nonsense."""

    loss: float = 0.0
    """Share that is lost."""
    burst: float | None = None
    """Mean number lost in a row (Gilbert's model); ``None`` loses each by itself."""
    delay: float = 0.0
    jitter: float = 0.0
    """How much the delay strays to either side, uniformly."""
    reorder: bool = False
    """Whether datagrams may overtake each other by jitter."""
    duplicate: float = 0.0
    """Share that comes twice."""
    rate: float | None = None
    """kbit/s, headers included; ``None`` is no limit."""
    queue: float = 0.2
    """How long a datagram may wait for the rate. One that would wait longer is dropped."""
    cut: bool = False
    """Nothing passes."""

    def __post_init__(self) -> None:
        if not 0 <= self.loss < 1 or not 0 <= self.duplicate <= 1:
            raise ValueError("loss and duplicate are shares; to lose everything, cut the link")
        if min(self.delay, self.jitter, self.queue) < 0:
            raise ValueError("times are not negative")
        if self.rate is not None and self.rate <= 0:
            raise ValueError("a rate is positive; to stop everything, cut the link")
        if self.burst is not None and self.burst < max(1.0, self.loss / (1 - self.loss)):
            raise ValueError("runs of losses that short cannot make up so large a share")


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkStatistics:
    """What happened to the datagrams of one direction so far."""

    datagrams: int = 0
    payload_bytes: int = 0
    lost: int = 0
    overflowed: int = 0
    """Dropped because the queue was full."""
    duplicated: int = 0
    reordered: int = 0


class Impairment:
    """One direction of a path. The same seed, datagrams, times and conditions give the same fate."""

    def __init__(self, conditions: Conditions | None = None, *, seed: int = 0) -> None:
        self.conditions = conditions or Conditions()
        """May be replaced at any time, for the datagrams that come after."""
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._in_burst = False
        self._line_free_at = 0.0
        self._latest = 0.0
        self._statistics = LinkStatistics()

    @property
    def statistics(self) -> LinkStatistics:
        return self._statistics

    def departures(self, size: int, now: float) -> tuple[float, ...]:
        """When a datagram of ``size`` payload bytes that comes at ``now`` leaves: not at all, once, or twice."""
        self._count(datagrams=1, payload_bytes=size)
        if self.conditions.cut or self._is_lost():
            self._count(lost=1)
            return ()
        on_the_line = self._through_the_queue(size, now)
        if on_the_line is None:
            self._count(overflowed=1)
            return ()
        conditions = self.conditions
        copies = 1
        if conditions.duplicate and self._random.random() < conditions.duplicate:
            self._count(duplicated=1)
            copies = 2
        return tuple(self._delayed(on_the_line) for _ in range(copies))

    def _is_lost(self) -> bool:
        loss, burst = self.conditions.loss, self.conditions.burst
        if not loss:
            self._in_burst = False
        elif burst is None:
            return self._random.random() < loss
        elif self._in_burst:
            self._in_burst = self._random.random() >= 1 / burst
        else:
            # In balance, as many runs begin as end: share of good * begin = share of lost / burst.
            self._in_burst = self._random.random() < loss / (burst * (1 - loss))
        return self._in_burst

    def _through_the_queue(self, size: int, now: float) -> float | None:
        if self.conditions.rate is None:
            return now
        begins = max(now, self._line_free_at)
        if begins - now > self.conditions.queue:
            return None
        self._line_free_at = begins + (size + HEADER_BYTES) * 8 / (self.conditions.rate * 1000)
        return self._line_free_at

    def _delayed(self, time: float) -> float:
        jitter = self._random.uniform(-self.conditions.jitter, self.conditions.jitter) if self.conditions.jitter else 0
        departure = time + max(0.0, self.conditions.delay + jitter)
        if departure < self._latest:
            if not self.conditions.reorder:
                return self._latest
            self._count(reordered=1)
        self._latest = max(self._latest, departure)
        return departure

    def _count(self, **more: int) -> None:
        counted = {name: getattr(self._statistics, name) + number for name, number in more.items()}
        self._statistics = replace(self._statistics, **counted)
