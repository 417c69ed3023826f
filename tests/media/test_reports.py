from __future__ import annotations

import random

import pytest
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSrPacket,
    RtpPacket,
)
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Source
from openvoice.media.reports import PeerReport, ReceptionStatistics, Reporter


def packet(sequence: int, timestamp: int = 0) -> RtpPacket:
    return RtpPacket(sequence_number=sequence % 65536, timestamp=timestamp % 2**32, ssrc=7)


def reporter(ssrc: int = 1) -> tuple[Reporter, list[PeerReport]]:
    reports: list[PeerReport] = []
    return Reporter(Source(ssrc, "name"), reports.append), reports


def compound(of: Reporter, now: float, *, reception: ReceptionStatistics | None = None, sent: int = 0) -> list[object]:
    data = of.compound(now, reception=reception, packets_sent=sent, octets_sent=120 * sent, timestamp=5)
    return list(RtcpPacket.parse(data))


def test_losses_are_counted_over_the_wrap_of_the_sequence() -> None:
    statistics = ReceptionStatistics(7, 48_000)
    for n in range(1000):
        if n % 10:
            statistics.add(packet(65_000 + n, n * 960), n * 0.02)
    assert statistics.expected == 999
    assert statistics.lost == 99
    assert statistics.loss == pytest.approx(0.0991, abs=1e-4)
    block = statistics.report(0, 0)
    assert block.fraction_lost == 256 * 99 // 999
    assert block.packets_lost == 99
    assert block.highest_sequence == 65_999
    assert statistics.report(0, 0).fraction_lost == 0


def test_duplicates_do_not_make_loss_negative() -> None:
    statistics = ReceptionStatistics(7, 48_000)
    for n in (1, 1, 2, 2, 3):
        statistics.add(packet(n), 0)
    assert statistics.lost == 0
    assert statistics.report(0, 0).packets_lost == -2
    assert statistics.report(0, 0).fraction_lost == 0


def test_jitter_is_that_of_the_standard() -> None:
    # RFC 3550, A.8: every packet 10 ms later or earlier than the one before it, so 10 ms.
    statistics = ReceptionStatistics(7, 8000)
    for n in range(500):
        statistics.add(packet(n, 2**32 - 4000 + n * 160), n * 0.02 + (n % 2) * 0.01)
    assert statistics.jitter == pytest.approx(0.010, rel=0.01)
    assert statistics.report(0, 0).jitter == pytest.approx(80, abs=1)


def test_a_steady_stream_has_no_jitter_though_its_timestamps_wrap_and_events_freeze_them() -> None:
    statistics = ReceptionStatistics(7, 48_000)
    for n in range(100):
        frozen = 2**32 - 20 * 960 + (50 if 50 <= n < 59 else n) * 960
        statistics.add(packet(n, frozen), n * 0.02)
    assert statistics.jitter < 1e-4


def test_a_jump_of_the_sequence_is_a_new_beginning_not_a_loss_of_thousands() -> None:
    statistics = ReceptionStatistics(7, 48_000)
    for n in [*range(100), *range(40_000, 40_100)]:
        statistics.add(packet(n), 0)
    assert statistics.lost == 0


def test_before_the_first_packet_of_voice_a_receiver_report_is_sent() -> None:
    own, _ = reporter()
    report, name = compound(own, 10.0)
    assert report == RtcpRrPacket(ssrc=1, reports=[])
    assert isinstance(name, RtcpSdesPacket)


def test_a_sender_report_says_what_was_sent() -> None:
    own, _ = reporter()
    report = compound(own, 10.5, sent=3)[0]
    assert isinstance(report, RtcpSrPacket)
    info = report.sender_info
    assert (info.packet_count, info.octet_count, info.rtp_timestamp) == (3, 360, 5)
    assert info.ntp_timestamp == round(10.5 * 2**32)


