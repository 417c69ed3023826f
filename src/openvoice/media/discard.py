"""A content that is received and thrown away: nobody here can read it, and refusing it would end the call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiortc.rtp import RtcpRrPacket, RtcpSdesPacket, RtcpSourceInfo, RtpPacket

from openvoice.core.description import Source

REPORT_INTERVAL = 5.0
"""Seconds between RTCP reports (RFC 3550, 6.2)."""


class DiscardedStream:
    """Counts what arrives, and reports as RFC 3550 demands of a receiver.

    The first report leaves at once: Dino takes a transport for ready only when a packet arrived on it.
    """

    def __init__(self, source: Source, send_rtcp: Callable[[bytes], None]) -> None:
        self._source = source
        self._send_rtcp = send_rtcp
        self._timer: asyncio.TimerHandle | None = None
        self.packets_discarded = 0

    def start_reports(self) -> None:
        self.close()
        ssrc, cname = self._source.ssrc, self._source.cname.encode()
        name = RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=ssrc, items=[(1, cname)])])
        self._send_rtcp(bytes(RtcpRrPacket(ssrc=ssrc)) + bytes(name))
        self._timer = asyncio.get_running_loop().call_later(REPORT_INTERVAL, self.start_reports)

    def handle_rtp(self, packet: RtpPacket, arrival: float) -> None:
        self.packets_discarded += 1

    def handle_rtcp(self, packets: list[Any], arrival: float) -> None:
        """Nothing that is said is of use."""

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
