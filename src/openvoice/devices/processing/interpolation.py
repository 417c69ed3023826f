"""Sound read between its samples."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

REACH = 12
"""Samples on each side of a place that say what is there."""
_PHASES = 1024

Sound = npt.NDArray[np.float32]


class Interpolator:
    """Reads a sound at places that lie between its samples, by a windowed sinc.

    It has no memory: each place is computed from the samples around it. So the step from place to place may change at
    any time, by as little as one likes, and nothing is out of joint after.
    """

    def __init__(self) -> None:
        self._taps = np.arange(1 - REACH, REACH + 1)
        distance = self._taps - np.arange(_PHASES + 1)[:, None] / _PHASES
        weights = np.sinc(distance) * np.cos(np.clip(distance / REACH, -1, 1) * (math.pi / 2)) ** 2
        self._weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)

    def __call__(self, sound: Sound, start: float, step: float, count: int) -> Sound:
        """``count`` samples of ``sound`` from the place ``start`` on, each ``step`` after the one before.

        Places count samples of ``sound``. Each must have ``REACH`` samples around it; ``IndexError`` otherwise.
        """
        places = start + step * np.arange(count)
        whole = np.floor(places).astype(np.intp)
        if whole[0] < REACH - 1:
            raise IndexError("there is no sound before the beginning")
        phases = np.rint((places - whole) * _PHASES).astype(np.intp)
        made: Sound = np.einsum("ij,ij->i", sound[whole[:, None] + self._taps], self._weights[phases])
        return made
