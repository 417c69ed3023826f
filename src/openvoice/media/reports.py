"""RTCP of one stream each way: sender and receiver reports, and the name of the source (RFC 3550, 6).

Time is an argument, in seconds on any steady clock: RFC 3550, 6.4.1 lets a sender without need of the time of day count
from whenever it likes, and then no report tells how this machine's clock is set.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiortc.rtp import (
    RTCP_RTPFB_NACK,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
)

from openvoice.core.description import Source
from openvoice.media.unwrap import Unwrapper

_REPORT_INTERVAL = 1.0
"""Seconds between two reports of a stream, on average: how the peer protects what it sends, and what it takes the path
for, follows what they say."""
_CNAME = 1
"""96 random bits for each call, so that no two calls can be linked by it (RFC 7022, 4.2)."""
_MOST_REQUESTED = 17
"""Sequence numbers: what one entry of a generic NACK can say."""
_MOST_SOURCES = 8
"""Sources of one transport whose last sender report is remembered."""
_SHORTEST_INTERVAL = 0.1
"""Seconds from one report to the next that is read: a datagram holds fifty, and each makes this side think."""
_NEW_SOURCE = 3000
"""Sequence numbers that a stream may jump before it counts as another one: MAX_DROPOUT of RFC 3550, A.1."""


def until_next_report() -> float:
    """Seconds to wait: not in step with anybody else's reports (RFC 3550, 6.3.1)."""
    return _REPORT_INTERVAL * (0.5 + secrets.randbelow(1000) / 1000)


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerReport:
    """What the peer reports at ``time`` about our packets: it missed the share ``loss`` of those since its last report.

    Those were ``expected``, and ``lost`` of them never came; both 0 in its first. ``round_trip`` is in seconds.
    """

    time: float
    loss: float
    lost: int = 0
    expected: int = 0
    round_trip: float | None = None


