"""What a sound is made of over time, as a picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.report.png import PALETTE, image, png_file
from openvoice.report.sound import Sound

COLUMNS = 500
ROWS = 128
HIGHEST_HERTZ = 8000
_WINDOW_SECONDS = 0.032
_RANGE_DECIBELS = 70
_FULL_SCALE = 32768.0
_RAMP = ((59, 110, 235), (150, 84, 240), (232, 76, 150), (255, 150, 40))
"""From faint to loud. Faint is transparent as well, so the picture fits a light and a dark page."""


def levels(sound: Sound) -> npt.NDArray[np.uint8]:
    """How loud each frequency is at each time: shape ``(128, 500)``, row 0 is 8 kHz, the last 0 Hz.

    0 is 70 dB or more below full scale, 255 full scale.
    """
    size = max(2, round(sound.rate * _WINDOW_SECONDS))
    centres = (np.arange(COLUMNS) + 0.5) / COLUMNS * len(sound.samples)
    padded = np.pad(sound.samples.astype(np.float64), size)
    starts = (centres + size / 2).astype(int)
    windows = padded[starts[:, np.newaxis] + np.arange(size)] * np.hanning(size)
    # A sine at full scale then gives one.
    magnitudes = np.abs(np.fft.rfft(windows, axis=1)) / (_FULL_SCALE * size / 4)
    bins = np.arange(ROWS) * (HIGHEST_HERTZ / ROWS) / (sound.rate / size)
    nearest = np.rint(bins).astype(int)
    held = nearest < magnitudes.shape[1]
    picture = np.zeros((COLUMNS, ROWS))
    picture[:, held] = magnitudes[:, nearest[held]]
    decibels = 20 * np.log10(np.maximum(picture, 1e-9))
    scaled = np.clip((decibels + _RANGE_DECIBELS) / _RANGE_DECIBELS, 0, 1) * 255
    return scaled.T[::-1].astype(np.uint8)


def spectrogram(sound: Sound, label: str) -> str:
    """An HTML image that holds its own data. ``label`` must be escaped."""
    return image(png(levels(sound)), label, "spectrogram")


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    """A PNG file (W3C PNG, 8 bit palette with transparency) of rows of values between 0 and 255."""
    places = np.linspace(0, len(_RAMP) - 1, 256)
    palette = np.stack([np.interp(places, range(len(_RAMP)), channel) for channel in zip(*_RAMP, strict=True)], axis=1)
    opacity = np.clip(np.arange(256) * 2.2, 0, 255)
    return png_file(
        picture,
        PALETTE,
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"tRNS", opacity.astype(np.uint8).tobytes()),
    )
