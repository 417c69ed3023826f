from __future__ import annotations

import pytest
from aiortc.rtp import RtcpByePacket, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.synchronisation import Hearing, SenderClock, Synchronisation


def report(time: float, timestamp: int, ssrc: int = 7) -> RtcpSrPacket:
    return RtcpSrPacket(ssrc, RtcpSenderInfo(round(time * 2**32), timestamp, 0, 0))


def test_timestamps_are_read_on_the_clock_of_the_sender_over_their_wrap() -> None:
    clock = SenderClock(7, 48_000)
    assert clock.time_of(5) is None
    clock.handle(report(3.9e9, 2**32 - 24_000))
    assert clock.time_of(2**32 - 24_000) == pytest.approx(3.9e9, abs=1e-3)
    assert clock.time_of(24_000) == pytest.approx(3.9e9 + 1, abs=1e-3)
    assert clock.time_of(2**32 - 72_000) == pytest.approx(3.9e9 - 1, abs=1e-3)


def test_reports_of_other_sources_tell_nothing() -> None:
    clock = SenderClock(7, 48_000)
    clock.handle(report(1000.0, 0, ssrc=8))
    assert clock.time_of(0) is None


def test_what_is_heard_now_tells_when_the_rest_is_heard() -> None:
    synchronisation = Synchronisation()
    assert synchronisation.heard_at(5000.0, 0.0) is None
    for n in range(100):
        synchronisation.hear(5000 + n * 0.02, 10 + n * 0.02)
    assert synchronisation.heard_at(5010.0, 12.0) == pytest.approx(20.0)


def test_small_steps_of_the_playout_are_smoothed_and_large_ones_followed() -> None:
    synchronisation = Synchronisation()
    for n in range(200):
        synchronisation.hear(5000 + n * 0.02 + n % 2 * 0.02, 10 + n * 0.02)
    assert synchronisation.heard_at(5000.0, 13.98) == pytest.approx(9.99, abs=0.003)
    synchronisation.hear(5004.0, 15.0)
    assert synchronisation.heard_at(5004.0, 15.0) == pytest.approx(15.0)


def test_a_voice_that_is_not_played_any_more_says_nothing() -> None:
    synchronisation = Synchronisation()
    synchronisation.hear(5000.0, 10.0)
    assert synchronisation.heard_at(5001.0, 11.0) == pytest.approx(11.0)
    assert synchronisation.heard_at(5003.0, 13.0) is None


def test_the_stream_that_is_heard_tells_once_its_reports_came() -> None:
    synchronisation = Synchronisation()
    hearing = Hearing(synchronisation)
    hearing.play(7, 48_000, 0, 10.0)
    assert synchronisation.heard_at(5000.0, 10.0) is None
    hearing.handle([report(4000.0, 0, ssrc=8), RtcpByePacket(sources=[7]), report(5000.0, 0)])
    hearing.play(7, 48_000, 24_000, 10.0)
    assert synchronisation.heard_at(5001.0, 10.0) == pytest.approx(10.5)
    hearing.play(9, 48_000, 0, 10.1)
    assert synchronisation.heard_at(5001.0, 10.1) == pytest.approx(10.5), "of another stream nothing is known"


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_whatever_a_report_claims_it_is_a_time(ntp: int, reported: int, timestamp: int) -> None:
    clock = SenderClock(7, 90_000)
    clock.handle(RtcpSrPacket(7, RtcpSenderInfo(ntp, reported, 0, 0)))
    time = clock.time_of(timestamp)
    assert time is not None
    assert abs(time - ntp / 2**32) <= 2**31 / 90_000
