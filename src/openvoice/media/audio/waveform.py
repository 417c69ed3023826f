"""What codecs without memory of speech share: 8000 octets a second, and concealment from the waveform alone."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from openvoice.media.audio.codec import MAXIMUM_SAMPLES, Samples
from openvoice.media.audio.resample import Upsampler
from openvoice.media.audio.similarity import LONGEST_PERIOD, SHORTEST_PERIOD, similarities
from openvoice.media.audio.stretch import OVERLAP, cross_fade
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

SAMPLES_PER_OCTET = 6
"""Of 48 kHz sound, in G.711 and in G.722 at 64 kbit/s."""
_TEMPLATE = 480
_HOLD = 480
"""Samples that concealment stays as loud as the sound before it: 10 ms."""
_FADE = 3840
"""Samples that it then takes to fall silent: 80 ms."""


class Concealment:
    """Repeats the last pitch period, ever more quietly, in the manner of G.711 Appendix I."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._past: Samples = np.zeros(_TEMPLATE + LONGEST_PERIOD, np.int16)
        self._period: Samples = self._past[:0]
        self._made = 0

    def follow(self, sound: Samples) -> Samples:
        """Hear ``sound``, which was decoded; give it back, joined without a click to what was concealed before it."""
        if self._made and len(sound) >= OVERLAP:
            seam = cross_fade(self.conceal(OVERLAP).astype(np.float32), sound[:OVERLAP].astype(np.float32))
            sound = np.concatenate([seam.astype(np.int16), sound[OVERLAP:]])
        self._made = 0
        self._past = np.concatenate([self._past, sound])[-len(self._past) :]
        return sound

    def conceal(self, samples: int) -> Samples:
        """``samples`` of sound that go on from what was heard last."""
        if not self._made:
            self._period = self._past[len(self._past) - self._pitch_period() :]
        places = np.arange(self._made, self._made + samples)
        self._made += samples
        loudness = np.clip(1 - (places - _HOLD) / _FADE, 0, 1)
        return (self._period[places % len(self._period)] * loudness).astype(np.int16)

    def _pitch_period(self) -> int:
        known = self._past.astype(np.float32)
        likenesses = similarities(known[-_TEMPLATE:], known[:-SHORTEST_PERIOD])
        return LONGEST_PERIOD - int(np.argmax(likenesses))


class WaveformDecoder(ABC):
    """A :class:`~openvoice.media.audio.codec.Decoder` for a codec of ``rate`` (Hz) and 8000 octets a second."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._upsampler = Upsampler(rate)
        self._concealment = Concealment()

    @abstractmethod
    def expand(self, payload: bytes) -> Samples:
        """The sound of ``payload`` at the codec's own rate; empty if it cannot be decoded."""

    def duration(self, payload: bytes) -> int:
        samples = SAMPLES_PER_OCTET * len(payload)
        return samples if samples <= MAXIMUM_SAMPLES else 0

    def decode(self, payload: bytes) -> Samples:
        samples = self.duration(payload)
        if not samples:
            return self.conceal(FRAME_SAMPLES)
        expanded = self.expand(payload)
        if len(expanded) * SAMPLE_RATE != samples * self._rate:
            return self.conceal(samples)
        return self._concealment.follow(self._upsampler.convert(expanded))

    def recovers(self, payload: bytes) -> bool:
        return False

    def recover(self, payload: bytes, samples: int) -> Samples | None:
        return None

    def conceal(self, samples: int) -> Samples:
        return self._concealment.conceal(samples)

    def reset(self) -> None:
        self._upsampler.reset()
        self._concealment.reset()
