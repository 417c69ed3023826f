"""Where a piece of sound looks like another: the root of time-stretching and of waveform concealment."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

SHORTEST_PERIOD = 120
"""Samples: 2.5 ms, the pitch period of a 400 Hz voice."""
LONGEST_PERIOD = 720
"""Samples: 15 ms, the pitch period of a 67 Hz voice."""


def similarities(template: npt.NDArray[np.float32], sound: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The normalised cross-correlation (-1 to 1) of ``template`` with each place of ``sound`` that it fits.

    The result has ``len(sound) - len(template) + 1`` values; places without energy count as 0.
    """
    products = np.correlate(sound, template, "valid")
    squares = np.concatenate([[0.0], np.cumsum(sound.astype(np.float64) ** 2)])
    energies = squares[len(template) :] - squares[: -len(template)]
    scale = np.sqrt(np.maximum(energies, 1.0) * max(float(template @ template), 1.0))
    likenesses: npt.NDArray[np.float32] = (products / scale).astype(np.float32)
    return likenesses


def loudness(sound: npt.NDArray[np.float32]) -> float:
    """Root mean square; 32768 is full scale."""
    return math.sqrt(float(sound @ sound) / len(sound)) if len(sound) else 0.0
