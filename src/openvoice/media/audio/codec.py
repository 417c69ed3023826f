"""What the voice pipeline asks of a codec. All sound is mono ``int16`` at 48 kHz, whatever the codec works at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from openvoice.ports import Frame

Samples = npt.NDArray[np.int16]
"""Sound of any length: shape ``(n,)``, ``int16``, mono, 48 kHz."""

MAXIMUM_SAMPLES = 5760
"""The longest packet that is played: 120 ms, the longest that Opus allows (RFC 6716, 2.1.4)."""


class Encoder(Protocol):
    """Turns frames into payloads whose size does not depend on what is said."""

    def encode(self, frame: Frame) -> bytes: ...


class Decoder(Protocol):
    """Turns payloads of one stream into sound, in order. Never raises for what the network delivered."""

    def duration(self, payload: bytes) -> int:
        """Samples that the payload holds, or 0 for what cannot be decoded."""
        ...

    def decode(self, payload: bytes) -> Samples:
        """The sound of a payload: as many samples as :meth:`duration` says."""
        ...

    def recovers(self, payload: bytes) -> bool:
        """Whether the payload carries redundancy for what came before it."""
        ...

    def recover(self, payload: bytes, samples: int) -> Samples | None:
        """The sound *before* this payload, from the redundancy in it; ``None`` if it has none."""
        ...

    def conceal(self, samples: int) -> Samples:
        """Plausible sound for what is missing, after what was decoded last."""
        ...

    def reset(self) -> None:
        """Forget the past: another stream begins."""
        ...


@dataclass(frozen=True, slots=True)
class PayloadFormat:
    """How the packets of one RTP payload type are read. ``clock_rate`` (Hz) is of their timestamps."""

    decoder: Decoder
    clock_rate: int
