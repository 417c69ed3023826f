"""Between 48 kHz and the 8 or 16 kHz of telephone codecs: streaming polyphase filters of linear phase."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.media.audio.codec import Samples
from openvoice.ports import SAMPLE_RATE

_STOPBAND_DECIBELS = 60.0
_PASSBAND_SHARE = 0.85
"""Of the lower rate's half: 3.4 kHz for telephone sound, 6.8 kHz for wideband."""


def _low_pass(factor: int) -> npt.NDArray[np.float32]:
    """A Kaiser-windowed sinc at 48 kHz, for the band of ``48 kHz / factor``; a multiple of ``factor`` taps."""
    cut = 0.5 / factor
    transition = cut * (1 - _PASSBAND_SHARE)
    taps = (_STOPBAND_DECIBELS - 7.95) / (14.36 * transition)
    length = -(-int(taps) // factor) * factor
    shape = 0.1102 * (_STOPBAND_DECIBELS - 8.7)
    middle = cut - transition / 2
    time = np.arange(length) - (length - 1) / 2
    response = 2 * middle * np.sinc(2 * middle * time) * np.kaiser(length, shape)
    normalised: npt.NDArray[np.float32] = (response / response.sum()).astype(np.float32)
    return normalised


def _factor(rate: int) -> int:
    if rate not in (8000, 16_000):
        raise ValueError("only 8 and 16 kHz are converted")
    return SAMPLE_RATE // rate


def _rounded(values: npt.NDArray[np.float32]) -> Samples:
    return np.clip(np.rint(values), -32768, 32767).astype(np.int16)


class Downsampler:
    """From 48 kHz to ``rate`` (Hz): every call takes a multiple of ``48000 / rate`` samples."""

    def __init__(self, rate: int) -> None:
        self._factor = _factor(rate)
        self._filter = _low_pass(self._factor)
        self._past = np.zeros(len(self._filter) - self._factor, np.float32)

    def convert(self, samples: Samples) -> Samples:
        known = np.concatenate([self._past, samples.astype(np.float32)])
        self._past = known[len(known) - len(self._past) :]
        windows = np.lib.stride_tricks.sliding_window_view(known, len(self._filter))[:: self._factor]
        return _rounded(windows @ self._filter)


class Upsampler:
    """From ``rate`` (Hz) to 48 kHz."""

    def __init__(self, rate: int) -> None:
        self._factor = _factor(rate)
        # Column p holds the taps that meet samples, not the zeros between them, in phase p; newest sample last.
        self._phases = self._factor * _low_pass(self._factor).reshape(-1, self._factor)[::-1]
        self._past = np.zeros(len(self._phases) - 1, np.float32)

    def convert(self, samples: Samples) -> Samples:
        known = np.concatenate([self._past, samples.astype(np.float32)])
        self._past = known[len(known) - len(self._past) :]
        windows = np.lib.stride_tricks.sliding_window_view(known, len(self._phases))
        return _rounded((windows @ self._phases).reshape(-1))

    def reset(self) -> None:
        self._past[:] = 0
