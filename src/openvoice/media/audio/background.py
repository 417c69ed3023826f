"""The noise behind a talker, learnt from the pauses and made again where the sender sends nothing.

Silence where a room was heard sounds like a call that broke. What is made is noise of the room's loudness and colour,
never speech: only magnitudes are learnt, from the quietest moments of the last seconds, and phases are of chance. Of a
talker whose pauses are silent, as of one who is muted, silence is learnt.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.similarity import loudness
from openvoice.ports import FRAME_SAMPLES

_LOUDEST = 500.0
"""The root mean square of the loudest background there is: -36 dBFS. Louder pauses are no pauses."""
_LEAST = 2.0
"""Below this root mean square it is silence, with the rounding of a codec."""
_MEMORY = 100
"""Frames among which the quietest tells what quiet is: 2 s."""
_LIKE_QUIETEST = 2.0
"""A frame of so many times the level of the quietest one is background, too: 6 dB."""
_SHARE = 0.2
"""Of the newest frame in what is known."""
_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)
_HOP = FRAME_SAMPLES // 2
_ENTERING = np.sin(np.linspace(0, np.pi / 2, _HOP, endpoint=False, dtype=np.float32))
"""Noise cross-fades at constant power, not amplitude."""
_LEAVING = np.cos(np.linspace(0, np.pi / 2, _HOP, endpoint=False, dtype=np.float32))


class Background:
    """Of one stream."""

    def __init__(self) -> None:
        self._chance = np.random.default_rng(1)
        self.reset()

    def reset(self) -> None:
        self._levels: deque[float] = deque(maxlen=_MEMORY)
        self._powers = np.zeros(FRAME_SAMPLES // 2 + 1, np.float32)
        self._leaving = np.zeros(_HOP, np.float32)
        self._ready = np.zeros(0, np.float32)

    def hear(self, sound: Samples) -> None:
        """Learn from what was received, of any length; shorter than a frame it tells nothing."""
        if len(sound) < FRAME_SAMPLES:
            return
        frame = sound[:FRAME_SAMPLES].astype(np.float32)
        level = loudness(frame)
        self._levels.append(level)
        if level > min(_LOUDEST, max(_LEAST, _LIKE_QUIETEST * min(self._levels))):
            return
        powers = np.abs(np.fft.rfft(frame * _WINDOW)) ** 2 if level > _LEAST else np.zeros_like(self._powers)
        self._powers += _SHARE * (powers.astype(np.float32) - self._powers)

    def make(self, samples: int) -> npt.NDArray[np.float32]:
        """``samples`` of noise that goes on from what was made before."""
        while len(self._ready) < samples:
            self._ready = np.concatenate([self._ready, self._next()])
        made, self._ready = self._ready[:samples], self._ready[samples:]
        return made

    def _next(self) -> npt.NDArray[np.float32]:
        phases = self._chance.uniform(0, 2 * np.pi, len(self._powers))
        magnitudes = np.sqrt(self._powers / np.mean(_WINDOW**2))
        noise = np.fft.irfft(magnitudes * np.exp(1j * phases)).astype(np.float32)
        made: npt.NDArray[np.float32] = noise[:_HOP] * _ENTERING + self._leaving
        self._leaving = noise[_HOP:] * _LEAVING
        return made
