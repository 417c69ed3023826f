from __future__ import annotations

import random

import pytest

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
    assert 0.055 < estimate.needed < 0.063


def test_it_rises_within_packets_and_falls_within_seconds() -> None:
    estimate = DelayEstimate()
    for _ in range(200):
        estimate.add(0.0)
    for _ in range(8):
        estimate.add(0.1)
    assert estimate.needed == pytest.approx(0.102)
    for _ in range(199):
        estimate.add(0.0)
    assert estimate.needed == pytest.approx(0.002)


def test_equal_offsets_leave_the_window_one_by_one() -> None:
    estimate = DelayEstimate()
    for offset in [0.5] * 200 + [0.25] * 200:
        estimate.add(offset)
    assert estimate.least == 0.25
    assert estimate.needed == pytest.approx(0.252)
    estimate.reset()
    assert estimate.needed is None


def test_a_lateness_that_lasts_is_believed_with_the_second_packet() -> None:
    estimate = DelayEstimate()
    for _ in range(100):
        estimate.add(0.0)
    estimate.add(0.02)
    assert estimate.needed == pytest.approx(0.002)
    estimate.add(0.02)
    assert estimate.needed == pytest.approx(0.022)
    estimate.add(0.0)
    assert estimate.needed == pytest.approx(0.002)


def test_a_little_more_jitter_than_usual_changes_nothing_at_once() -> None:
    estimate = DelayEstimate()
    for offset in [0.0] * 100 + [0.004] * 3:
        estimate.add(offset)
    assert estimate.needed == pytest.approx(0.002)
