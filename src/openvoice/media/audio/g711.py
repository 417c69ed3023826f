"""G.711, the sound of the telephone network: PCMU (mu-law) and PCMA (A-law) at 8 kHz (RFC 3551, 4.5.14)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.resample import Downsampler
from openvoice.media.audio.waveform import WaveformDecoder
from openvoice.ports import Frame

RATE = 8000


def _mu_law_levels() -> Samples:
    """The sample that each octet stands for (G.711, table 2)."""
    octets = ~np.arange(256) & 0xFF
    exponents, mantissas = octets >> 4 & 7, octets & 15
    magnitudes = ((mantissas * 8 + 132) << exponents) - 132
    return np.where(octets & 0x80, -magnitudes, magnitudes).astype(np.int16)


def _a_law_levels() -> Samples:
    """The sample that each octet stands for (G.711, table 1)."""
    octets = np.arange(256) ^ 0x55
    exponents, mantissas = octets >> 4 & 7, octets & 15
    magnitudes = np.where(exponents == 0, mantissas * 16 + 8, (mantissas * 16 + 264) << np.maximum(exponents - 1, 0))
    return np.where(octets & 0x80, magnitudes, -magnitudes).astype(np.int16)


def _octets(levels: Samples) -> npt.NDArray[np.uint8]:
    """For every ``int16``, read as ``uint16``, the octet of the nearest level."""
    # Of the two zeros of mu-law the later octet, 255, is the positive one.
    order = np.argsort(levels, kind="stable")
    ordered = levels[order].astype(np.int32)
    samples = np.arange(65536, dtype=np.uint16).view(np.int16).astype(np.int32)
    nearest = np.searchsorted((ordered[:-1] + ordered[1:]) / 2, samples, side="right")
    return order[nearest].astype(np.uint8)


MU_LAW = _mu_law_levels()
A_LAW = _a_law_levels()
_OCTETS = {"PCMU": _octets(MU_LAW), "PCMA": _octets(A_LAW)}
_LEVELS = {"PCMU": MU_LAW, "PCMA": A_LAW}


class G711Encoder:
    """``law`` is ``PCMU`` or ``PCMA``."""

    def __init__(self, law: str) -> None:
        self._octets = _OCTETS[law]
        self._downsampler = Downsampler(RATE)

    def encode(self, frame: Frame) -> bytes:
        return self._octets[self._downsampler.convert(frame).view(np.uint16)].tobytes()


class G711Decoder(WaveformDecoder):
    """``law`` is ``PCMU`` or ``PCMA``."""

    def __init__(self, law: str) -> None:
        super().__init__(RATE)
        self._levels = _LEVELS[law]

    def expand(self, payload: bytes) -> Samples:
        return self._levels[np.frombuffer(payload, np.uint8)]
