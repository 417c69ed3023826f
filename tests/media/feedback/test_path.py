from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiortc.rtp import RtcpPsfbPacket, RtpPacket, unpack_remb_fci

from openvoice.core.description import Content, Feedback, HeaderExtension, Source
from openvoice.media import rtcp
from openvoice.media.feedback.arrivals import ArrivalReport
from openvoice.media.feedback.path import PathFeedback, make_path_feedback
from openvoice.media.video.negotiation import REMB, TRANSPORT_CC, TRANSPORT_WIDE
from tests.media.audio import virtual_time
from tests.media.audio.network import Network, Way
from tests.media.video.streams import PLAIN, content

OWN = Source(1, "name")
WIDE = HeaderExtension(3, TRANSPORT_WIDE)


def described(*feedback: Feedback, extensions: tuple[HeaderExtension, ...] = (WIDE,)) -> list[Content]:
    return [replace(content(feedback=feedback), header_extensions=extensions)]


def make(sent: list[bytes], *feedback: Feedback) -> PathFeedback:
    made = make_path_feedback(described(*feedback), OWN, sent.append)
    assert made is not None
    return made


def packet(number: int, *, send_time: float | None = None, size: int = 1000) -> RtpPacket:
    made = RtpPacket(payload_type=PLAIN, sequence_number=number & 0xFFFF, ssrc=7, payload=bytes(size))
    made.timestamp = round(number * 3000) & 0xFFFFFFFF
    made.extensions.transport_sequence_number = number & 0xFFFF
    made.extensions.abs_send_time = None if send_time is None else round(send_time * 2**18) & 0xFFFFFF
    return made


def test_who_agreed_on_nothing_is_told_nothing() -> None:
    assert make_path_feedback(described(Feedback("nack")), OWN, lambda _: None) is None
    assert make_path_feedback(described(TRANSPORT_CC, extensions=()), OWN, lambda _: None) is None


def test_arrivals_are_told_ten_times_a_second_and_of_many_packets_more_often() -> None:
    sent: list[bytes] = []

    async def call(packets_a_second: int) -> list[ArrivalReport]:
        sent.clear()
        feedback = make(sent, REMB, TRANSPORT_CC)
        for number in range(2 * packets_a_second):
            feedback.handle_rtp(packet(number), asyncio.get_running_loop().time())
            await asyncio.sleep(1 / packets_a_second)
        feedback.handle_rtp(packet(5000), asyncio.get_running_loop().time())
        feedback.close()
        await asyncio.sleep(1)
        return [each for data in sent for each in rtcp.parse(data) if isinstance(each, ArrivalReport)]

    reports = virtual_time.run(call(60))
    assert 17 <= len(reports) <= 20
    assert [number for report in reports for number, _ in report.arrivals][:110] == list(range(110))
    assert all(report.ssrc == 1 and report.media_ssrc == 7 for report in reports)
    assert 35 <= len(virtual_time.run(call(400))) <= 42


def test_packets_without_a_number_are_passed_over() -> None:
    sent: list[bytes] = []

    async def call() -> None:
        feedback = make(sent, TRANSPORT_CC)
        feedback.handle_rtp(RtpPacket(payload_type=PLAIN), 1.0)
        await asyncio.sleep(1)

    virtual_time.run(call())
    assert sent == []


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize(("limit", "least", "most"), [(300_000, 150, 330), (None, 950, 8000)])
def test_who_has_only_remb_is_told_what_the_path_takes(
    timed: bool, limit: float | None, least: float, most: float
) -> None:
    """A sender that follows what it is told, three packets a picture, over a link with a queue."""
    sent: list[bytes] = []
    feedback = make(sent, REMB)
    way = Way(Network(delay=0.02, queue=1.0) if limit is None else Network(delay=0.02, rate=limit, queue=1.0))
    told, rates = 500.0, []
    arrivals: list[tuple[float, RtpPacket]] = []
    for number in range(30 * 40):
        departure = 1 + number / 30
        for piece in range(3):
            size = max(100, round(told * 1000 / 8 / 30 / 3) - 56)
            made = packet(3 * number + piece, send_time=departure + piece * 0.003 if timed else None, size=size)
            made.timestamp = number * 3000
            arrival = way.arrival(departure + piece * 0.003, size + 12)
            if arrival is not None:
                arrivals.append((arrival, made))
        while arrivals and arrivals[0][0] <= departure:
            arrival, made = arrivals.pop(0)
            feedback.handle_rtp(made, arrival)
        for data in sent:
            (message,) = [each for each in rtcp.parse(data) if isinstance(each, RtcpPsfbPacket)]
            rate, ssrcs = unpack_remb_fci(message.fci)
            assert ssrcs == [7]
            told = rate / 1000
        sent.clear()
        rates.append(told)
    settled = rates[30 * 10 :]
    assert least <= sum(settled) / len(settled) <= most
    assert min(rates) > 40
