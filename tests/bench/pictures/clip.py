"""What is shown in a call of the bench of video: seeded pictures, each with its number written along its upper edge.

32 blocks, white for 1 and black for 0, the highest bit left, as :mod:`openvoice.media.video.stamp` writes them. By its
number a picture is found again at the other end, whatever became of it on the way.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from openvoice.media.video.stamp import BITS

Pixels = npt.NDArray[np.uint8]
COUNT = 40
"""Pictures that differ; they are shown forwards and backwards, so that nothing ever jumps."""


def clip(width: int, height: int, count: int = COUNT) -> list[Pixels]:
    """I420: a person-like shape that moves before a wall that the camera passes, with the noise of a camera."""
    dice = np.random.default_rng(7)
    wall = gaussian_filter(dice.normal(0, 1, (height, width + 2 * count)), height / 240)
    wall = 110 + 28 * wall / wall.std()
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    pictures = []
    for index in range(count):
        phase = 2 * np.pi * index / count
        y = wall[:, 2 * index : 2 * index + width].astype(np.float32)
        centre_x, centre_y = width * (0.5 + 0.08 * np.sin(phase)), height * (0.42 + 0.02 * np.sin(2 * phase))
        head = np.hypot((columns - centre_x) / 0.8, rows - centre_y) < height * 0.18
        body = np.hypot((columns - centre_x) / 1.6, rows - height * 1.05) < height * 0.42
        y[head] = 165 + 25 * np.sin(rows[head] / height * 60 + phase) * np.cos(columns[head] / height * 60)
        y[body] = 75 + 15 * np.sin(columns[body] / height * 90 + 3 * phase)
        y += dice.normal(0, 1.5, y.shape)
        u = np.full((height // 2, width // 2), 126.0)
        v = np.full((height // 2, width // 2), 130.0)
        u[head[::2, ::2]], v[head[::2, ::2]] = 112, 150
        u[body[::2, ::2]], v[body[::2, ::2]] = 150, 118
        planes = np.concatenate([plane.ravel() for plane in (y, u, v)])
        pictures.append(np.clip(planes, 16, 235).astype(np.uint8).reshape(height * 3 // 2, width))
    return pictures


def place(number: int, count: int = COUNT) -> int:
    """Which picture of the clip has that number."""
    step = number % (2 * count - 2)
    return step if step < count else 2 * count - 2 - step


def number_of(luminance: Pixels) -> int | None:
    """The number that is written into a picture of any size; ``None`` if it cannot be read."""
    height, width = luminance.shape
    if width < 4 * BITS or height < width // BITS:
        return None
    centres = ((np.arange(BITS) + 0.5) * width / BITS).astype(int)
    bits = luminance[width // BITS // 2, centres] > 126
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
