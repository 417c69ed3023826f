"""How loud sound is."""

from __future__ import annotations

import numpy as np

from openvoice.media.audio.codec import Samples

SILENCE = -127.0
"""dBFS: what RFC 6464 calls digital silence."""
_FULL_SCALE = 32768.0


def level(sound: Samples) -> float:
    """The root mean square of ``sound`` in dBFS, from -127 (silence) to 0."""
    return _decibels(_power(sound))


def _power(sound: Samples) -> float:
    """The mean square, where full scale is 1."""
    if not len(sound):
        return 0.0
    samples = sound.astype(np.float32)
    return float(samples @ samples) / len(samples) / _FULL_SCALE**2


def _decibels(power: float) -> float:
    return max(SILENCE, 10 * float(np.log10(power))) if power else SILENCE


class LevelMeter:
    """The level of the last few hundred milliseconds of a stream of frames."""

    _SHARE = 0.1

    def __init__(self) -> None:
        self._power = 0.0

    def add(self, sound: Samples) -> None:
        self._power += self._SHARE * (_power(sound) - self._power)

    @property
    def level(self) -> float:
        """dBFS, from -127 (silence) to 0."""
        return _decibels(self._power)
