from __future__ import annotations

import contextlib

import pytest
from aiortc.rtp import RtcpByePacket, RtcpPsfbPacket, RtcpRrPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media import rtcp
from openvoice.media.feedback.arrivals import ArrivalReport

REPORT = ArrivalReport(ssrc=1, media_ssrc=2, number=3, base=4, reference=5, deltas=(6, None, 7))


def test_all_parts_of_a_compound_packet_are_read() -> None:
    request = RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)
    data = bytes(RtcpRrPacket(ssrc=1)) + bytes(REPORT) + bytes(request)
    assert rtcp.parse(data) == [RtcpRrPacket(ssrc=1), REPORT, request]


def test_a_part_that_nobody_can_read_spoils_none_of_the_others() -> None:
    broken = bytes.fromhex("8fcd0003 00000001 00000002 00000fff")
    assert rtcp.parse(broken + bytes(RtcpByePacket(sources=[7]))) == [RtcpByePacket(sources=[7])]


def test_no_datagram_has_more_arrival_reports_than_can_be_read_in_a_moment() -> None:
    """In 24 octets a report may tell of 8191 packets that did not come."""
    assert len(rtcp.parse(bytes(REPORT) * 60)) == rtcp.MOST_ARRIVAL_REPORTS


@given(st.lists(st.sampled_from([bytes(REPORT), bytes(RtcpRrPacket(ssrc=1))]) | st.binary(max_size=40), max_size=4))
def test_whatever_comes_it_is_read_or_refused(parts: list[bytes]) -> None:
    with contextlib.suppress(ValueError):
        rtcp.parse(b"".join(parts))


@pytest.mark.parametrize("data", [b"", b"\x80", bytes.fromhex("80c90002 00000001"), bytes.fromhex("40c90000")])
def test_what_is_no_rtcp_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="RTCP"):
        rtcp.parse(data)
