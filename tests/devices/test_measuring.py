from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from scipy.signal import fftconvolve

from openvoice.client.sound import load_sound
from openvoice.devices.measuring import SILENCE, clipped_share, find_echo, level, noise_level, voice_level
from openvoice.samples import sample
from tests.devices.processing.room import impulse_response

Samples = npt.NDArray[np.int16]
SENTENCE = load_sound(sample("alice"))


def heard(gain: float, delay: float, *, noise: float = 3.0, direct: float = 5.0) -> Samples:
    """The sentence as a microphone hears it, ``delay`` seconds late, and a second more."""
    sound = np.concatenate([np.zeros(round(delay * 48_000)), SENTENCE, np.zeros(96_000)])[: len(SENTENCE) + 48_000]
    echo = fftconvolve(sound, impulse_response(gain, direct=direct))[: len(sound)] if gain else sound * 0
    return np.clip(np.rint(echo + noise * np.random.default_rng(1).standard_normal(len(sound))), -32768, 32767).astype(
        np.int16
    )


def test_levels() -> None:
    tone = np.rint(32767 * np.sin(np.arange(48_000) / 10)).astype(np.int16)
    assert level(tone) == pytest.approx(-3, abs=0.1)
    assert level(tone // 10) == pytest.approx(-23, abs=0.1)
    assert level(np.zeros(960, np.int16)) == level(np.zeros(0, np.int16)) == SILENCE
    mixed = np.concatenate([tone, tone // 100, tone // 100])
    assert noise_level(mixed) == pytest.approx(-43, abs=0.2)
    assert voice_level(mixed) == pytest.approx(-3, abs=0.2)
    assert noise_level(np.zeros(10, np.int16)) == voice_level(np.zeros(0, np.int16)) == SILENCE


def test_clipped_sound_is_at_the_limit_for_more_than_a_sample() -> None:
    assert clipped_share(SENTENCE) == 0
    loud = np.clip(SENTENCE.astype(np.int32) * 4, -32768, 32767).astype(np.int16)
    assert clipped_share(loud) > 0.005
    one = np.zeros(100, np.int16)
    one[50] = -32768
    assert clipped_share(one) == 0
    assert clipped_share(np.zeros(0, np.int16)) == 0


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("delay", [0.02, 0.25, 0.6])
def test_an_echo_is_found_with_its_delay_and_level(gain: float, delay: float) -> None:
    echo = find_echo(SENTENCE, heard(gain, delay), None, -80.0)
    assert echo is not None
    assert echo.delay == pytest.approx(delay + 0.001, abs=0.002)
    assert echo.level == pytest.approx(20 * np.log10(gain), abs=2)
    assert echo.likeness < 0.95, "a room changes what it hears"
    assert echo.removed is None


def test_where_the_sound_began_is_counted_in() -> None:
    echo = find_echo(SENTENCE, heard(0.1, 0.05), None, -80.0, behind=0.1)
    assert echo is not None
    assert echo.delay == pytest.approx(0.151, abs=0.002)


def test_a_wire_leaves_the_sound_as_it_is() -> None:
    wire = np.concatenate([np.zeros(1000, np.int16), SENTENCE, np.zeros(47_000, np.int16)])
    echo = find_echo(SENTENCE, wire, None, -96.0)
    assert echo is not None
    assert echo.likeness > 0.999
    assert echo.level == pytest.approx(0, abs=0.1)


def test_lost_sound_does_not_hide_an_echo() -> None:
    whole = heard(0.1, 0.05)
    torn = np.concatenate([whole[:100_000], whole[103_000:200_000], whole[205_000:], np.zeros(8000, np.int16)])
    echo = find_echo(SENTENCE, torn, None, -80.0)
    assert echo is not None
    assert echo.level == pytest.approx(-20, abs=3)


@pytest.mark.parametrize("noise", [0.0, 3.0, 1000.0])
def test_no_echo_is_found_where_none_is(noise: float) -> None:
    assert find_echo(SENTENCE, heard(0.0, 0.1, noise=noise), None, -80.0) is None


def test_somebody_else_who_speaks_is_no_echo() -> None:
    other = np.resize(load_sound(sample("bob")), len(SENTENCE) + 48_000)
    assert find_echo(SENTENCE, other, None, -80.0) is None


def test_what_the_processing_takes_out_is_measured_in_the_second_half() -> None:
    captured = heard(0.1, 0.05)
    processed = captured // 10
    processed[: len(processed) // 3] = captured[: len(processed) // 3]
    echo = find_echo(SENTENCE, captured, processed, -80.0)
    assert echo is not None
    assert echo.removed == pytest.approx(20, abs=0.5)
