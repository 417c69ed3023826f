from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media import rtcp
from openvoice.media.feedback.arrivals import MAXIMUM_STATUSES, ArrivalReport
from openvoice.media.feedback.log import ArrivalLog


def told(report: ArrivalReport | None) -> dict[int, float | None]:
    assert report is not None
    (read,) = rtcp.parse(bytes(report))
    return dict(read.arrivals)


def test_what_came_is_told_once_and_what_is_missing_between() -> None:
    log = ArrivalLog()
    for n in (0, 1, 3):
        log.add(65_534 + n & 0xFFFF, 100 + n / 100)
    assert log.waiting == 4
    assert told(log.report(1, 2)) == {65_534: 100.0, 65_535: 100.01, 0: None, 1: 100.03}
    assert log.report(1, 2) is None
    assert log.waiting == 0


def test_a_packet_that_came_late_is_told_with_those_after_it() -> None:
    log = ArrivalLog()
    for n in (0, 1, 3):
        log.add(n, 100 + n / 100)
    log.report(1, 2)
    log.add(2, 100.2)
    log.add(4, 100.25)
    assert told(log.report(1, 2)) == {2: 100.2, 3: 100.03, 4: 100.25}


def test_reports_are_counted() -> None:
    log = ArrivalLog()
    numbers = []
    for n in range(300):
        log.add(n, 100 + n / 10)
        report = log.report(1, 2)
        assert report is not None
        numbers.append(report.number)
    assert numbers == [n & 0xFF for n in range(300)]


def test_a_number_that_comes_twice_came_when_it_came_first() -> None:
    log = ArrivalLog()
    log.add(5, 100.0)
    log.add(5, 100.1)
    assert told(log.report(1, 2)) == {5: 100.0}


def test_after_a_long_pause_only_what_is_new_is_told() -> None:
    log = ArrivalLog()
    log.add(5, 100.0)
    log.add(6, 200.0)
    assert told(log.report(1, 2)) == {6: pytest.approx(200.0)}


@pytest.mark.parametrize("uptime", [0.0, 1e6, 1e8])
def test_the_uptime_of_this_machine_makes_no_difference(uptime: float) -> None:
    log = ArrivalLog()
    for n in range(20):
        log.add(n, uptime + n * 0.0333)
    times = [time for time in told(log.report(1, 2)).values() if time is not None]
    assert times[-1] - times[0] == pytest.approx(19 * 0.0333, abs=0.0003)


@given(
    st.lists(
        st.tuples(st.integers(0, 65_535) | st.integers(0, 50), st.floats(0, 8) | st.floats(0, 0.05), st.booleans()),
        max_size=60,
    )
)
def test_whatever_numbers_a_peer_sends_each_report_can_be_written_and_is_true(
    packets: list[tuple[int, float, bool]],
) -> None:
    log, now = ArrivalLog(), 1000.0
    came: dict[int, list[float]] = {}
    for sequence, wait, report in packets:
        now += wait
        log.add(sequence, now)
        came.setdefault(sequence, []).append(now)
        assert log.waiting <= MAXIMUM_STATUSES
        if report and log.waiting:
            for each, time in told(log.report(1, 2)).items():
                assert time is None or any(abs(time - moment) < 0.0003 for moment in came[each])
