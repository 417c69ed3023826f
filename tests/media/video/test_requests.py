from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from aiortc.rtp import RTCP_PSFB_FIR, RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket
from aiortc.rtp import RtpPacket as Packet
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.requests import History, KeyRequests, asked_packets, asks_for_key

OURS = 0x12345678


def nack(*lost: int, ssrc: int = OURS) -> RtcpRtpfbPacket:
    return RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=ssrc, lost=list(lost))


def feedback(fmt: int, media_ssrc: int = OURS, data: bytes = b"") -> RtcpPsfbPacket:
    return RtcpPsfbPacket(fmt=fmt, ssrc=1, media_ssrc=media_ssrc, fci=data)


def test_what_is_asked_for_is_read_and_what_is_for_others_is_not() -> None:
    packets: list[Any] = [RtcpRrPacket(ssrc=1), nack(7, 65536), nack(9, ssrc=5), nack(*range(2000))]
    assert list(asked_packets(packets, OURS))[:3] == [7, 0, 0]
    assert len(list(asked_packets(packets, OURS))) == 258


def test_key_pictures_are_asked_for_in_two_ways() -> None:
    entry = OURS.to_bytes(4, "big") + bytes([1, 0, 0, 0])
    other = bytes(8)
    assert asks_for_key(feedback(RTCP_PSFB_PLI), OURS)
    assert asks_for_key(feedback(RTCP_PSFB_FIR, 0, other + entry), OURS)
    for nothing in (
        feedback(RTCP_PSFB_PLI, 5),
        feedback(RTCP_PSFB_FIR, OURS, other),
        feedback(RTCP_PSFB_FIR, OURS, entry[:7]),
        feedback(15),
        nack(1),
    ):
        assert not asks_for_key(nothing, OURS)


@given(st.integers(0, 31), st.binary(max_size=40))
def test_no_feedback_breaks_anything(fmt: int, data: bytes) -> None:
    assert asks_for_key(feedback(fmt, 5, data), OURS) in (True, False)


def packet(sequence: int) -> Packet:
    return Packet(sequence_number=sequence, payload=b"x")


def test_a_packet_is_given_again_once_in_a_round_trip_and_not_for_ever() -> None:
    history = History()
    history.add(packet(7), 1.0)
    assert history.again(8, 0.1, 1.1) is None
    given = [now / 100 for now in range(110, 400) if history.again(7, 0.1, now / 100)]
    assert len(given) == 8
    assert all(0.1 <= after - before < 0.12 for before, after in pairwise(given))


def test_what_is_too_old_is_not_given() -> None:
    history = History()
    history.add(packet(7), 1.0)
    assert history.again(7, 0.1, 3.5) is None
    for sequence in range(2000):
        history.add(packet(sequence), 4.0)
    assert history.again(500, 0.1, 4.0) is None
    assert history.again(1500, None, 4.0) is not None


def test_a_number_that_comes_round_again_is_the_new_packet() -> None:
    history = History()
    old, new = packet(7), packet(7)
    history.add(old, 1.0)
    history.add(new, 1.5)
    assert history.again(7, 0.1, 1.6) is new


def test_key_pictures_are_made_at_once_but_not_all_the_time() -> None:
    requests = KeyRequests()
    assert not requests.due(0.0)
    made = []
    for now in range(300):
        requests.ask(now / 100, 0.05)
        if requests.due(now / 100):
            requests.made(now / 100)
            made.append(now / 100)
    assert made == pytest.approx([0.0, 0.5, 1.0, 1.5, 2.0, 2.5])


def test_who_cannot_have_seen_the_last_key_picture_gets_no_other() -> None:
    requests = KeyRequests()
    requests.made(1.0)
    requests.ask(1.1, 0.2)
    assert not requests.due(5.0)
    requests.ask(1.25, 0.2)
    assert not requests.due(1.3)
    assert requests.due(1.5)
