"""A network made from a seed: which packets come, and when."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.ports import FRAME_SECONDS

Span = tuple[float, float]
"""From, to: seconds after the first packet."""

NEVER: Span = (0.0, 0.0)
ALWAYS: Span = (0.0, math.inf)
HEADERS = 28
"""Octets of IPv4 and UDP before each datagram."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """What becomes of packets; the same seed, the same fates.

    ``loss`` is a share, ``burst`` the mean length of a run of lost packets (Gilbert). Each packet takes ``delay``
    seconds and up to ``jitter`` more; only with ``reorder`` it may overtake. ``drift`` is by how many millionths the
    sender's clock is slow: the packets come later and later, or with a negative drift sooner and sooner until ``delay``
    is used up. A link of ``rate`` bits a second (headers of IPv4 and UDP count) holds back at most ``queue`` seconds
    and drops the rest, in the time ``limited``. What is sent in the time ``cut`` is lost; what is sent in the time
    ``held`` comes at its end.
    """

    loss: float = 0.0
    burst: float = 1.0
    jitter: float = 0.0
    delay: float = 0.0005
    reorder: bool = False
    drift: float = 0.0
    rate: float = math.inf
    queue: float = 0.3
    limited: Span = ALWAYS
    cut: Span = NEVER
    held: Span = NEVER
    seed: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.loss < 1 and self.burst >= 1 and self.jitter >= 0 and self.delay >= 0):
            raise ValueError(f"no network has {self.loss=}, {self.burst=}, {self.jitter=}, {self.delay=}")
        if not (self.rate > 0 and self.queue >= 0 and abs(self.drift) < 100_000):
            raise ValueError(f"no network has {self.rate=}, {self.queue=}, {self.drift=}")

    def fates(self) -> Iterator[float | None]:
        """For each packet in turn by how many seconds ``delay`` and ``jitter`` delay it, or ``None`` for lost."""
        chance = random.Random(self.seed)
        lost = False
        while True:
            if self.burst == 1:
                lost = chance.random() < self.loss
            else:
                leave = 1 / self.burst
                enter = leave * self.loss / (1 - self.loss)
                lost = chance.random() >= leave if lost else chance.random() < enter
            late = self.delay + chance.random() * self.jitter
            yield None if lost else late

    def arrivals(self, departures: Sequence[float], octets: int = 0) -> list[tuple[float, int]]:
        """(arrival, index) of the packets of ``octets`` that come, in the order of their coming."""
        way = Way(self)
        arrivals = []
        for index, departure in enumerate(departures):
            arrival = way.arrival(departure, octets)
            if arrival is not None:
                arrivals.append((arrival, index))
        return sorted(arrivals)


class Way:
    """One direction through a network, packet by packet."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._fates = network.fates()
        self._first: float | None = None
        self._free = self._last = -math.inf

    def arrival(self, departure: float, octets: int = 0) -> float | None:
        """When a packet of ``octets`` (without IP and UDP) that leaves now arrives, or ``None``: never."""
        network = self._network
        if self._first is None:
            self._first = departure
        late = next(self._fates)
        elapsed = departure - self._first
        if late is None or _within(elapsed, network.cut):
            return None
        sent = departure
        if network.rate < math.inf and _within(elapsed, network.limited):
            begin = max(departure, self._free)
            if begin - departure > network.queue:
                return None
            self._free = sent = begin + 8 * (octets + HEADERS) / network.rate
        arrival = max(departure, sent + late + network.drift * 1e-6 * elapsed)
        if _within(elapsed, network.held):
            arrival = max(arrival, self._first + network.held[1])
        if not network.reorder:
            arrival = self._last = max(arrival, self._last)
        return arrival


def _within(elapsed: float, span: Span) -> bool:
    return span[0] <= elapsed < span[1]


def play(
    buffer: PlayoutBuffer,
    packets: Sequence[tuple[float, int, bytes]],
    *,
    until: float,
    phase: float = 0.007,
    payload_type: int = 111,
) -> list[Samples]:
    """Bring (arrival, timestamp, payload) to ``buffer`` and pull from it every 20 ms; the frames pulled."""
    waiting = sorted(packets, key=lambda packet: packet[0])
    place, heard = 0, []
    for tick in range(round(until / FRAME_SECONDS)):
        now = phase + tick * FRAME_SECONDS
        while place < len(waiting) and waiting[place][0] <= now:
            arrival, timestamp, payload = waiting[place]
            buffer.insert(payload_type, timestamp, payload, arrival)
            place += 1
        heard.append(buffer.pull(now))
    return heard
