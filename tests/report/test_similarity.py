from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from openvoice.media.files import load
from openvoice.report import Similarity, similarity
from openvoice.samples import sample

RATE = 48_000
Sound = npt.NDArray[np.generic]
GENERATOR = np.random.default_rng(2)


@functools.cache
def speech(speaker: str) -> npt.NDArray[np.int16]:
    return load(sample(speaker))


def compare(received: Sound) -> Similarity:
    return similarity(speech("alice"), received, RATE)


def delayed(sound: Sound, seconds: float) -> Sound:
    return np.concatenate([np.zeros(round(seconds * RATE), sound.dtype), sound])


def stretched(sound: Sound) -> Sound:
    """5 ms left out or played twice every 200 ms, as a playout buffer does that finds its delay."""
    pieces = []
    for position, start in enumerate(range(0, len(sound), 9600)):
        piece = sound[start : start + 9600]
        pieces += [[piece], [piece[:-240]], [piece, piece[-240:]]][position % 3]
    return np.concatenate(pieces)


def lossy(sound: npt.NDArray[np.int16], share: float) -> Sound:
    """Frames replaced by a fainter repetition of the one before."""
    frames = sound.reshape(-1, 960).copy()
    for number in range(1, len(frames)):
        if GENERATOR.random() < share:
            frames[number] = frames[number - 1] * 0.7
    return frames.ravel()


def telephone(sound: npt.NDArray[np.int16]) -> Sound:
    """Eight logarithmic bits at 8 kHz, as PCMU has."""
    low = sound[::6] / 32768
    coded = np.rint(127 * np.sign(low) * np.log1p(255 * np.abs(low)) / np.log(256))
    return np.repeat(np.sign(coded) * (256 ** (np.abs(coded) / 127) - 1) / 255 * 32768, 6)


def noisy(sound: npt.NDArray[np.int16], decibels: float) -> Sound:
    return sound + GENERATOR.normal(0, sound.std() * 10 ** (-decibels / 20), len(sound))


ALTERED: dict[str, Callable[[npt.NDArray[np.int16]], Sound]] = {
    "unchanged": lambda sound: sound,
    "fainter": lambda sound: sound // 20,
    "late": lambda sound: delayed(sound, 0.6),
    "early": lambda sound: sound[9600:],
    "stretched": stretched,
    "1 % lost": lambda sound: lossy(sound, 0.01),
    "10 % lost": lambda sound: lossy(sound, 0.10),
    "telephone": telephone,
    "noisy": lambda sound: noisy(sound, 10),
    "another clock": lambda sound: np.interp(np.arange(len(sound)) * 1.0001, np.arange(len(sound)), sound),
    "longer": lambda sound: np.concatenate([sound, np.zeros(5 * RATE, np.int16)]),
}
COUNT = 5 * RATE
TIMES = np.arange(COUNT) / RATE
FOREIGN: dict[str, Callable[[], Sound]] = {
    "another sentence": lambda: speech("bob"),
    "the same backwards": lambda: speech("alice")[::-1],
    "half of it": lambda: speech("alice")[: len(speech("alice")) // 2],
    "noise": lambda: GENERATOR.normal(0, 3000, COUNT),
    "faint noise": lambda: GENERATOR.normal(0, 1, COUNT),
    "a low tone": lambda: 8000 * np.sin(2 * np.pi * 150 * TIMES),
    "a tone": lambda: 8000 * np.sin(2 * np.pi * 440 * TIMES),
    "a buzz": lambda: 8000 * np.sign(np.sin(2 * np.pi * 120 * TIMES)),
    "silence": lambda: np.zeros(COUNT, np.int16),
    "nothing": lambda: np.zeros(0, np.int16),
    "a click": lambda: np.eye(1, COUNT)[0] * 30_000,
}


@pytest.mark.parametrize("change", ALTERED)
def test_the_same_speech_passes_whatever_a_call_does_to_it(change: str) -> None:
    result = compare(ALTERED[change](speech("alice")))
    assert result.passed, result
    assert result.correlation > 0.8
    assert result.found > 0.9


@pytest.mark.parametrize("sound", FOREIGN)
def test_anything_else_does_not_pass(sound: str) -> None:
    result = compare(FOREIGN[sound]())
    assert not result.passed, result
    # Half a sentence comes near; nothing else is even close.
    assert result.found < (0.6 if sound == "half of it" else 0.2)
    assert 0 <= result.correlation < (0.6 if sound == "half of it" else 0.3)


def test_the_more_is_lost_the_lower_it_is() -> None:
    results = [compare(lossy(speech("alice"), share)).correlation for share in (0.0, 0.2, 0.5)]
    assert results[0] > results[1] > results[2]


@pytest.mark.parametrize("seconds", [0.0, 0.04, 0.3, 2.0])
def test_finds_the_delay(seconds: float) -> None:
    assert compare(delayed(speech("alice"), seconds)).delay_seconds == pytest.approx(seconds, abs=0.001)


def test_speech_too_short_to_judge_is_not_passed() -> None:
    assert not similarity(speech("alice")[:4800], speech("alice"), RATE).passed
    assert not similarity(np.zeros(RATE, np.int16), speech("alice"), RATE).passed


@pytest.mark.parametrize("rate", [8000, 16_000, 44_100])
def test_any_rate_will_do(rate: int) -> None:
    positions = np.arange(0, len(speech("alice")), RATE / rate)
    sound = np.interp(positions, np.arange(len(speech("alice"))), speech("alice"))
    assert similarity(sound, delayed(sound, 0.0), rate).correlation > 0.99
