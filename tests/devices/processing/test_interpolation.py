from __future__ import annotations

import numpy as np
import pytest

from openvoice.devices.processing.interpolation import REACH, Interpolator


@pytest.mark.parametrize("hertz", [100, 1000, 4000, 8000])
@pytest.mark.parametrize("step", [1.0, 0.999, 1.001])
def test_a_tone_between_its_samples(hertz: int, step: float) -> None:
    places = np.arange(2000)
    tone = np.sin(2 * np.pi * hertz * places / 48_000).astype(np.float32)
    made = Interpolator()(tone, 400.37, step, 480)
    wanted = np.sin(2 * np.pi * hertz * (400.37 + step * np.arange(480)) / 48_000)
    assert np.abs(made - wanted).max() < 10 ** (-55 / 20)


def test_places_on_samples_are_the_samples() -> None:
    sound = np.random.default_rng(1).standard_normal(200).astype(np.float32)
    assert Interpolator()(sound, 20.0, 1.0, 100) == pytest.approx(sound[20:120], abs=1e-5)


def test_there_is_nothing_outside() -> None:
    sound = np.zeros(100, np.float32)
    with pytest.raises(IndexError):
        Interpolator()(sound, REACH - 1.5, 1.0, 10)
    with pytest.raises(IndexError):
        Interpolator()(sound, 85.0, 1.0, 10)
