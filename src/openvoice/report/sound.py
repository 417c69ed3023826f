"""A piece of sound to draw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, kw_only=True, slots=True)
class Sound:
    """Mono ``int16`` samples of one dimension, ``rate`` of them a second. Raises ``ValueError`` for anything else."""

    samples: npt.NDArray[np.int16]
    rate: int

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.ndim != 1 or self.rate <= 0:
            raise ValueError("a sound is one row of int16 samples at a rate above zero")

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def lasting(self, seconds: float) -> Sound:
        """The same sound, cut or filled up with silence."""
        count = round(seconds * self.rate)
        samples = self.samples[:count]
        return Sound(samples=np.pad(samples, (0, count - len(samples))), rate=self.rate)
