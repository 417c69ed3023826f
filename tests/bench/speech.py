"""What is said in a call of the bench: speech of several voices, and chirps between that tell the delay.

The voices are those of people who speak the prompts of a telephone system (Debian has them:
``asterisk-core-sounds-*-g722``, CC BY and CC BY-SA, 16 kHz, what PESQ-WB judges). Nothing of them is kept here.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from scipy.signal import resample_poly

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

RECORDINGS = Path("/usr/share/asterisk/sounds")
RECORDED = {
    "Allison (English)": "en_US_f_Allison/demo-congrats.g722",
    "Carlo (Italian)": "it_IT_m_Carlo/demo-congrats.g722",
    "June (French)": "fr_CA_f_June/demo-congrats.g722",
    "Maxim's (Russian)": "ru_RU_f_IvrvoiceRU/demo-congrats.g722",
}
PEAK = 16_000

CHIRP_SECONDS = 0.1
SWEEPS = ((300.0, 1800.0), (3400.0, 1700.0), (1800.0, 300.0), (1700.0, 3400.0))
"""Hz, from and to. They take turns, so that none is taken for the one before it."""
CHIRP_EVERY = 0.4
CHIRPS = 3
"""Before each voice, and at the end."""
GAP = 0.6
"""Seconds without sound around each voice, so that nothing else comes into what is judged."""
LEAD = 1.0
TRAIN_SECONDS = 20.0
TRAIN_EVERY = 0.25


@dataclass(frozen=True, kw_only=True, slots=True)
class Voice:
    name: str
    samples: Samples


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """All that is said in one call: where chirps begin, and from where to where each voice that is judged speaks."""

    samples: Samples
    chirps: tuple[int, ...]
    voices: tuple[tuple[int, int], ...] = ()

    @property
    def seconds(self) -> float:
        return len(self.samples) / SAMPLE_RATE


def chirp(turn: int) -> Samples:
    """A sweep within the band of speech, loud in its middle."""
    count = round(CHIRP_SECONDS * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    first, last = SWEEPS[turn % len(SWEEPS)]
    phase = 2 * np.pi * (first * time + (last - first) * time**2 / (2 * CHIRP_SECONDS))
    swept: Samples = (PEAK * np.hanning(count) * np.sin(phase)).astype(np.int16)
    return swept


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def conversation(voices: list[Voice]) -> Script:
    """The last voice speaks first and is not judged: by then each side has had its first reports of the network."""
    builder = _Builder()
    builder.add(silence(LEAD), voices[-1].samples, silence(GAP))
    spans = []
    for voice in voices[:-1]:
        builder.chirps(CHIRPS, CHIRP_EVERY)
        builder.add(silence(GAP))
        begin = builder.length
        builder.add(voice.samples)
        spans.append((begin, builder.length))
        builder.add(silence(GAP))
    builder.chirps(CHIRPS, CHIRP_EVERY)
    builder.add(silence(LEAD))
    return builder.script(spans)


def train() -> Script:
    """Chirps only, four a second: how the delay goes after trouble."""
    builder = _Builder()
    builder.add(silence(LEAD))
    builder.chirps(round(TRAIN_SECONDS / TRAIN_EVERY), TRAIN_EVERY)
    builder.add(silence(LEAD))
    return builder.script([])


class _Builder:
    def __init__(self) -> None:
        self._pieces: list[Samples] = []
        self._chirps: list[int] = []
        self.length = 0

    def add(self, *pieces: Samples) -> None:
        for piece in pieces:
            self._pieces.append(piece)
            self.length += len(piece)

    def chirps(self, count: int, every: float) -> None:
        for _ in range(count):
            self._chirps.append(self.length)
            self.add(chirp(len(self._chirps) - 1), silence(every - CHIRP_SECONDS))

    def script(self, spans: list[tuple[int, int]]) -> Script:
        self.add(np.zeros(-self.length % FRAME_SAMPLES, np.int16))
        return Script(samples=np.concatenate(self._pieces), chirps=tuple(self._chirps), voices=tuple(spans))


def voices(seconds: float, files: Sequence[Path] | None = None) -> list[Voice]:
    """Voices of so many seconds each: those of WAV files, or four that are found here."""
    if files:
        return [Voice(name=path.stem, samples=levelled(read(path), seconds)) for path in files]
    paths = {name: RECORDINGS / path for name, path in RECORDED.items()}
    if all(path.exists() for path in paths.values()):
        return [Voice(name=name, samples=levelled(recorded(path), seconds)) for name, path in paths.items()]
    raise SystemExit("There is nobody to speak: run scripts/setup --bench, or give your own files with --speech.")


def levelled(sound: Samples, seconds: float) -> Samples:
    """The begin of a sound, without the silence before it, and as loud as the others."""
    loud = np.flatnonzero(np.abs(sound.astype(int)) > 500)
    first = max(0, int(loud[0]) - SAMPLE_RATE // 10)
    count = round(seconds * SAMPLE_RATE) // FRAME_SAMPLES * FRAME_SAMPLES
    cut = np.concatenate([sound[first : first + count], np.zeros(max(0, count - len(sound) + first), np.int16)])
    fade = SAMPLE_RATE // 50
    shaped = cut.astype(float) * (PEAK / np.abs(cut.astype(int)).max())
    shaped[-fade:] *= np.linspace(1, 0, fade)
    loudness: Samples = shaped.astype(np.int16)
    return loudness


def recorded(path: Path) -> Samples:
    with av.open(str(path), format="g722") as file:
        narrow = np.concatenate([frame.to_ndarray().reshape(-1) for frame in file.decode(audio=0)])
    wide = resample_poly(narrow.astype(float), 3, 1)
    samples: Samples = np.clip(np.rint(wide), -32768, 32767).astype(np.int16)
    return samples


def read(path: Path) -> Samples:
    """A WAV file of 48 kHz, mono, 16 bits."""
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise SystemExit(f"{path} has to be a WAV file of 48 kHz, mono, 16 bits.")
        samples: Samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return samples
