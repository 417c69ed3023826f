"""Contents that nothing plays."""

from __future__ import annotations

from aiortc.rtp import RtcpPacket, RtcpRrPacket, RtcpSdesPacket, RtpPacket

from openvoice.core.description import Source
from openvoice.media.discard import DiscardedStream


async def test_a_report_leaves_at_once_and_what_comes_is_counted() -> None:
    sent: list[bytes] = []
    stream = DiscardedStream(Source(42, "me"), sent.append)
    stream.start_reports()
    report, source = RtcpPacket.parse(sent[0])
    assert isinstance(report, RtcpRrPacket)
    assert isinstance(source, RtcpSdesPacket)
    assert source.chunks[0].items == [(1, b"me")]
    assert report.ssrc == source.chunks[0].ssrc == 42
    stream.handle_rtp(RtpPacket(), 0.0)
    stream.handle_rtp(RtpPacket(), 0.0)
    assert stream.packets_discarded == 2
    stream.close()
    stream.close()
