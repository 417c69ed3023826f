"""Sound for tests, made from a seed, and measures of what became of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE


def tone(frequency: float, seconds: float = 1.0, amplitude: float = 8000) -> Samples:
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.int16)


def noise(seconds: float = 1.0, amplitude: float = 3000, seed: int = 1) -> Samples:
    random = np.random.default_rng(seed)
    return (amplitude * random.standard_normal(round(seconds * SAMPLE_RATE))).clip(-32768, 32767).astype(np.int16)


def voice(seconds: float, seed: int = 1) -> Samples:
    """Syllables of a wandering pitch with formants of chance, between pauses: it repeats itself nowhere."""
    random = np.random.default_rng(seed)
    sound = np.zeros(round(seconds * SAMPLE_RATE))
    place = 0
    while place < len(sound):
        length = int(random.uniform(0.12, 0.35) * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        pitch = random.uniform(90, 220) * (1 + random.uniform(-0.2, 0.2) * time / time[-1])
        phase = 2 * np.pi * np.cumsum(pitch) / SAMPLE_RATE
        strengths = random.uniform(0, 1, 18) / np.arange(1, 19) ** 0.7
        syllable = sum(strength * np.sin((n + 1) * phase) for n, strength in enumerate(strengths))
        syllable = np.asarray(syllable) * np.hanning(length) + 0.01 * random.standard_normal(length)
        end = min(len(sound), place + length)
        sound[place:end] = syllable[: end - place]
        place = end + int(random.uniform(0.02, 0.3) * SAMPLE_RATE)
    spoken: Samples = (sound / np.abs(sound).max() * 16000).astype(np.int16)
    return spoken


def frames(sound: Samples) -> list[Samples]:
    return [sound[n : n + FRAME_SAMPLES] for n in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES)]


def lag(sent: Samples, heard: Samples) -> int:
    """By how many samples ``heard`` is later than ``sent``, by their correlation."""
    size = 1 << (len(sent) + len(heard)).bit_length()
    spectrum = np.conj(np.fft.rfft(sent.astype(float), size)) * np.fft.rfft(heard.astype(float), size)
    return int(np.argmax(np.fft.irfft(spectrum, size)[: len(heard)]))


def signal_to_noise(sent: Samples, heard: Samples) -> float:
    """dB, after the lag and the gain are taken out."""
    late = lag(sent, heard)
    length = min(len(sent), len(heard) - late)
    wanted: npt.NDArray[np.float64] = sent[:length].astype(float)
    got = heard[late : late + length].astype(float)
    got *= (wanted @ got) / max(got @ got, 1.0)
    return float(10 * np.log10((wanted @ wanted) / max(((wanted - got) ** 2).sum(), 1e-9)))


def roughness(sound: Samples) -> float:
    """The greatest bend of the wave, as a share of full scale: a click is a bend."""
    return float(np.abs(np.diff(sound.astype(float), 2)).max() / 32768)
