from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.background import Background
from openvoice.media.audio.codec import Samples
from openvoice.media.audio.similarity import loudness
from tests.media.audio.sound import frames, noise, voice


def background_of(*sounds: Samples) -> Background:
    background = Background()
    for sound in sounds:
        for frame in frames(sound):
            background.hear(frame)
    return background


@pytest.mark.parametrize("level", [10, 60, 250])
def test_the_noise_of_the_pauses_is_made_again_at_its_level(level: float) -> None:
    spoken = voice(6).astype(np.int32)
    heard = (spoken + noise(6, amplitude=level)[: len(spoken)]).clip(-32768, 32767).astype(np.int16)
    made = background_of(heard).make(48_000)
    assert loudness(made) == pytest.approx(level, rel=0.35)


def test_the_noise_has_the_colour_of_the_room() -> None:
    hum = np.convolve(noise(3, amplitude=3000), np.ones(64) / 64, "same").astype(np.int16)
    made = background_of((hum // 4).astype(np.int16)).make(48_000)
    powers = np.abs(np.fft.rfft(made)) ** 2
    assert powers[:1000].sum() > 10 * powers[2000:].sum()


def test_where_nothing_was_heard_and_where_pauses_are_silent_there_is_silence() -> None:
    assert not Background().make(960).any()
    silence = np.zeros(4800, np.int16)
    made = background_of(*[voice(0.3), silence] * 8).make(4800)
    assert np.abs(made).max() < 2


def test_a_talker_who_is_muted_falls_silent() -> None:
    made = background_of(noise(3, amplitude=100), np.zeros(48_000, np.int16)).make(48_000)
    assert np.abs(made[960:]).max() < 2


def test_noise_as_loud_as_speech_is_no_background() -> None:
    assert loudness(background_of(noise(3, amplitude=3000)).make(4800)) == 0


def test_what_is_made_goes_on_without_a_seam_and_never_repeats() -> None:
    background = background_of(noise(3, amplitude=100))
    pieces = [background.make(n) for n in (960, 300, 17, 2000)]
    once = background_of(noise(3, amplitude=100)).make(3277)
    np.testing.assert_array_equal(np.concatenate(pieces), once)
    assert np.abs(np.corrcoef(once[:960], once[960:1920])[0, 1]) < 0.2


def test_speech_without_any_pause_is_not_made_again() -> None:
    vowel = (4000 * np.sign(np.sin(np.arange(5 * 48_000) * 0.02))).astype(np.int16)
    assert loudness(background_of(vowel).make(4800)) == 0


def test_short_pieces_tell_nothing_and_reset_forgets() -> None:
    background = background_of(noise(3, amplitude=100))
    background.hear(noise(0.005, amplitude=1))
    assert loudness(background.make(4800)) > 50
    background.reset()
    assert not background.make(960).any()
