from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.resample import Downsampler, Upsampler
from tests.media.audio.sound import frames, signal_to_noise, tone, voice


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_down_and_up_again_keeps_the_band(rate: int) -> None:
    down, up = Downsampler(rate), Upsampler(rate)
    sent = tone(0.4 * rate)
    heard = np.concatenate([up.convert(down.convert(frame)) for frame in frames(sent)])
    assert len(heard) == len(sent)
    assert signal_to_noise(sent[4800:-4800], heard) > 40
    assert np.abs(heard[4800:-4800]).max() == pytest.approx(8000, rel=0.03)


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_what_the_lower_rate_cannot_hold_does_not_come_back_as_an_alias(rate: int) -> None:
    heard = Downsampler(rate).convert(tone(0.6 * rate))
    assert np.abs(heard[1000:]).max() < 8000 / 300  # -50 dB


def test_pieces_of_any_size_give_the_same_sound() -> None:
    sent = voice(0.5)
    whole = Downsampler(8000).convert(sent)
    stream = Downsampler(8000)
    pieces = [stream.convert(piece) for piece in np.split(sent, [60, 960, 1200, 9600])]
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    upsampled = Upsampler(8000)
    pieces = [upsampled.convert(piece) for piece in np.split(whole, [1, 7, 400])]
    np.testing.assert_array_equal(np.concatenate(pieces), Upsampler(8000).convert(whole))


def test_reset_forgets_the_past() -> None:
    stream = Upsampler(16_000)
    stream.convert(tone(300, 0.02)[::3])
    stream.reset()
    assert not stream.convert(np.zeros(320, np.int16)).any()


def test_other_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="16 kHz"):
        Downsampler(11_025)
