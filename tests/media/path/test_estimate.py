"""What an estimate makes of paths that are narrow, lossy, shared, or silent; on a virtual clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.path.estimate import FIRST, LEAST, MOST, PathEstimate
from openvoice.media.path.sent import Outcome, SentPackets
from openvoice.media.reports import PeerReport
from openvoice.testing.impairment import Conditions, Impairment
from tests.media.path.bottleneck import Clock, Flow, path


def rates(flow: Flow, begin: float, end: float) -> list[float]:
    return [rate for time, rate in flow.trace if begin <= time < end]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def share(flow: Flow, delay: float, begin: float = 0.0) -> float:
    """Of the packets that came after ``begin``, those that took longer than ``delay``."""
    late = [taken > delay for time, taken in flow.delays if time >= begin]
    return sum(late) / len(late)


def test_a_path_of_300_kbits_is_held() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(300))
    clock.run(40)
    assert 240 < mean(rates(flow, 5, 40)) < 300
    assert flow.link.statistics.overflowed == 0
    assert share(flow, 0.2, clock.now - 35) < 0.02


def test_a_path_of_3_mbits_is_used_soon() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000))
    clock.run(40)
    assert min(rates(flow, 4, 40)) > 1500
    assert 2200 < mean(rates(flow, 5, 40)) < 3000
    assert flow.link.statistics.overflowed == 0
    assert share(flow, 0.1) < 0.01


def test_a_step_down_is_followed_within_a_second_and_a_step_up_within_fifteen() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000))
    clock.run(15)
    flow.link.conditions = replace(flow.link.conditions, rate=300)
    clock.run(20)
    flow.link.conditions = replace(flow.link.conditions, rate=3000)
    clock.run(20)
    assert max(rates(flow, 16, 35)) < 400
    assert min(rates(flow, 50, 55)) > 1500
    # A second of 3 Mbit/s is 340 packets; what was under way cannot be helped.
    assert flow.link.statistics.overflowed < 250


@pytest.mark.parametrize("loss", [0.02, 0.05, 0.1])
def test_loss_by_chance_is_not_taken_for_a_full_path(loss: float) -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000, loss=loss))
    clock.run(40)
    assert mean(rates(flow, 5, 40)) > 2000
    assert min(rates(flow, 8, 40)) > 1400


@pytest.mark.parametrize(("jitter", "loss", "least"), [(0.015, 0.05, 1500), (0.03, 0.05, 1500), (0.05, 0.0, 1500)])
def test_jitter_is_not_taken_for_a_queue(jitter: float, loss: float, least: float) -> None:
    clock = Clock()
    conditions = Conditions(delay=0.04 + jitter, jitter=jitter, loss=loss)
    flow = Flow(clock=clock, link=Impairment(conditions, seed=1), back=0.04 + jitter, most=1500)
    clock.run(40)
    assert mean(rates(flow, 5, 40)) > least


def test_a_policer_with_hardly_a_queue_is_heeded_by_its_loss() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(1000, queue=0.01))
    clock.run(40)
    lost = flow.link.statistics.overflowed / flow.link.statistics.datagrams
    assert 500 < mean(rates(flow, 10, 40)) < 1300
    assert lost < 0.2


def test_two_flows_share_a_path() -> None:
    clock = Clock()
    link = path(2000)
    first = Flow(clock=clock, link=link)
    clock.run(10)
    second = Flow(clock=clock, link=link, seed=5)
    clock.run(90)
    one, other = mean(rates(first, 70, 100)), mean(rates(second, 60, 90))
    assert one + other > 1400
    assert max(one, other) < 3 * min(one, other)


def test_feedback_that_stops_makes_ever_less() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000))
    clock.run(10)
    flow.tells = "nothing"
    clock.run(6)
    assert rates(flow, 12, 12.2)[0] < 800
    assert flow.estimate.rate == LEAST
    flow.tells = "arrivals"
    clock.run(15)
    assert flow.estimate.rate > 1500


def test_receiver_reports_alone_do() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(1000), tells="reports")
    clock.run(60)
    assert 600 < mean(rates(flow, 20, 60)) < 1300


@pytest.mark.parametrize("bound", [0.0, 1e-9, 1e6])
def test_no_estimate_of_the_peer_is_taken_beyond_reason(bound: float) -> None:
    estimate = PathEstimate()
    for second in range(60):
        estimate.remb(bound, float(second))
        assert LEAST <= estimate.rate <= MOST


def test_the_own_estimate_of_the_peer_bounds() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(1000), tells="remb")
    clock.run(40)
    assert 600 < mean(rates(flow, 15, 40)) < 1300
    estimate = PathEstimate()
    estimate.remb(50.0, 1.0)
    assert estimate.rate == 50.0


def test_arrivals_count_before_the_own_estimate_of_the_peer() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000))
    clock.run(5)
    flow.estimate.remb(50.0, clock.now)
    assert flow.estimate.rate > 1000


def test_pictures_that_need_little_do_not_raise_the_rate_beyond_what_is_known() -> None:
    clock = Clock()
    flow = Flow(clock=clock, link=path(3000), most=400)
    clock.run(30)
    assert 400 < flow.estimate.rate < 1000


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e6),
            st.one_of(st.none(), st.floats(-1e9, 1e9)),
            st.integers(1, 65535),
            st.floats(-10, 10),
        ),
        max_size=120,
    )
)
def test_no_nonsense_leads_out_of_the_bounds(told: list[tuple[float, float | None, int, float]]) -> None:
    estimate = PathEstimate()
    now = 0.0
    for sent, arrived, octets, step in told:
        now += abs(step)
        estimate.sent(octets, now)
        estimate.outcomes([Outcome(sent, arrived, octets)], now)
        estimate.report(PeerReport(time=now, loss=1.0, lost=octets, expected=octets, round_trip=abs(step)), now)
        estimate.remb(sent, now)
        estimate.tick(now + step)
        assert LEAST <= estimate.rate <= MOST


@given(
    st.lists(st.integers(1, 1500), max_size=50),
    st.lists(st.tuples(st.integers(0, 65535), st.one_of(st.none(), st.floats(-1e9, 1e9))), max_size=200),
)
def test_only_what_was_sent_is_told_and_each_once(sizes: list[int], told: list[tuple[int, float | None]]) -> None:
    packets = SentPackets()
    for index, size in enumerate(sizes):
        packets.add(size, float(index))
    came = [each for each in packets.outcomes(told) if each.arrived is not None]
    missed = [each for each in packets.outcomes(told) if each.arrived is None]
    assert len({each.sent for each in came}) == len(came) <= len(sizes)
    assert len(missed) <= len(sizes)
    assert all(sizes[int(each.sent)] == each.octets for each in came)


def _rate_of_one_heard_every(interval: float, word: Callable[[PathEstimate, float], None], until: float) -> float:
    """What an estimate dares that hears ``word`` every so many seconds, while 100 kbit/s leave."""
    estimate, due = PathEstimate(), 0.5
    for step in range(int(until * 20)):
        now = step / 20
        estimate.sent(625, now)
        if now >= due:
            due += interval
            word(estimate, now)
        estimate.tick(now)
    return estimate.rate


def test_estimates_of_the_peer_that_come_once_a_second_are_no_silence() -> None:
    assert _rate_of_one_heard_every(1.02, lambda estimate, now: estimate.remb(140.0, now), 10.0) == 140.0


def test_receiver_reports_that_come_as_rarely_as_the_standard_allows_are_no_silence() -> None:
    def report(estimate: PathEstimate, now: float) -> None:
        estimate.report(PeerReport(time=now, loss=0.0, expected=50, round_trip=0.01), now)

    assert _rate_of_one_heard_every(6.2, lambda estimate, now: report(estimate, now), 20.0) >= FIRST


def test_a_peer_whose_estimates_end_gets_ever_less() -> None:
    assert _rate_of_one_heard_every(100.0, lambda estimate, now: estimate.remb(140.0, now), 15.0) <= 70.0


def test_what_the_peer_itself_estimates_is_followed_between_reports() -> None:
    estimate = PathEstimate()
    for step in range(100):
        now = step / 10
        estimate.sent(round(estimate.rate * 12.5), now)
        if step % 10 == 9:
            estimate.remb(800.0, now)
        estimate.tick(now)
    assert estimate.rate == 800.0
