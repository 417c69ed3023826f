"""Sound that begins and ends without a click."""

from __future__ import annotations

import numpy as np

from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

FADE_SAMPLES = SAMPLE_RATE // 200
"""5 ms."""
_RISE = np.linspace(0, 1, FADE_SAMPLES, dtype=np.float32)


class Fader:
    """Frames of a sound, or silence in their place, with a short ramp between the two."""

    def __init__(self) -> None:
        self._heard = True

    def __call__(self, frame: Frame, *, heard: bool) -> Frame:
        """What is heard of ``frame``; the frame itself where that is all of it."""
        before, self._heard = self._heard, heard
        if heard and before:
            return frame
        made: Frame = np.zeros(FRAME_SAMPLES, np.int16)
        if heard:
            made[:] = frame
            made[:FADE_SAMPLES] = frame[:FADE_SAMPLES] * _RISE
        elif before:
            made[:FADE_SAMPLES] = frame[:FADE_SAMPLES] * _RISE[::-1]
        return made
