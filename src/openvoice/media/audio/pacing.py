"""When sound is played slower or faster, so that the playout buffer waits as long as it should: where nobody hears it.

Pauses are stretched first, as soon as it is needed at all. Speech follows where it is like itself, the sooner and the
less alike the more there is to make up for: what an ear notices least.
"""

from __future__ import annotations

from math import gcd

import numpy as np

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.similarity import loudness
from openvoice.media.audio.stretch import lengthen, shorten
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

_SLACK = 0.003
"""Seconds beyond a whole packet before sound is shortened: without it the buffer would swing."""
_PATIENT_PACKETS, _PAUSES_ONLY = 25, 1.1
"""For so many packets only pauses are stretched: no sound is more like itself than 1."""
_LIKENESS, _IMPATIENCE = 0.98, 0.006
"""How alike the ends of a cut must be after that, and by how much less with each packet: noise is never alike."""
_SILENCE, _PAUSE, _DECAY = 40.0, 0.05, 0.998
"""What counts as a pause: a root mean square of -58 dBFS, or 26 dB below the speech of the last seconds."""
_URGENT = 0.035
"""Seconds from the wanted offset that justify a cut that may be heard, at once, and until they are made up for."""
_URGENT_LIKENESS, _URGENT_IMPATIENCE = 0.75, 0.02
_AWHILE = 1.2
"""Seconds in which what is urgent is to be made up for: at once it would not be understood."""
_LEAST_SHARE = 0.3
"""Of speech that may be taken out: a third faster is hardly noticed."""


class Pacing:
    """Stretches the sound of one stream."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._pressing = 0
        self._urgent = False
        self._loudness = 0.0
        self._rest = 0.0

    def adapt(self, past: Samples, sound: Samples, surplus: float, pending: int) -> Samples:
        """``sound``, which follows ``past``, made longer or shorter or left as it is.

        ``surplus`` is by how many seconds the sound waited longer than wanted, ``pending`` how many samples wait
        decoded before it.
        """
        self._loudness = max(loudness(sound.astype(np.float32)), _DECAY * self._loudness)
        removable = _removable(len(sound), surplus, pending)
        likeness = self._likeness(surplus, removable)
        quiet = max(_SILENCE, _PAUSE * self._loudness)
        if surplus < 0:
            return lengthen(past, sound, likeness=likeness, quiet=quiet)
        self._rest = max(0.0, self._rest - len(sound))
        rested = self._rest < len(sound) / 2
        shorter = shorten(sound, removable, likeness=likeness if rested else _PAUSES_ONLY, quiet=quiet)
        self._rest += (len(sound) - len(shorter)) / max(_LEAST_SHARE, surplus / _AWHILE)
        return shorter

    def _likeness(self, surplus: float, removable: int) -> float:
        """How alike the ends of a cut have to be."""
        pressing = surplus < 0 or removable >= FRAME_SAMPLES
        self._pressing = self._pressing + 1 if pressing else 0
        self._urgent = pressing and (self._urgent or abs(surplus) > _URGENT)
        if self._urgent:
            return _URGENT_LIKENESS - _URGENT_IMPATIENCE * self._pressing
        impatience = self._pressing - _PATIENT_PACKETS
        return _LIKENESS - _IMPATIENCE * impatience if impatience >= 0 else _PAUSES_ONLY


def _removable(length: int, surplus: float, pending: int) -> int:
    """The most samples that may be taken out of a packet of ``length``.

    Samples that wait decoded delay without protecting: the packet after them is needed no later for them. Where
    packets and frames differ in length, some always wait, and the offset is not the same at each packet.
    """
    step = gcd(length, FRAME_SAMPLES)
    removable = pending % step
    if surplus > (2 * FRAME_SAMPLES - step) / SAMPLE_RATE + _SLACK:
        removable += FRAME_SAMPLES
    return removable
