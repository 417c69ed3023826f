"""What is said: voices apart from chirps, and chirps apart from each other."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE
from tests.bench import speech
from tests.bench.speech import Voice, chirp, conversation
from tests.media.audio.sound import voice

VOICES = [Voice(name=str(seed), samples=voice(2, seed)) for seed in range(4)]


def test_each_voice_is_judged_but_the_last_which_speaks_first() -> None:
    script = conversation(VOICES)
    for (begin, end), one in zip(script.voices, VOICES, strict=False):
        np.testing.assert_array_equal(script.samples[begin:end], one.samples)
    assert len(script.voices) == 3
    lead = round(speech.LEAD * SAMPLE_RATE)
    np.testing.assert_array_equal(script.samples[lead : lead + len(VOICES[3].samples)], VOICES[3].samples)
    assert len(script.samples) % FRAME_SAMPLES == 0


def test_nothing_sounds_around_a_voice() -> None:
    script = conversation(VOICES)
    gap = round(speech.GAP * SAMPLE_RATE)
    for begin, end in script.voices:
        assert not script.samples[begin - gap : begin].any()
        assert not script.samples[end : end + gap].any()


def test_chirps_are_where_the_script_says_and_unlike_each_other() -> None:
    script = conversation(VOICES)
    for turn, begin in enumerate(script.chirps):
        np.testing.assert_array_equal(script.samples[begin : begin + len(chirp(turn))], chirp(turn))
    kinds = [chirp(turn).astype(float) for turn in range(len(speech.SWEEPS))]
    for one in kinds:
        fits = [np.abs(np.correlate(one, other, "full")).max() / (one @ one) for other in kinds]
        assert sorted(fits)[-2] < 0.3


def test_voices_are_equally_loud_and_long_and_begin_with_sound() -> None:
    quiet = np.concatenate([np.zeros(SAMPLE_RATE, np.int16), voice(1) // 8, np.zeros(100, np.int16)])
    made = speech.levelled(quiet, 2.0)
    assert len(made) == 2 * SAMPLE_RATE
    assert np.abs(made[: SAMPLE_RATE // 2]).max() > 1000
    assert np.abs(made.astype(int)).max() == pytest.approx(speech.PEAK, abs=2)


def test_files_of_ones_own_speak(tmp_path: Path) -> None:
    path = tmp_path / "own.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(voice(2).tobytes())
    (one, other) = speech.voices(1.0, [path, path])
    assert one.name == "own"
    assert len(one.samples) == len(other.samples) == SAMPLE_RATE


def test_files_of_another_kind_do_not(tmp_path: Path) -> None:
    path = tmp_path / "narrow.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16))
    with pytest.raises(SystemExit, match="48 kHz"):
        speech.voices(1.0, [path, path])


def test_without_voices_there_is_a_word_on_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(speech, "RECORDINGS", tmp_path)
    with pytest.raises(SystemExit, match="setup --bench"):
        speech.voices(1.0)
