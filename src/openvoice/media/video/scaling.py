"""Pictures made smaller."""

from __future__ import annotations

import av
import numpy as np

from openvoice.ports import Picture, PictureFormat


def fitted(width: int, height: int, wanted: PictureFormat) -> tuple[int, int]:
    """The largest even sides, of the same proportions, that are within ``wanted`` and no larger than they were."""
    scale = min(1.0, wanted.width / width, wanted.height / height)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """The picture with other, even sides."""
    if (picture.width, picture.height) == (width, height):
        return picture
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture.data), format="yuv420p")
    smaller = frame.reformat(width=width, height=height, interpolation="AREA")
    return Picture(smaller.to_ndarray().astype(np.uint8, copy=False), picture.time)
