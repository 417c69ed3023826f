from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.level import SILENCE, LevelMeter, level
from tests.media.audio.sound import frames, tone


def test_levels_are_in_decibels_of_full_scale() -> None:
    assert level(np.full(960, -32768, np.int16)) == pytest.approx(0)
    assert level(tone(1000, amplitude=32_767)) == pytest.approx(-3.01, abs=0.01)
    assert level(tone(1000, amplitude=3277)) == pytest.approx(-23.01, abs=0.01)


def test_silence_and_nothing_have_the_least_level() -> None:
    assert level(np.zeros(960, np.int16)) == SILENCE
    assert level(np.zeros(0, np.int16)) == SILENCE


def test_the_meter_follows_within_half_a_second() -> None:
    meter = LevelMeter()
    assert meter.level == SILENCE
    for frame in frames(tone(1000, 0.5, amplitude=3277)):
        meter.add(frame)
    assert meter.level == pytest.approx(-23.3, abs=0.5)
    for _ in range(25):
        meter.add(np.zeros(960, np.int16))
    assert meter.level < -33
