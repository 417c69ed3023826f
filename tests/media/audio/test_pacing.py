from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.pacing import Pacing
from tests.media.audio.sound import frames, noise, voice

TIME = np.arange(96_000) / 48_000
VOWEL = np.asarray(6000 * sum(np.sin(2 * np.pi * 150 * n * TIME) / n for n in (1, 2, 3))).astype(np.int16)
QUIET = noise(2, amplitude=20)


def paced(sound: Samples, surplus: float, pacing: Pacing | None = None) -> list[int]:
    """By how many samples each frame became longer."""
    pacing = pacing or Pacing()
    past = np.zeros(1440, np.int16)
    changes = []
    for frame in frames(sound):
        made = pacing.adapt(past, frame, surplus, 0)
        changes.append(len(made) - len(frame))
        past = np.concatenate([past, made])[-1440:]
    return changes


@pytest.mark.parametrize("surplus", [0.0, 0.01, 0.022])
def test_less_than_a_packet_too_much_is_left_alone(surplus: float) -> None:
    assert not any(paced(VOWEL, surplus))
    assert not any(paced(QUIET, surplus))


@pytest.mark.parametrize("surplus", [0.03, -0.01])
def test_pauses_are_stretched_at_once_and_speech_after_half_a_second(surplus: float) -> None:
    assert all(change * surplus < 0 for change in paced(QUIET, surplus)[2:])
    changes = paced(VOWEL, surplus)
    assert not any(changes[:24])
    assert any(changes[24:])


@pytest.mark.parametrize(("surplus", "faster"), [(0.1, 0.3), (0.4, 0.34), (0.7, 0.34)])
def test_what_is_urgent_is_made_up_for_in_speech_at_once_but_understandably(surplus: float, faster: float) -> None:
    changes = paced(VOWEL, surplus)
    assert any(changes[:3])
    assert -sum(changes) / len(VOWEL) == pytest.approx(faster, abs=0.1)


def test_noise_is_cut_when_it_has_to_be() -> None:
    assert sum(paced(noise(1), 0.2)) < -4800
    assert any(paced(noise(4), 0.03))


def test_speech_that_is_not_alike_is_cut_last() -> None:
    spoken = voice(4)
    changes = np.array(paced(spoken, 0.03))
    loud = np.array([np.abs(frame).max() > 3000 for frame in frames(spoken)])
    assert changes[~loud].sum() < 5 * changes[loud].sum()


def test_reset_forgets_how_long_something_was_wanted() -> None:
    pacing = Pacing()
    paced(VOWEL, 0.03, pacing)
    pacing.reset()
    assert not any(paced(VOWEL, 0.03, pacing)[:24])


def test_samples_that_wait_without_protecting_are_taken_out() -> None:
    made = Pacing().adapt(np.zeros(1440, np.int16), np.zeros(1920, np.int16), 0.0, 480)
    assert len(made) == 1920 - 480