def test_reports_bear_the_canonical_name_of_the_description() -> None:
    sdes = compound(reporter()[0], 0)[1]
    assert isinstance(sdes, RtcpSdesPacket)
    assert sdes.chunks[0].items == [(1, b"name")]


def test_the_round_trip_is_measured_between_two_reporters() -> None:
    alice, losses = reporter(1)
    bob, _ = reporter(2)
    heard_by_bob = ReceptionStatistics(1, 48_000)
    for n in range(100):
        if n % 4:
            heard_by_bob.add(packet(n, n * 960), n * 0.02)
    bob.handle(compound(alice, 100.0, sent=1), 500.030)  # their clocks differ by 400 s; 30 ms there
    alice.handle(compound(bob, 500.530, reception=heard_by_bob, sent=1), 100.600)  # 70 ms back
    assert alice.round_trip == pytest.approx(0.100, abs=1e-3)
    assert alice.remote_loss == pytest.approx(0.24, abs=0.02)
    assert losses == [PeerReport(time=100.6, loss=alice.remote_loss, round_trip=alice.round_trip)]
    assert bob.round_trip is None


def test_the_round_trip_is_that_of_the_source_that_is_reported_whatever_others_share_the_transport() -> None:
    alice, _ = reporter(1)
    other, _ = reporter(3)
    bob, _ = reporter(2)
    heard_by_bob = ReceptionStatistics(1, 48_000)
    heard_by_bob.add(packet(1), 0)
    bob.handle(compound(alice, 100.0, sent=1), 500.030)
    for count in range(7):
        bob.handle(compound(other, 4000.0 + count, sent=1), 500.2)
    alice.handle(compound(bob, 500.530, reception=heard_by_bob, sent=1), 100.600)
    assert alice.round_trip == pytest.approx(0.100, abs=1e-3)


def test_of_how_many_sources_a_report_is_remembered_is_bounded() -> None:
    bob, _ = reporter(2)
    for ssrc in range(1000):
        bob.handle(compound(reporter(ssrc)[0], 100.0, sent=1), 500.0)
    assert len(bob._last_reports) < 10


def report_block(highest: int, lost: int, fraction: int = 0) -> RtcpReceiverInfo:
    return RtcpReceiverInfo(
        ssrc=1, fraction_lost=fraction, packets_lost=lost, highest_sequence=highest, jitter=0, lsr=0, dlsr=0
    )


def test_two_reports_tell_how_many_packets_were_lost_of_how_many_between_them() -> None:
    own, reports = reporter(1)
    for at, block in enumerate((report_block(65_530, 3), report_block(65_580, 8, 25), report_block(65_630, 6))):
        own.handle([RtcpRrPacket(ssrc=2, reports=[block])], float(at))
    assert [(each.lost, each.expected) for each in reports] == [(0, 0), (5, 50), (0, 50)]


@given(blocks=st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(-(2**23), 2**23 - 1)), max_size=20))
def test_nonsense_never_becomes_more_lost_than_sent(blocks: list[tuple[int, int]]) -> None:
    own, reports = reporter(1)
    for at, (highest, lost) in enumerate(blocks):
        own.handle([RtcpRrPacket(ssrc=2, reports=[report_block(highest, lost)])], float(at))
    assert len(reports) == len(blocks)
    assert all(0 <= each.lost <= each.expected < 3000 for each in reports)


