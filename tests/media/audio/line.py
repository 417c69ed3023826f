"""Packets without sound of a sender that adapts, over a network of tests, and reports of them: a call in a moment."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc.rtp import RtcpPacket, RtpPacket

from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.description import Source
from openvoice.media.audio.adaptation import Adaptation
from openvoice.media.audio.protection import Protection
from openvoice.media.audio.shape import Shape
from openvoice.media.reports import PeerReport, ReceptionStatistics, Reporter
from openvoice.ports import FRAME_SECONDS
from tests.media.audio.network import HEADERS, Network, Way

_FRAME_TICKS = 960


@dataclass(frozen=True, slots=True)
class Sent:
    time: float
    shape: Shape
    arrival: float | None

    @property
    def delay(self) -> float:
        return self.arrival - self.time if self.arrival is not None else 0.0


def _pass(links: tuple[Way, ...], departure: float, octets: int) -> float | None:
    """When what leaves now has passed all links, or ``None``: never."""
    moment: float | None = departure
    for link in links:
        moment = None if moment is None else link.arrival(moment, octets)
    return moment


@dataclass(slots=True)
class Line:
    """``way`` to the peer, and ``further`` after it, take our packets, ``back`` the peer's.

    The peer reports every ``interval`` seconds.
    """

    way: Network = field(default_factory=Network)
    further: Network = field(default_factory=lambda: Network(delay=0.0))
    back: Network = field(default_factory=lambda: Network(delay=0.02))
    most: Protection = Protection.COPIES
    bandwidth: float = DEFAULT_BANDWIDTH
    interval: float = 1.0
    sent: list[Sent] = field(default_factory=list)
    adaptation: Adaptation = field(init=False)
    _events: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    _count: int = 0

    def run(self, seconds: float) -> Line:
        """Let so much time pass in one call from its beginning."""
        self.adaptation = Adaptation(self.most, self.bandwidth)
        ours = Reporter(Source(1, "a"), self._heed)
        theirs = Reporter(Source(2, "b"), lambda _: None)
        reception = ReceptionStatistics(1, 48_000)
        back = Way(self.back)
        links = Way(self.way), Way(self.further)
        number = frames = 0
        shape: Shape | None = None

        def speak(now: float) -> None:
            nonlocal number, frames, shape
            shape = shape if frames and shape is not None else self.adaptation.shape
            frames += 1
            if frames == shape.frames:
                frames = 0
                packet = RtpPacket(sequence_number=number % 65536, timestamp=round(now * 48_000) % 2**32, ssrc=1)
                number += 1
                arrival = _pass(links, now, shape.wire_octets - HEADERS)
                self.sent.append(Sent(now, shape, arrival))
                if arrival is not None:
                    self._at(arrival, lambda moment: reception.add(packet, moment))
            self._at(now + FRAME_SECONDS, speak)

        def report(now: float) -> None:
            # Ours, over the same narrow way; the peer's, which answers it.
            data = ours.compound(now, reception=None, packets_sent=number, octets_sent=0, timestamp=0)
            arrival = _pass(links, now, len(data) + 14)
            if arrival is not None:
                self._at(arrival, lambda moment: theirs.handle(RtcpPacket.parse(data), moment))
            self._at(now + 1.0, report)

        def answer(now: float) -> None:
            heard = reception if reception.received else None
            data = theirs.compound(now, reception=heard, packets_sent=0, octets_sent=0, timestamp=0)
            arrival = back.arrival(now, len(data) + 14)
            if arrival is not None:
                self._at(arrival, lambda moment: ours.handle(RtcpPacket.parse(data), moment))
            self._at(now + self.interval, answer)

        self._at(0.0, speak)
        self._at(0.013, report)
        self._at(0.437, answer)
        while self._events and self._events[0][0] < seconds:
            moment, _, what = heapq.heappop(self._events)
            what(moment)
        return self

    def _heed(self, report: PeerReport) -> None:
        self.adaptation.report(report)

    def _at(self, moment: float, what: Callable[[float], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (moment, self._count, what))

    def rates(self, begin: float, end: float) -> list[float]:
        """kbit/s on the wire, of each second."""
        return [
            sum(8 * each.shape.wire_octets for each in self.sent if second <= each.time < second + 1) / 1000
            for second in range(int(begin), int(end))
        ]

    def delay(self, begin: float, end: float) -> float:
        """The longest, in seconds, of the packets that came."""
        return max(each.delay for each in self.sent if begin <= each.time < end)

    def changes(self) -> list[float]:
        """When the shape changed."""
        return [
            after.time for before, after in zip(self.sent, self.sent[1:], strict=False) if before.shape != after.shape
        ]
