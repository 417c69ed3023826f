"""Make sound a pitch period shorter or longer without changing its pitch: waveform-similarity overlap-add.

One step cross-fades from the sound to itself, moved by the shift at which both look most alike. Silence goes with any
shift; sound that resembles itself nowhere is left alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.similarity import LONGEST_PERIOD, SHORTEST_PERIOD, loudness, similarities

OVERLAP = 300
"""Samples of the cross-fade: 6.25 ms."""
_FALL = np.linspace(1, 0, OVERLAP, endpoint=False, dtype=np.float32)


def cross_fade(leaving: npt.NDArray[np.float32], entering: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """From one sound to another over ``OVERLAP`` samples; both have that length."""
    return leaving * _FALL + entering * (1 - _FALL)


def join(leaving: Samples, entering: Samples) -> Samples:
    """``entering``, into which ``leaving`` cross-fades, over as much as both have."""
    length = min(len(leaving), len(entering))
    fall = np.linspace(1, 0, length, endpoint=False, dtype=np.float32)
    seam = leaving[:length] * fall + entering[:length] * (1 - fall)
    return np.concatenate([seam.astype(np.int16), entering[length:]])


def shorten(sound: Samples, most: int, *, likeness: float, quiet: float) -> Samples:
    """Take between 2.5 ms and ``most`` samples out of ``sound``; give it back as it is where that would be heard.

    ``likeness`` (0 to 1) is how similar the two ends of the cut have to be; below the root mean square ``quiet``
    nobody hears where sound was cut, and all that may be is taken.
    """
    most = min(most, len(sound) - OVERLAP, LONGEST_PERIOD)
    if most < SHORTEST_PERIOD:
        return sound
    known = sound.astype(np.float32)
    if loudness(known) < quiet:
        shift = most
    else:
        likenesses = similarities(known[:OVERLAP], known[SHORTEST_PERIOD : most + OVERLAP])
        best = int(np.argmax(likenesses))
        if likenesses[best] < likeness:
            return sound
        shift = SHORTEST_PERIOD + best
    seam = cross_fade(known[:OVERLAP], known[shift : shift + OVERLAP])
    return np.concatenate([seam.astype(np.int16), sound[shift + OVERLAP :]])


def lengthen(past: Samples, sound: Samples, *, likeness: float, quiet: float) -> Samples:
    """Repeat between 2.5 and 15 ms of ``past`` at the start of ``sound``, or give it back as it is.

    ``past`` is what was played right before: at least ``LONGEST_PERIOD`` samples. ``sound`` has ``OVERLAP`` or more.
    ``likeness`` and ``quiet`` are as in :func:`shorten`.
    """
    if len(sound) < OVERLAP or len(past) < LONGEST_PERIOD:
        return sound
    whole = np.concatenate([past[-LONGEST_PERIOD:], sound])
    known = whole.astype(np.float32)
    entering = known[LONGEST_PERIOD : LONGEST_PERIOD + OVERLAP]
    if loudness(known) < quiet:
        place = 0
    else:
        likenesses = similarities(entering, known[: LONGEST_PERIOD - SHORTEST_PERIOD + OVERLAP])
        place = int(np.argmax(likenesses))
        if likenesses[place] < likeness:
            return sound
    seam = cross_fade(entering, known[place : place + OVERLAP])
    return np.concatenate([seam.astype(np.int16), whole[place + OVERLAP :]])