def test_of_a_flood_of_reports_few_are_read_and_no_loss_is_forgotten() -> None:
    own, reports = reporter(1)
    own.handle([RtcpRrPacket(ssrc=2, reports=[report_block(0, 0)])], 0.0)
    for number in range(1, 1001):
        own.handle([RtcpRrPacket(ssrc=2, reports=[report_block(number, number // 2)] * 31)] * 2, number / 1000)
    assert 8 <= len(reports) <= 11
    assert sum(each.expected for each in reports) >= 900
    assert sum(each.lost for each in reports) >= 450


def test_a_report_about_somebody_else_is_passed_over() -> None:
    own, losses = reporter(1)
    block = RtcpReceiverInfo(ssrc=9, fraction_lost=255, packets_lost=1, highest_sequence=1, jitter=0, lsr=0, dlsr=0)
    own.handle([RtcpRrPacket(ssrc=2, reports=[block])], 0.0)
    assert losses == []


@given(first=st.integers(0, 65_535), offsets=st.sets(st.integers(0, 40), min_size=1, max_size=20))
def test_what_one_side_asks_for_the_other_reads(first: int, offsets: set[int]) -> None:
    alice, bob = reporter(1)[0], reporter(2)[0]
    wanted = [(first + offset) % 65_536 for offset in sorted(offsets)]
    packets = RtcpPacket.parse(alice.request(wanted, 2))
    assert isinstance(packets[0], RtcpRrPacket)
    assert packets[0].reports == []
    assert isinstance(packets[1], RtcpSdesPacket)
    assert sorted(bob.requested(packets)) == sorted(wanted)[: len(bob.requested(packets))] or len(wanted) > 17
    assert set(bob.requested(packets)) <= set(wanted)
    assert alice.requested(packets) == []


def test_of_a_flood_of_requests_few_are_read() -> None:
    flood = RtcpRtpfbPacket(fmt=1, ssrc=2, media_ssrc=1, lost=list(range(0, 30_000, 17)))
    others = RtcpRtpfbPacket(fmt=15, ssrc=2, media_ssrc=1, lost=[1])
    beyond = RtcpRtpfbPacket(fmt=1, ssrc=2, media_ssrc=1, lost=[65_535, 65_536])
    own = reporter(1)[0]
    assert len(own.requested([flood, others])) == 17
    assert own.requested([beyond]) == [65_535, 0]


@given(st.binary(max_size=200))
def test_any_feedback_is_read_or_refused_as_malformed(body: bytes) -> None:
    own, reports = reporter(1)
    for kind, count in ((205, 1), (205, 15), (201, 1), (200, 1), (207, 1)):
        padded = body + bytes(-len(body) % 4)
        data = bytes([0x80 | count, kind, *(len(padded) // 4).to_bytes(2, "big")]) + padded
        try:
            packets = RtcpPacket.parse(data)
        except ValueError:
            continue
        own.handle(packets, 1.0)
        assert len(own.requested(packets)) <= 17
        assert all(0 <= sequence < 65_536 for sequence in own.requested(packets))
    assert all(0 <= each.lost <= each.expected for each in reports)


def test_a_goodbye_is_passed_over() -> None:
    own, losses = reporter(1)
    own.handle([RtcpByePacket(sources=[2])], 0.0)
    assert (own.remote_loss, own.round_trip, losses) == (0.0, None, [])


@given(
    lsr=st.integers(0, 2**32 - 1), dlsr=st.integers(0, 2**32 - 1), arrival=st.floats(0, 1e6), lost=st.integers(0, 255)
)
def test_nonsense_never_becomes_a_round_trip_of_hours(lsr: int, dlsr: int, arrival: float, lost: int) -> None:
    own, _ = reporter(1)
    block = RtcpReceiverInfo(
        ssrc=1, fraction_lost=lost, packets_lost=0, highest_sequence=0, jitter=0, lsr=lsr, dlsr=dlsr
    )
    own.handle([RtcpRrPacket(ssrc=2, reports=[block])], arrival)
    assert own.round_trip is None or 0 <= own.round_trip < 60
    assert 0 <= own.remote_loss < 1


def test_any_order_of_packets_gives_reports_that_can_be_written() -> None:
    chance = random.Random(4)
    statistics = ReceptionStatistics(7, 48_000)
    own, _ = reporter()
    for _ in range(2000):
        statistics.add(packet(chance.randrange(65536), chance.randrange(2**32)), chance.random() * 100)
        compound(own, chance.random() * 1e6, reception=statistics, sent=1)
