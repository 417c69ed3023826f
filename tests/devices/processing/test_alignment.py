from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.devices.processing.alignment import BLOCK_SAMPLES, FIRST_BLOCKS, Alignment

PPM = 1e-6


class Clocks:
    """Two devices: what they tell is wrong by a millisecond or so, and now and then late by much more."""

    def __init__(self, drift: float = 0.0, error: float = 48.0, seed: int = 1) -> None:
        self.alignment = Alignment()
        self.place = 10_000.0
        self.drift = drift
        self._error = error
        self._random = random.Random(seed)

    def block(self) -> tuple[float, float] | None:
        """One block, and by how many samples the place used is wrong, and the step."""
        late = self._random.expovariate(1 / 480) if self._random.random() < 0.02 else 0.0
        used = self.alignment.follow(self.place + self._random.gauss(0, self._error) + late)
        error = None if used is None else (used[0] - self.place, used[1])
        self.place += BLOCK_SAMPLES * (1 + self.drift)
        return error

    def blocks(self, count: int) -> list[tuple[float, float]]:
        return [error for _ in range(count) if (error := self.block()) is not None]


def test_nothing_is_used_before_some_blocks_were_told() -> None:
    clocks = Clocks()
    assert [clocks.block() for _ in range(FIRST_BLOCKS - 1)] == [None] * (FIRST_BLOCKS - 1)
    assert clocks.block() is not None


@pytest.mark.parametrize("drift", [0, 20, -50, 200, -200, 1000, -1000])
def test_drift_is_learnt_and_the_place_is_steady(drift: int) -> None:
    clocks = Clocks(drift * PPM)
    clocks.blocks(3000)
    assert clocks.alignment.drift == pytest.approx(drift * PPM, abs=15 * PPM)
    later = clocks.blocks(1000)
    assert max(abs(error) for error, _ in later) < 48
    steps = [step for _, step in later]
    jitter = [(two - one) * BLOCK_SAMPLES for one, two in itertools.pairwise(steps)]
    assert math.sqrt(sum(step**2 for step in jitter) / len(jitter)) < 0.02


def test_places_join_without_a_gap() -> None:
    clocks = Clocks(300 * PPM)
    follow = clocks.alignment.follow
    end: float | None = None
    for number in range(500):
        used = follow(5000 + number * BLOCK_SAMPLES * 1.0003)
        if used is None:
            continue
        assert end is None or used[0] == pytest.approx(end, abs=1e-6)
        end = used[0] + BLOCK_SAMPLES * used[1]


def test_a_stream_that_began_anew_is_found_again_and_its_drift_is_kept() -> None:
    clocks = Clocks(200 * PPM)
    clocks.blocks(3000)
    clocks.place += 4800
    clocks.blocks(60)
    errors = clocks.blocks(300)
    assert max(abs(error) for error, _ in errors[100:]) < 72
    assert clocks.alignment.drift == pytest.approx(200 * PPM, abs=60 * PPM)


def test_a_few_blocks_told_late_change_nothing() -> None:
    clocks = Clocks(error=1.0)
    clocks.blocks(2000)
    before = clocks.alignment.drift
    for _ in range(FIRST_BLOCKS - 1):
        clocks.alignment.follow(clocks.place + 4800)
        clocks.place += BLOCK_SAMPLES
    assert clocks.alignment.drift == pytest.approx(before, abs=20 * PPM)
    assert abs(clocks.blocks(1)[0][0]) < 48


def test_a_machine_that_is_busy_for_a_while_does_not_teach_a_drift() -> None:
    clocks = Clocks(error=10.0)
    clocks.blocks(1000)
    chance = random.Random(2)
    late = 0.0
    for _ in range(1000):
        late = chance.uniform(-700, 700) if chance.random() < 0.03 else late
        clocks.alignment.follow(clocks.place + late)
        clocks.place += BLOCK_SAMPLES
    assert abs(clocks.alignment.drift) < 200 * PPM


def test_moving_moves_the_place_and_nothing_else() -> None:
    clocks = Clocks(100 * PPM)
    clocks.blocks(2000)
    drift = clocks.alignment.drift
    one = clocks.blocks(1)[0][0]
    clocks.alignment.move(-480)
    clocks.place -= 480
    assert clocks.blocks(1)[0][0] == pytest.approx(one, abs=5)
    assert clocks.alignment.drift == pytest.approx(drift, abs=1 * PPM)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=300))
def test_whatever_is_told_the_step_stays_a_number(told: list[float]) -> None:
    alignment = Alignment()
    for place in told:
        used = alignment.follow(place)
        assert used is None or (math.isfinite(used[0]) and math.isfinite(used[1]))