class ReceptionStatistics:
    """What became of the packets of one source (RFC 3550, A.3 and A.8). ``clock_rate`` is in Hz."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        self.ssrc = ssrc
        self.clock_rate = clock_rate
        self._begin()

    def _begin(self) -> None:
        self._sequences = Unwrapper(16)
        self._base: int | None = None
        self._highest = 0
        self._received = 0
        self._transit: float | None = None
        self._timestamp: int | None = None
        self._jitter = 0.0
        self._reported = (0, 0)

    def add(self, packet: RtpPacket, arrival: float) -> None:
        sequence = self._sequences.unwrap(packet.sequence_number)
        if self._base is not None and abs(sequence - self._highest) > _NEW_SOURCE:
            self._begin()
            sequence = self._sequences.unwrap(packet.sequence_number)
        if self._base is None:
            self._base = self._highest = sequence
        self._highest = max(self._highest, sequence)
        self._received += 1
        if packet.timestamp == self._timestamp:
            return  # the later packets of a telephone event keep the time of its first (RFC 4733, 2.2)
        self._timestamp = packet.timestamp
        transit = arrival - packet.timestamp / self.clock_rate
        if self._transit is not None:
            wrap = 2**32 / self.clock_rate
            difference = (transit - self._transit + wrap / 2) % wrap - wrap / 2
            self._jitter += (abs(difference) - self._jitter) / 16
        self._transit = transit

    @property
    def received(self) -> int:
        return self._received

    @property
    def expected(self) -> int:
        return self._highest - self._base + 1 if self._base is not None else 0

    @property
    def lost(self) -> int:
        """Packets that never came; duplicates may make it negative in a report, not here."""
        return max(0, self.expected - self._received)

    @property
    def loss(self) -> float:
        """The share of all packets that never came."""
        return self.lost / self.expected if self.expected else 0.0

    @property
    def jitter(self) -> float:
        """Seconds."""
        return self._jitter

    def report(self, last_report: int, delay: float) -> RtcpReceiverInfo:
        """The report block of RFC 3550, 6.4.1 for the time since the last one."""
        expected = self.expected - self._reported[0]
        lost = expected - (self._received - self._reported[1])
        self._reported = (self.expected, self._received)
        return RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=min(255, 256 * lost // expected) if expected > 0 and lost > 0 else 0,
            packets_lost=max(-(2**23), min(2**23 - 1, self.expected - self._received)),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=min(0xFFFFFFFF, round(self._jitter * self.clock_rate)),
            lsr=last_report,
            dlsr=min(0xFFFFFFFF, round(delay * 65536)),
        )


class Reporter:
    """Writes this side's reports and reads the peer's. ``source`` is the own stream.

    ``reported`` is told what the peer reports about it.
    """

    def __init__(self, source: Source, reported: Callable[[PeerReport], None]) -> None:
        self._source = source
        self._ssrc = source.ssrc
        self._reported = reported
        self._last_reports: dict[int, tuple[int, float]] = {}
        """Of each source: the middle of the time in its last sender report, and when that came."""
        self._counts: tuple[int, int] | None = None
        self._read_at = -math.inf
        self.remote_loss = 0.0
        """The share of our packets that the peer missed, by its last report."""
        self.round_trip: float | None = None
        """Seconds."""

    def compound(
        self,
        now: float,
        *,
        reception: ReceptionStatistics | None,
        packets_sent: int,
        octets_sent: int,
        timestamp: int,
    ) -> bytes:
        """One compound packet (RFC 3550, 6.1). ``timestamp`` is the RTP time of ``now``."""
        blocks: list[RtcpReceiverInfo] = []
        if reception is not None:
            last_report, came = self._last_reports.get(reception.ssrc, (0, now))
            blocks.append(reception.report(last_report, now - came))
        report: RtcpSrPacket | RtcpRrPacket
        if packets_sent:
            sender = RtcpSenderInfo(
                ntp_timestamp=_ntp(now),
                rtp_timestamp=timestamp,
                packet_count=packets_sent & 0xFFFFFFFF,
                octet_count=octets_sent & 0xFFFFFFFF,
            )
            report = RtcpSrPacket(ssrc=self._ssrc, sender_info=sender, reports=blocks)
        else:
            report = RtcpRrPacket(ssrc=self._ssrc, reports=blocks)
        return bytes(report) + _description(self._source)

    def request(self, sequences: Sequence[int], ssrc: int) -> bytes:
        """One compound packet that asks for packets of ``ssrc`` once more (RFC 4585, 6.2.1); at least one, in order."""
        return feedback(self._source, missing(self._source.ssrc, ssrc, sequences))

    def requested(self, packets: Sequence[Any]) -> list[int]:
        """The sequence numbers that the peer asks for, of those packets the first few."""
        return [
            sequence & 0xFFFF
            for packet in packets
            if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK and packet.media_ssrc == self._ssrc
            for sequence in packet.lost[:_MOST_REQUESTED]
        ]

    def handle(self, packets: Sequence[Any], arrival: float) -> None:
        """Read what the peer reports. Everything but reports is passed over.

        A goodbye (RFC 3550, 6.6) as well: it is for the signalling to say that a call is over, and while packets
        come it is not.
        """
        for packet in packets:
            if isinstance(packet, RtcpSrPacket):
                self._last_reports.pop(packet.ssrc, None)
                self._last_reports[packet.ssrc] = packet.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF, arrival
                if len(self._last_reports) > _MOST_SOURCES:
                    del self._last_reports[next(iter(self._last_reports))]
            if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
                for block in packet.reports:
                    if block.ssrc == self._ssrc and arrival - self._read_at >= _SHORTEST_INTERVAL:
                        self._read_at = arrival
                        self._read(block, arrival)

    def _read(self, block: RtcpReceiverInfo, arrival: float) -> None:
        self.remote_loss = block.fraction_lost / 256
        round_trip = None
        if block.lsr:
            elapsed = (_ntp(arrival) >> 16) - block.lsr - block.dlsr & 0xFFFFFFFF
            # What the peer claims may be nonsense: a negative time, or hours.
            if elapsed < 60 * 65536:
                self.round_trip = round_trip = elapsed / 65536
        before, self._counts = self._counts, (block.highest_sequence, block.packets_lost)
        lost = expected = 0
        if before is not None:
            expected = block.highest_sequence - before[0] & 0xFFFFFFFF
            # Nonsense again, or another beginning.
            expected = expected if expected < _NEW_SOURCE else 0
            lost = min(expected, max(0, block.packets_lost - before[1]))
        self._reported(
            PeerReport(time=arrival, loss=self.remote_loss, lost=lost, expected=expected, round_trip=round_trip)
        )


def feedback(source: Source, *messages: bytes) -> bytes:
    """One compound packet of ``source`` with feedback messages (RFC 4585, 3.1).

    It has no report block: so short a time says nothing of the share of loss.
    """
    return bytes(RtcpRrPacket(ssrc=source.ssrc)) + _description(source) + b"".join(messages)


def _description(source: Source) -> bytes:
    return bytes(RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=source.ssrc, items=[(_CNAME, source.cname.encode())])]))


def missing(ssrc: int, media_ssrc: int, sequences: Sequence[int]) -> bytes:
    """A generic NACK (RFC 4585, 6.2.1) by ``ssrc`` for packets of ``media_ssrc``; at least one, in order."""
    # aiortc cannot write what lies on both sides of the wrap of the sequence in one.
    groups = [[each for each in sequences if (each >= sequences[0]) is before] for before in (True, False)]
    requests = [
        RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=ssrc, media_ssrc=media_ssrc, lost=group) for group in groups if group
    ]
    return b"".join(map(bytes, requests))


def _ntp(moment: float) -> int:
    """Seconds as the 64 bits of an NTP timestamp."""
    return round(moment * 2**32) & 0xFFFFFFFFFFFFFFFF
