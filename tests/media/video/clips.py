"""Seeded moving pictures to code: what is easy, what is hard, and how alike two pictures are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.ports import Picture

Pixels = npt.NDArray[np.uint8]


def easy(count: int, width: int = 640, height: int = 480, *, rate: float = 30.0, start: float = 100.0) -> list[Picture]:
    """Soft shapes that wander, as of a person before a wall."""
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    grain = np.random.default_rng(1).normal(0, 2, (height + 16, width + 16)).astype(np.float32)
    pictures = []
    for index in range(count):
        phase = index * 0.12
        away = np.hypot(columns - width * (0.5 + 0.2 * np.sin(phase)), rows - height * (0.5 + 0.1 * np.cos(phase)))
        light = 90 + 60 * np.sin(columns / 97 + phase / 3) * np.cos(rows / 71) + 70 * np.exp(-((away / 90) ** 2))
        dx, dy = index * 5 % 16, index * 3 % 16
        y = np.clip(light + grain[dy : dy + height, dx : dx + width], 16, 235).astype(np.uint8)
        u = np.clip(128 + (light[::2, ::2] - 110) / 6, 16, 240).astype(np.uint8)
        pictures.append(_picture(y, u, 255 - u, start + index / rate))
    return pictures


def noise(
    count: int, width: int = 640, height: int = 480, *, rate: float = 30.0, start: float = 100.0, seed: int = 1
) -> list[Picture]:
    """Nothing of a picture is like anything of the one before: the hardest there is."""
    dice = np.random.default_rng(seed)
    return [
        Picture(dice.integers(16, 235, (height * 3 // 2, width), np.uint8), start + index / rate)
        for index in range(count)
    ]


def scrolling(
    count: int, width: int = 640, height: int = 480, *, rate: float = 30.0, start: float = 100.0, seed: int = 1
) -> list[Picture]:
    """A rough surface that moves by, with some noise on it: hard, but what a camera may see."""
    dice = np.random.default_rng(seed)
    surface = dice.integers(40, 215, (height + 2 * count, width + 3 * count), np.uint8)
    surface = (surface.astype(np.uint16) + np.roll(surface, 1, 0) + np.roll(surface, 1, 1))[:, :] // 3
    pictures = []
    for index in range(count):
        y = surface[2 * index : 2 * index + height, 3 * index : 3 * index + width].astype(np.int16)
        y = np.clip(y + dice.integers(-8, 8, y.shape, np.int16), 16, 235).astype(np.uint8)
        flat = np.full((height // 2, width // 2), 128, np.uint8)
        pictures.append(_picture(y, flat, flat, start + index / rate))
    return pictures


def slide(width: int = 640, height: int = 480) -> Picture:
    """A white page with rows of something like letters."""
    dice = np.random.default_rng(3)
    y = np.full((height, width), 235, np.uint8)
    for top in range(20, height - 20, 24):
        letters = dice.integers(0, 2, (6, width // 4 - 10), np.uint8)
        y[top : top + 12, 20 : 20 + 2 * letters.shape[1]] = 235 - 219 * np.kron(letters, np.ones((2, 2), np.uint8))
    flat = np.full((height // 2, width // 2), 128, np.uint8)
    return _picture(y, flat, flat, 100.0)


def psnr(one: Pixels, other: Pixels) -> float:
    """dB of the luminance of two I420 pictures of the same sides."""
    height = one.shape[0] * 2 // 3
    difference = one[:height].astype(np.float32) - other[:height].astype(np.float32)
    return float(10 * np.log10(255**2 / max(float(np.mean(difference**2)), 1e-3)))


def _picture(y: Pixels, u: Pixels, v: Pixels, time: float) -> Picture:
    planes = np.concatenate([y.ravel(), u.ravel(), v.ravel()])
    return Picture(planes.reshape(y.shape[0] * 3 // 2, y.shape[1]), time)
