from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.reserve import RecoveryReserve


def noted(*losses: tuple[float, int]) -> RecoveryReserve:
    reserve = RecoveryReserve()
    for n, (moment, distance) in enumerate(losses):
        reserve.note(n, distance, moment)
    return reserve


def test_without_loss_nothing_is_waited_for() -> None:
    assert RecoveryReserve().wanted(100.0) == 0


def test_one_loss_is_waited_for_a_few_seconds() -> None:
    reserve = noted((10.0, 960))
    assert reserve.wanted(10.0) == reserve.wanted(14.0) == 960
    assert reserve.wanted(17.0) == 0


def test_the_longest_distance_that_is_still_needed_counts() -> None:
    reserve = noted((10.0, 1920), *((10.0 + n / 2, 960) for n in range(8)))
    assert reserve.wanted(15.0) == 1920
    assert reserve.wanted(16.5) == 960
    assert reserve.wanted(17.0) == 0


@pytest.mark.parametrize("share", [0.02, 0.05, 0.2])
def test_under_lasting_loss_the_wait_is_steady(share: float) -> None:
    chance = random.Random(5)
    reserve = RecoveryReserve()
    waits = []
    for n in range(3000):
        if chance.random() < share:
            reserve.note(n, 960, n / 50)
        waits.append(reserve.wanted(n / 50))
    assert waits[500:].count(960) > 0.97 * 2500
    assert reserve.wanted(3000 / 50 + 12) == 0


def test_what_came_late_was_not_lost() -> None:
    reserve = noted((10.0, 960), (10.02, 1920))
    reserve.forget(1)
    assert reserve.wanted(10.1) == 960
    reserve.reset()
    assert reserve.wanted(10.1) == 0


def test_a_loss_counts_once() -> None:
    reserve = RecoveryReserve()
    for _ in range(100):
        reserve.note(7, 960, 10.0)
    reserve.forget(7)
    assert reserve.wanted(10.0) == 0


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5760), st.floats(0, 20)), max_size=60))
def test_the_wait_is_one_that_was_needed_and_ends(losses: list[tuple[int, int, float]]) -> None:
    reserve = RecoveryReserve()
    for start, distance, step in losses:
        reserve.note(start, distance, step)
        assert reserve.wanted(step) in {0, *(distance for _, distance, _ in losses)}
    assert reserve.wanted(40.0) == 0
