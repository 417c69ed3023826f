from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.audio.delay import DelayEstimate


def test_nothing_is_known_before_the_first_packet() -> None:
    assert DelayEstimate().needed is None
    assert DelayEstimate().least is None


def test_the_first_packets_are_met_with_caution() -> None:
    estimate = DelayEstimate()
    estimate.add(5.0)
    assert estimate.needed == pytest.approx(5.022)


def test_a_steady_network_needs_no_more_than_the_margin() -> None:
    estimate = DelayEstimate()
    for _ in range(200):
        estimate.add(5.0)
    assert estimate.needed == pytest.approx(5.002)


def test_jitter_is_waited_for_and_a_single_straggler_is_not() -> None:
    chance = random.Random(1)
    estimate = DelayEstimate()
    for _ in range(200):
        estimate.add(chance.uniform(0, 0.06))
    estimate.add(1.0)
    assert estimate.needed is not None
    assert 0.055 < estimate.needed < 0.066


def given_pieces(*highs: float) -> DelayEstimate:
    """A quarter of a second of each."""
    estimate = DelayEstimate()
    for high in highs:
        for _ in range(12):
            estimate.add(high)
    return estimate


def test_it_rises_within_packets_and_falls_as_soon_as_a_spike_is_over() -> None:
    estimate = given_pieces(*[0.0] * 40)
    for _ in range(2):
        estimate.add(0.1)
    assert estimate.needed == pytest.approx(0.107)
    for _ in range(13):
        estimate.add(0.0)
    assert estimate.needed == pytest.approx(0.002)


def test_what_comes_again_is_waited_for_until_it_stays_away() -> None:
    spikes = [0.0] * 25 + [0.15] + [0.0] * 14 + [0.1] + [0.0]
    assert given_pieces(*spikes).needed == pytest.approx(0.107)
    assert given_pieces(*spikes, *[0.0] * 16).needed == pytest.approx(0.002)


def test_a_route_that_was_longer_for_a_while_is_over_a_second_after_it() -> None:
    route = [0.0] * 20 + [0.1] * 20
    assert given_pieces(*route).needed == pytest.approx(0.107)
    assert given_pieces(*route, *[0.0] * 2).needed == pytest.approx(0.107)
    assert given_pieces(*route, *[0.0] * 3).needed == pytest.approx(0.002)


def test_no_usual_lateness_is_waited_for_longer_than_a_fifth_of_a_second() -> None:
    estimate = given_pieces(*[0.0, 0.5] * 20, 0.0, 0.0)
    assert estimate.needed == pytest.approx(0.212)


def test_at_the_beginning_whatever_came_late_is_waited_for() -> None:
    assert given_pieces(0.0, 0.1, 0.0, 0.0).needed == pytest.approx(0.107)
    assert given_pieces(*[0.0] * 11, 0.1, 0.0, 0.0).needed == pytest.approx(0.002)


def test_what_is_hardly_later_than_usual_is_waited_for_also_if_it_is_rare() -> None:
    estimate = DelayEstimate()
    for packet in range(1000):
        estimate.add(0.012 if packet % 200 == 100 else 0.0)
    assert estimate.needed is not None
    assert 0.012 < estimate.needed < 0.016


def test_clocks_that_drift_apart_are_followed_within_four_milliseconds() -> None:
    for drift in (-0.0002, 0.0002):
        estimate = DelayEstimate()
        for packet in range(5000):
            estimate.add(packet * 0.02 * drift)
            assert estimate.needed is not None
            if packet > 100:
                assert abs(estimate.needed - packet * 0.02 * drift) < 0.0045


def test_reset_forgets() -> None:
    estimate = given_pieces(0.5)
    estimate.reset()
    assert estimate.needed is None
    estimate.add(0.1)
    assert estimate.least == 0.1


def test_a_lateness_that_lasts_is_believed_with_the_second_packet() -> None:
    estimate = given_pieces(*[0.0] * 20)
    estimate.add(0.02)
    assert estimate.needed == pytest.approx(0.002)
    estimate.add(0.02)
    assert estimate.needed == pytest.approx(0.023)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=600))
@settings(max_examples=50)
def test_it_is_never_below_the_fastest_nor_far_above_what_came(offsets: list[float]) -> None:
    estimate = DelayEstimate()
    for offset in offsets:
        estimate.add(offset)
    assert estimate.needed is not None
    assert estimate.least is not None
    recent = offsets[-492:]
    assert min(recent) <= estimate.least <= estimate.needed
    assert estimate.needed <= max(recent) + 0.05 * 0.2 + 0.002 + 0.02 + 1e-9
