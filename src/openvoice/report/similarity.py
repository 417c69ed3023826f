"""Whether the speech that was received is the speech that was sent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Signal = npt.NDArray[np.floating]

RATE = 8000
"""Hz at which sounds are compared: telephone speech, which every codec keeps."""
_BAND = (150.0, 3400.0)
_WINDOW = 2000
"""Samples of 250 ms: long enough that no other speech fits by chance, short enough that a stretch hardly shows."""
_HOP = _WINDOW // 2
_SEARCH = 1600
"""How far, in samples, one window may lie from the common delay: 200 ms, what a playout buffer may move."""
_QUIET = 0.05
"""Windows below this share of the loudest one's level are pauses and say nothing."""
PASS_CORRELATION = 0.6
PASS_FOUND = 0.8
_FOUND = 0.5


@dataclass(frozen=True, kw_only=True, slots=True)
class Similarity:
    """How much of the sent speech came, and how well."""

    correlation: float
    """The median over all windows of speech, between 0 and 1; 1 is the same waveform but for its loudness."""
    found: float
    """The share of the windows of speech that are in the received sound at all, between 0 and 1."""
    delay_seconds: float
    """How much later the sound begins in the received recording than in the sent one; negative for earlier."""

    @property
    def passed(self) -> bool:
        """Whether it is the same speech: better than any other speech, tone or noise ever fits by chance."""
        return self.correlation >= PASS_CORRELATION and self.found >= PASS_FOUND


def similarity(sent: npt.NDArray[np.generic], received: npt.NDArray[np.generic], rate: int) -> Similarity:
    """Compare two mono recordings of ``rate`` Hz, of any length, loudness and number format.

    Both are brought down to the telephone band. Each quarter of a second of the sent speech is then looked for in the
    received sound, near the delay that fits best over all; what was stretched, concealed or coded differently in
    between lowers the correlation of its windows only. Silence on either side gives 0.
    """
    reference, other = _band(sent, rate), _band(received, rate)
    nothing = Similarity(correlation=0.0, found=0.0, delay_seconds=0.0)
    if len(reference) < _WINDOW or not reference.any() or not other.any():
        return nothing
    common = _common_delay(reference, other)
    padding = _WINDOW + _SEARCH
    padded = np.concatenate([np.zeros(padding), other, np.zeros(padding)])
    windows = np.lib.stride_tricks.sliding_window_view(reference, _WINDOW)[::_HOP]
    levels = np.sqrt(np.mean(windows**2, axis=1))
    spoken = np.flatnonzero(levels > _QUIET * levels.max())
    fits = [_best_fit(windows[index], padded, padding + int(index) * _HOP + common) for index in spoken]
    correlations = np.array([correlation for correlation, _ in fits])
    delays = np.array([delay for _, delay in fits]) + common
    return Similarity(
        correlation=round(float(np.median(correlations)), 4),
        found=round(float(np.mean(correlations >= _FOUND)), 4),
        delay_seconds=round(float(np.median(delays)) / RATE, 4),
    )


def _band(sound: npt.NDArray[np.generic], rate: int) -> Signal:
    """The telephone band of a sound, at :data:`RATE`, by cutting its spectrum."""
    samples = np.asarray(sound, np.float64).ravel()
    if not len(samples):
        return samples
    spectrum = np.fft.rfft(samples)
    frequencies = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(frequencies < _BAND[0]) | (frequencies > _BAND[1])] = 0
    length = round(len(samples) * RATE / rate)
    kept = spectrum[: length // 2 + 1]
    return np.fft.irfft(kept, length) * (length / len(samples))


def _common_delay(reference: Signal, other: Signal) -> int:
    """The delay of ``other``, in samples, at which both fit best as a whole."""
    size = len(reference) + len(other)
    product = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(reference, size)), size)
    best = int(np.argmax(np.abs(product)))
    return best if best < len(other) else best - size


def _best_fit(window: Signal, other: Signal, start: int) -> tuple[float, int]:
    """The best correlation of a window around ``start``, and how far from there it lies."""
    first = max(0, start - _SEARCH)
    piece = other[first : max(0, start + _SEARCH + _WINDOW)]
    if len(piece) < _WINDOW:
        return 0.0, 0
    products = np.correlate(piece, window, "valid")
    energy = np.concatenate([[0.0], np.cumsum(piece**2)])
    energies = energy[_WINDOW:] - energy[:-_WINDOW]
    # A quiet piece correlates by chance; beside the window it must at least be heard.
    floor = 1e-4 * energies.max(initial=0.0) + 1e-12
    scores = products / np.sqrt(np.maximum(energies, floor) * np.sum(window**2))
    best = int(np.argmax(scores))
    return max(0.0, float(scores[best])), best + first - start
