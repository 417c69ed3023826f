from __future__ import annotations

import random

import pytest

from openvoice.media.path.jitter import Jitter


def measured(delays: list[float]) -> float:
    """Of packets that are sent every 10 ms and told of ten times a second."""
    jitter = Jitter()
    for index, delay in enumerate(delays):
        jitter.add(index / 100, delay)
        if index % 10 == 9:
            jitter.judge(0.1)
    return jitter.seconds


def test_delays_that_stray_are_measured() -> None:
    stray = random.Random(1)
    assert 0.06 < measured([stray.uniform(0, 0.12) for _ in range(500)]) < 0.12


@pytest.mark.parametrize("change", [0.3, -0.3])
def test_a_queue_that_only_grows_or_only_drains_is_none(change: float) -> None:
    assert measured([5 + change * index / 100 for index in range(500)]) == 0


def test_what_pictures_wait_behind_each_other_is_none() -> None:
    assert measured([index % 4 * 0.007 for index in range(500)]) == 0


def test_it_is_forgotten() -> None:
    stray = random.Random(1)
    assert measured([stray.uniform(0, 0.12) for _ in range(500)] + [0.05] * 1000) < 0.005


def test_seldom_packets_show_it_too() -> None:
    jitter = Jitter()
    for index in range(40):
        jitter.add(index / 4, index % 2 * 0.1)
        jitter.judge(0.25)
    assert jitter.seconds == pytest.approx(0.07, rel=0.1)
