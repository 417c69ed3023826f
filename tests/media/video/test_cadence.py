from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.cadence import Cadence, OutputGuard


@pytest.mark.parametrize("rate", [30, 15, 10, 5])
@pytest.mark.parametrize("uneven", [0.0, 0.01])
def test_pictures_are_thinned_out_to_the_rate(rate: float, uneven: float) -> None:
    cadence, chance = Cadence(rate), random.Random(1)
    times = [number / 30 + chance.uniform(-uneven, uneven) for number in range(900)]
    taken = [time for time in times if cadence.takes(time)]
    assert len(taken) == pytest.approx(30 * rate, rel=0.03)
    assert max(after - before for before, after in itertools.pairwise(taken)) < 1.7 / rate


def test_a_slow_source_is_taken_whole() -> None:
    cadence = Cadence(30)
    assert all(cadence.takes(number / 7) for number in range(50))


def test_a_clock_that_jumps_stops_nothing() -> None:
    cadence = Cadence(30)
    for begin in (0.0, 1e6, 5.0):
        assert sum(cadence.takes(begin + number / 30) for number in range(30)) >= 29


def test_what_is_too_large_holds_up_what_follows() -> None:
    guard = OutputGuard(800.0)
    sent = 0
    for number in range(300):
        if guard.allows(number / 30):
            guard.add(20_000)
            sent += 20_000
    assert sent * 8 / 1000 / 10 == pytest.approx(800, rel=0.1)


def test_what_keeps_to_the_rate_is_never_held_up() -> None:
    guard, chance = OutputGuard(800.0), random.Random(2)
    for number in range(3000):
        assert guard.allows(number / 30)
        guard.add(round(3333 * chance.uniform(0.4, 1.5)))


def test_what_was_made_for_another_rate_is_no_debt_of_this_one() -> None:
    guard = OutputGuard(8000.0)
    assert guard.allows(0.0)
    guard.add(400_000)
    guard.bitrate = 80.0
    assert not guard.allows(0.1)
    assert guard.allows(0.2)
    guard.add(400_000)
    assert not guard.allows(10.0)
    guard.forgive()
    assert guard.allows(10.1)


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 100_000)), max_size=100), st.floats(1, 5000))
def test_no_encoder_gets_beyond_the_rate_by_more_than_one_picture(
    pictures: list[tuple[float, int]], bitrate: float
) -> None:
    guard = OutputGuard(bitrate)
    now, octets = 0.0, 0
    for step, size in pictures:
        now += step
        if guard.allows(now):
            assert octets * 8 / 1000 <= bitrate * (now + 0.25) + 1e-6
            guard.add(size)
            octets += size
