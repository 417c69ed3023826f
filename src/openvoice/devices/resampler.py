"""Sound of one rate turned into sound of another, frame by frame."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

_ZERO_CROSSINGS = 16
"""On each side of a sinc: steep enough for speech at any rate, and 16 samples of delay."""


class FrameResampler:
    """Turns frames of ``incoming`` samples into frames of ``outgoing`` samples that last as long.

    A frame always begins at the same phase of both rates, so one table of weights serves all frames. A windowed sinc
    keeps out what the lower rate cannot hold.

    Raises ``ValueError`` for frames of no samples.
    """

    def __init__(self, incoming: int, outgoing: int) -> None:
        if incoming < 1 or outgoing < 1:
            raise ValueError("a frame holds at least one sample")
        cutoff = min(1.0, outgoing / incoming)
        reach = math.ceil(_ZERO_CROSSINGS / cutoff)
        centre = np.arange(outgoing) * (incoming / outgoing)
        taps = np.arange(-reach + 1, reach + 1)
        self._indices = np.floor(centre).astype(np.intp)[:, None] + taps + reach - 1
        distance = (self._indices - (reach - 1)) - centre[:, None]
        window = np.cos(np.clip(distance / reach, -1, 1) * (math.pi / 2)) ** 2
        weights = np.sinc(distance * cutoff) * window
        self._weights = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        self._history = np.zeros(2 * reach, np.float32)
        self._identity = incoming == outgoing

    def __call__(self, frame: npt.NDArray[np.int16]) -> npt.NDArray[np.int16]:
        """The next frame; ``int16`` in and out."""
        if self._identity:
            return frame
        known = np.concatenate([self._history, frame], dtype=np.float32)
        self._history = known[len(frame) :]
        made = np.einsum("ij,ij->i", known[self._indices], self._weights)
        rounded: npt.NDArray[np.int16] = np.clip(np.rint(made), -32768, 32767).astype(np.int16)
        return rounded
