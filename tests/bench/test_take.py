"""The clocks of a take."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE
from tests.bench.take import Clock, Ear, Mouth

NUMBERS = np.arange(0, 60 * SAMPLE_RATE, FRAME_SAMPLES)
TIMES = 1000 + NUMBERS / SAMPLE_RATE


def test_blocks_that_were_read_late_do_not_move_the_clock() -> None:
    late = np.where(np.arange(len(TIMES)) % 7 == 0, 0.2, 0.0)
    assert Clock(NUMBERS, TIMES + late).at(SAMPLE_RATE * 10) == pytest.approx(1010)


def test_a_clock_that_drifts_is_right_everywhere() -> None:
    clock = Clock(NUMBERS, 1000 + NUMBERS * 1.0002 / SAMPLE_RATE)
    for second in (2, 30, 58):
        assert clock.at(second * SAMPLE_RATE) == pytest.approx(1000 + second * 1.0002, abs=1e-4)


def test_a_clock_goes_on_before_its_first_and_after_its_last_block() -> None:
    clock = Clock(NUMBERS[100:200], TIMES[100:200])
    assert clock.at(0) == pytest.approx(1000)
    assert clock.at(100 * SAMPLE_RATE) == pytest.approx(1100)


def test_stalls_are_blocks_that_came_more_than_30_ms_late() -> None:
    late = np.zeros(len(TIMES))
    late[[5, 50, 500]] = 0.031, 0.2, 0.029
    assert Clock(NUMBERS, TIMES + late).stalls() == 2


def test_what_is_late_from_some_moment_on_is_no_stall() -> None:
    late = np.where(np.arange(len(TIMES)) > 700, 0.2, 0.0)
    assert Clock(NUMBERS, TIMES + late).stalls() == 0


def test_a_mouth_has_spoken_a_frame_at_its_end_and_an_ear_hears_it_from_its_begin() -> None:
    mouth, ear = Mouth(np.arange(2 * FRAME_SAMPLES, dtype=np.int16)), Ear()
    while (frame := mouth.read()) is not None:
        ear.write(frame)
    np.testing.assert_array_equal(ear.samples(), np.arange(2 * FRAME_SAMPLES))
    # Both blocks came now: the first sample was spoken a frame ago, and is heard now.
    assert ear.clock().at(0) - mouth.clock().at(0) == pytest.approx(FRAME_SECONDS, abs=0.005)
