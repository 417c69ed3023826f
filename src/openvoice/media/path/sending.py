"""One transport as a path to send on: voice passes at once, pictures as the path takes them.

Knows the event loop; what it decides with is pure and beside it.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, unpack_remb_fci

from openvoice.media.feedback.arrivals import ArrivalReport
from openvoice.media.path.allocation import Demand, Pause, share
from openvoice.media.path.arriving import ArrivalRate
from openvoice.media.path.estimate import PathEstimate
from openvoice.media.path.pacer import Pacer, Waiting
from openvoice.media.path.sent import SentPackets
from openvoice.media.reports import PeerReport

OVERHEAD = 44
"""Octets of a packet on the wire beside the plain one: IPv4 20, UDP 8, and 16 of SRTP's AES-GCM (RFC 7714)."""
_TICK = 0.1
"""Seconds between two looks at the time."""
_NOTEWORTHY = 0.02
"""The share of a change of rate that a stream is told of."""


class PathStream(Protocol):
    """A stream of pictures that shares a path. Called on the event loop of the path."""

    demand: Demand

    def allocated(self, rate: float) -> None:
        """It may send ``rate`` kbit/s on the wire from now on; 0 is nothing at all."""
        ...

    def overtaken(self) -> None:
        """Packets of it became too old to be sent and were dropped: only a key frame helps."""
        ...


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A packet of about ``octets`` before protection, of the ``picture`` with that number; ``None``: it is sent again.

    ``make`` writes it when it leaves: it gets the transport-wide sequence number (16 bits) and the time in seconds. It
    may give nothing, if there is nothing more to send.
    """

    octets: int
    picture: int | None
    make: Callable[[int, float], bytes | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class PathStatistics:
    """``available`` is what pictures may take and ``voice`` what voice takes, in kbit/s on the wire.

    ``waiting`` is the seconds that pictures wait to leave, ``loss`` the share of them that was lost lately;
    ``round_trip`` is in seconds, as far as known.
    """

    available: float
    voice: float
    waiting: float
    loss: float
    round_trip: float | None


class SendingPath:
    """Of one :class:`~openvoice.media.transport.MediaTransport`; ``transmit`` protects and sends one plain RTP packet.

    To be made on the event loop that it is used on.
    """

    def __init__(self, transmit: Callable[[bytes], None]) -> None:
        self._transmit = transmit
        self._loop = asyncio.get_running_loop()
        self._estimate = PathEstimate()
        self._pause = Pause()
        self._pacer = Pacer(self._estimate.rate)
        self._sent = SentPackets()
        self._voice = ArrivalRate()
        self._pictures = ArrivalRate()
        self._streams: dict[PathStream, float] = {}
        """What each was told last that it may send."""
        self._leaving: asyncio.TimerHandle | None = None
        self._ticking: asyncio.TimerHandle | None = None
        self._closed = False

    def send_voice(self, packet: bytes) -> None:
        """Send one RTP packet of voice, before everything that waits."""
        self._voice.add(self._loop.time(), len(packet) + OVERHEAD)
        self._transmit(packet)

    def join(self, stream: PathStream) -> None:
        """Let it have its share; it is told how much at once, and whenever that changes."""
        if stream in self._streams or self._closed:
            return
        self._streams[stream] = -1.0
        self._allocate()
        if self._ticking is None:
            self._tick()

    def leave(self, stream: PathStream) -> None:
        """It sends no more: what waits of it is dropped."""
        if self._streams.pop(stream, None) is not None:
            self._pacer.drop(stream)
            self._allocate()

    def send(self, stream: PathStream, packets: Sequence[Outgoing]) -> None:
        """Send packets of a stream that has joined, in order, as the path takes them."""
        if stream not in self._streams:
            return
        now = self._loop.time()
        self._pacer.add([self._waiting(stream, packet, now) for packet in packets])
        self._drop_old(now)
        self._leave_due()

    def begin_anew(self) -> None:
        """The transport goes another way from now on: what was learnt of the one before says nothing of it."""
        self._estimate, self._pause = PathEstimate(), Pause()
        self._sent.forget()
        self._allocate()

    def handle_rtcp(self, packets: Sequence[Any], arrival: float) -> None:
        """Take the parts of an authenticated compound packet of this transport, whatever they are about."""
        for packet in packets:
            if isinstance(packet, ArrivalReport):
                self._estimate.outcomes(self._sent.outcomes(packet.arrivals), arrival)
            elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
                bound = _remb(packet.fci)
                if bound is not None:
                    self._estimate.remb(bound, arrival)
        self._allocate()

    def report(self, report: PeerReport) -> None:
        """What a receiver report says about one of the streams."""
        self._estimate.report(report, report.time)
        self._allocate()

    def voice_reported(self, report: PeerReport) -> None:
        """What a receiver report about voice says; see :class:`~openvoice.media.audio.stream.SharedPath`."""
        if report.round_trip is not None:
            self._estimate.round_trip = report.round_trip

    @property
    def yields(self) -> bool:
        """Whether pictures send more than their least, so that it is for them to make room when the path is full."""
        least = sum(stream.demand.least for stream, rate in self._streams.items() if rate > 0)
        return bool(least) and self._pictures.rate_at(self._loop.time()) > least

    @property
    def waiting(self) -> float:
        """Seconds until all pictures that wait will have left. May be asked on any thread."""
        return self._pacer.backlog

    def statistics(self) -> PathStatistics:
        """What was measured until now."""
        return PathStatistics(
            available=0.0 if self._pause.paused else self._estimate.rate,
            voice=self._voice.rate_at(self._loop.time()),
            waiting=self._pacer.backlog,
            loss=self._estimate.loss,
            round_trip=self._estimate.round_trip,
        )

    def close(self) -> None:
        """Stop every timer. Twice is once."""
        self._closed = True
        self._streams.clear()
        for timer in (self._leaving, self._ticking):
            if timer is not None:
                timer.cancel()

    def _waiting(self, stream: PathStream, packet: Outgoing, now: float) -> Waiting:
        def leave(moment: float) -> None:
            number = self._sent.next
            plain = packet.make(number, moment)
            if plain is not None:
                octets = len(plain) + OVERHEAD
                self._sent.add(octets, moment)
                self._estimate.sent(octets, moment)
                self._pictures.add(moment, octets)
                self._transmit(plain)

        return Waiting(stream, packet.picture, packet.octets + OVERHEAD, now, leave)

    def _leave_due(self) -> None:
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
        if self._closed:
            return
        now = self._loop.time()
        try:
            while (packet := self._pacer.take(now)) is not None:
                packet.leave(now)
        finally:
            due = self._pacer.due
            if due is not None:
                self._leaving = self._loop.call_at(due, self._leave_due)

    def _drop_old(self, now: float) -> None:
        for owner in self._pacer.drop_old(now):
            if owner in self._streams:
                owner.overtaken()

    def _tick(self) -> None:
        self._ticking = None
        if not self._streams or self._closed:
            return
        now = self._loop.time()
        self._estimate.tick(now)
        self._drop_old(now)
        self._allocate()
        self._ticking = self._loop.call_later(_TICK, self._tick)

    def _allocate(self) -> None:
        demands = [stream.demand for stream in self._streams]
        if not demands:
            return
        now = self._loop.time()
        least = demands[0].least
        if self._pause.update(self._estimate.rate, least, now):
            self._estimate.presume(least, now)
        available = 0.0 if self._pause.paused else self._estimate.rate
        self._pacer.rate = max(self._estimate.rate, least)
        for stream, rate in zip(list(self._streams), share(available, demands), strict=True):
            told = self._streams.get(stream)
            if told is not None and (abs(rate - told) > _NOTEWORTHY * told or (rate == 0) != (told == 0)):
                self._streams[stream] = rate
                stream.allocated(rate)


def _remb(data: bytes) -> float | None:
    """kbit/s, if it is a message of that kind."""
    try:
        bits, _ = unpack_remb_fci(data)
    except (ValueError, IndexError, struct.error):
        return None
    return min(bits, 10**9) / 1000
