"""A time written into a picture, so that whoever sees the picture knows its age.

32 blocks side by side along the upper edge, white for 1 and black for 0, the highest bit left: milliseconds of Unix
time modulo 2^32. They survive what codecs, scaling and loss do to a picture, as long as it can be recognised at all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from openvoice.ports import Picture

BITS = 32
LEAST_WIDTH = 4 * BITS
"""Pixels that a picture must have for its stamp to be read."""
_RANGE = 1 << BITS
_WHITE, _BLACK, _MIDDLE, _CERTAIN = 235, 16, 126, 40


def write_stamp(data: npt.NDArray[np.uint8], milliseconds: int) -> None:
    """Write a time into the array of a picture that nobody has yet."""
    height, width = data.shape[0] * 2 // 3, data.shape[1]
    rows = min(height, -(-width // BITS // 2) * 2)
    bits = (milliseconds >> np.arange(BITS - 1, -1, -1)) & 1
    values = np.where(bits == 1, _WHITE, _BLACK).astype(np.uint8)
    data[:rows] = values[np.arange(width) * BITS // width]
    flat, whole, quarter = data.reshape(-1), height * width, height * width // 4
    colourless = rows // 2 * (width // 2)
    flat[whole : whole + colourless] = 128
    flat[whole + quarter : whole + quarter + colourless] = 128


def read_stamp(picture: Picture) -> int | None:
    """The milliseconds that were written; ``None`` if a block is neither black nor white, or all are black."""
    width, side = picture.width, picture.width / BITS
    if width < LEAST_WIDTH:
        return None
    reach = max(1, int(side / 4))
    middle = min(int(side / 2), picture.height // 2)
    rows = picture.data[max(0, middle - reach) : middle + reach]
    value: int = 0
    for bit in range(BITS):
        centre = int((bit + 0.5) * side)
        brightness = float(rows[:, centre - reach : centre + reach].mean())
        if abs(brightness - _MIDDLE) < _CERTAIN:
            return None
        value = value * 2 + (1 if brightness > _MIDDLE else 0)
    return value or None


def age(stamp: int, milliseconds: int) -> int:
    """Milliseconds between a stamp and a time; below 0 for a stamp of the future."""
    difference = (milliseconds - stamp) % _RANGE
    return difference - _RANGE if difference >= _RANGE // 2 else difference
