"""The tones beside calls, computed.

Ring-back and busy are what most of the world has (ITU-T E.180, ETSI TR 101 041-2: 425 Hz, one second in five, half a
second in one). Ring and the end are our own: soft notes that die away, like a struck bar of wood.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from openvoice.core.tones import Tone
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

_Wave = npt.NDArray[np.float64]

LINE_HERTZ = 425.0
BEGINNING = 0.2
_RAMP_SECONDS = 0.01
_RING_PEAK, _LINE_PEAK, _END_PEAK = 0.3, 0.1, 0.15
"""Of full scale. A ring is to be heard from the next room, the rest by an ear at the loudspeaker."""
_E5, _G5, _C6, _C5 = 659.26, 783.99, 1046.50, 523.25


@cache
def sound(tone: Tone) -> Frame:
    """One period of a tone that lasts, or all of one that does not: ``int16``, 48 kHz, mono, whole frames."""
    match tone:
        case Tone.RING:
            notes = [(0.0, _E5), (0.16, _G5), (0.32, _C6), (0.8, _E5), (0.96, _G5), (1.12, _C6)]
            made = _silence(3.6)
            for begin, hertz in notes:
                _add(made, _struck(hertz, 0.8), begin)
            made *= _RING_PEAK / np.abs(made).max()
        case Tone.RING_BACK:
            made = _silence(5.0)
            _add(made, _LINE_PEAK * _steady(LINE_HERTZ, 1.0), 0.0)
        case Tone.BUSY:
            made = _silence(2.0)
            for begin in (0.0, 1.0):
                _add(made, _LINE_PEAK * _steady(LINE_HERTZ, 0.5), begin)
        case Tone.ENDED:
            made = _silence(0.6)
            for begin, hertz in ((0.0, _G5), (0.14, _C5)):
                _add(made, _struck(hertz, 0.4), begin)
            made *= _END_PEAK / np.abs(made).max()
    samples: Frame = np.rint(made * 32767).astype(np.int16)
    samples.flags.writeable = False
    return samples


def _silence(seconds: float) -> _Wave:
    frames = round(seconds * SAMPLE_RATE / FRAME_SAMPLES)
    return np.zeros(frames * FRAME_SAMPLES)


def _steady(hertz: float, seconds: float) -> _Wave:
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    ramp = np.minimum(1.0, np.minimum(times, times[::-1]) / _RAMP_SECONDS)
    made: _Wave = np.sin(2 * np.pi * hertz * times) * ramp
    return made


def _struck(hertz: float, seconds: float) -> _Wave:
    """Its fourth harmonic dies first, as on a marimba."""
    times = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    made = np.sin(2 * np.pi * hertz * times) * np.exp(-times / 0.18)
    made += 0.25 * np.sin(8 * np.pi * hertz * times) * np.exp(-times / 0.05)
    ends = np.minimum(1.0, np.minimum(times / 0.004, times[::-1] / _RAMP_SECONDS))
    return np.asarray(made * ends)


def _add(made: _Wave, note: _Wave, begin: float) -> None:
    start = round(begin * SAMPLE_RATE)
    made[start : start + len(note)] += note


def seconds(tone: Tone) -> float:
    """How long :func:`sound` takes, with what a device needs to begin."""
    return len(sound(tone)) / SAMPLE_RATE + BEGINNING
