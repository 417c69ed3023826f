from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.stretch import lengthen, shorten
from tests.media.audio.sound import noise, roughness, tone, voice


@pytest.mark.parametrize("pitch", [100, 150, 210, 390])
def test_shortening_takes_whole_periods_and_leaves_no_click(pitch: int) -> None:
    sound = tone(pitch, 0.5)
    shorter = shorten(sound[960:1920], 960, likeness=0.9, quiet=40)
    taken = 960 - len(shorter)
    assert taken >= 120
    assert taken % (48_000 / pitch) == pytest.approx(0, abs=8) or taken % (48_000 / pitch) > 48_000 / pitch - 8
    whole = np.concatenate([sound[:960], shorter, sound[1920:2880]])
    assert roughness(whole) < 3 * roughness(sound)


@pytest.mark.parametrize("pitch", [100, 150, 210, 390])
def test_lengthening_repeats_whole_periods_and_leaves_no_click(pitch: int) -> None:
    sound = tone(pitch, 0.5)
    longer = lengthen(sound[:1440], sound[1440:2400], likeness=0.9, quiet=40)
    assert 120 <= len(longer) - 960 <= 720
    whole = np.concatenate([sound[:1440], longer, sound[2400:3360]])
    assert roughness(whole) < 3 * roughness(sound)


def test_no_more_is_taken_than_asked_for() -> None:
    sound = tone(390, 0.02)
    assert 960 - len(shorten(sound, 130, likeness=0.5, quiet=40)) in range(120, 131)
    assert shorten(sound, 119, likeness=0.0, quiet=40) is sound


def test_sound_that_resembles_itself_nowhere_is_left_alone() -> None:
    sound = noise(0.1)
    assert shorten(sound[1440:2400], 960, likeness=0.9, quiet=40) is not None
    assert len(shorten(sound[1440:2400], 960, likeness=0.9, quiet=40)) == 960
    assert len(lengthen(sound[:1440], sound[1440:2400], likeness=0.9, quiet=40)) == 960


def test_silence_is_cut_by_as_much_as_possible() -> None:
    silence = np.zeros(960, np.int16)
    assert len(shorten(silence, 960, likeness=1.0, quiet=40)) == 960 - 660
    assert len(lengthen(np.zeros(1440, np.int16), silence, likeness=1.0, quiet=40)) == 960 + 720


@pytest.mark.parametrize("length", [0, 1, 299, 419])
def test_what_is_too_short_is_left_alone(length: int) -> None:
    sound = tone(200, 0.02)[:length]
    assert len(shorten(sound, 960, likeness=0.0, quiet=40)) == length
    assert len(lengthen(np.zeros(100, np.int16), sound, likeness=0.0, quiet=40)) == length


def test_speech_is_stretched_by_a_quarter_without_a_click() -> None:
    sound = voice(4)
    pieces: list[Samples] = [
        shorten(sound[n : n + 960], 960, likeness=0.8, quiet=40) for n in range(0, len(sound) - 960, 960)
    ]
    shorter = np.concatenate(pieces)
    assert len(shorter) < 0.85 * len(sound)
    assert roughness(shorter) < 1.5 * roughness(sound)


def test_a_pause_is_cut_where_speech_is_not() -> None:
    murmur = noise(0.1, amplitude=100)
    assert len(shorten(murmur[:960], 960, likeness=1.1, quiet=90)) == 960
    assert len(shorten(murmur[:960], 960, likeness=1.1, quiet=150)) == 300
    assert len(lengthen(murmur[:1440], murmur[1440:2400], likeness=1.1, quiet=90)) == 960
    assert len(lengthen(murmur[:1440], murmur[1440:2400], likeness=1.1, quiet=150)) == 1680
