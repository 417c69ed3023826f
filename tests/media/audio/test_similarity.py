from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.similarity import loudness, similarities
from tests.media.audio.sound import noise, tone


def test_a_sound_is_most_like_itself_whatever_its_loudness() -> None:
    sound = noise(0.1).astype(np.float32)
    likenesses = similarities(sound[500:900] * 0.1, sound)
    assert int(np.argmax(likenesses)) == 500
    assert likenesses[500] == pytest.approx(1, abs=1e-3)
    assert len(likenesses) == len(sound) - 400 + 1


def test_silence_is_like_nothing() -> None:
    silence = np.zeros(1000, np.float32)
    assert not similarities(tone(300, 0.005).astype(np.float32), silence).any()


def test_loudness_is_the_root_mean_square() -> None:
    assert loudness(tone(1000, amplitude=10_000).astype(np.float32)) == pytest.approx(7071, rel=0.01)
    assert loudness(np.zeros(0, np.float32)) == 0
