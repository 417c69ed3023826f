"""Pictures as FFmpeg has them, and as arrays of RGB, made into pictures of openvoice and back."""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt
from av.video.reformatter import ColorRange, Colorspace

from openvoice.ports import MAXIMUM_SIDE, Picture, PictureFormat

LEAST_SIDE = 16
"""Pixels: what is smaller is made this large."""


def fitted(width: int, height: int, within: PictureFormat) -> tuple[int, int]:
    """The size of a picture made so small that it is ``within`` a format: even sides, the shape kept, never larger."""
    scale = min(1.0, within.width / width, within.height / height, MAXIMUM_SIDE / width, MAXIMUM_SIDE / height)
    return _even(width * scale), _even(height * scale)


def to_picture(frame: av.VideoFrame, time: float, within: PictureFormat | None = None) -> Picture:
    """A frame of any pixel format, made to fit ``within``, as I420 of BT.601 in limited range."""
    size = fitted(frame.width, frame.height, within or PictureFormat(width=MAXIMUM_SIDE, height=MAXIMUM_SIDE))
    planar = frame.reformat(
        *size,
        format="yuv420p",
        dst_colorspace=Colorspace.ITU601,
        dst_color_range=ColorRange.MPEG,
        interpolation="BILINEAR",
        threads=1,
    )
    return Picture(planar.to_ndarray().astype(np.uint8, copy=False), time)


def to_frame(picture: Picture) -> av.VideoFrame:
    """The same picture for FFmpeg."""
    frame = av.VideoFrame.from_ndarray(picture.data, format="yuv420p")
    frame.colorspace = Colorspace.ITU601
    frame.color_range = ColorRange.MPEG
    return frame


def from_rgb(array: npt.NDArray[np.uint8], time: float) -> Picture:
    """A picture of an array of shape (height, width, 3), ``uint8``, red first.

    Raises ``ValueError`` for an array of another shape or kind.
    """
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or not array.size:
        raise ValueError("a picture in RGB has the shape (height, width, 3), uint8")
    return to_picture(av.VideoFrame.from_ndarray(np.ascontiguousarray(array), format="rgb24"), time)


def to_rgb(picture: Picture) -> npt.NDArray[np.uint8]:
    """The shape (height, width, 3), ``uint8``, red first: for a window, a file of a still picture, a program."""
    return to_frame(picture).to_ndarray(format="rgb24").astype(np.uint8, copy=False)


def black(width: int, height: int, time: float) -> Picture:
    """Nothing to see."""
    data = np.full((height * 3 // 2, width), 128, np.uint8)
    data[:height] = 16
    return Picture(data, time)


def scaled(picture: Picture, width: int, height: int) -> Picture:
    """The same in another size, whatever that does to its shape. Raises ``ValueError`` for odd sides."""
    frame = to_frame(picture).reformat(width, height, format="yuv420p", interpolation="BILINEAR", threads=1)
    return Picture(frame.to_ndarray().astype(np.uint8, copy=False), picture.time)


def planes(data: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], ...]:
    """Y (height, width), then U and V (half of both), as views of the array of a picture."""
    height, width = data.shape[0] * 2 // 3, data.shape[1]
    flat, whole, quarter = data.reshape(-1), height * width, height * width // 4
    half = (height // 2, width // 2)
    return (
        flat[:whole].reshape(height, width),
        flat[whole : whole + quarter].reshape(half),
        flat[whole + quarter :].reshape(half),
    )


def letterboxed(picture: Picture, width: int, height: int) -> Picture:
    """The whole picture in the middle of one of another size, with black around it; itself if it has that size."""
    if (picture.width, picture.height) == (width, height):
        return picture
    scale = min(width / picture.width, height / picture.height)
    size = min(width, _even(picture.width * scale)), min(height, _even(picture.height * scale))
    inner = scaled(picture, *size)
    whole = black(width, height, picture.time)
    left, top = (width - size[0]) // 4 * 2, (height - size[1]) // 4 * 2
    for plane, part, share in zip(planes(whole.data), planes(inner.data), (1, 2, 2), strict=True):
        rows, columns = part.shape
        plane[top // share : top // share + rows, left // share : left // share + columns] = part
    return whole


def _even(side: float) -> int:
    return max(LEAST_SIDE, round(side / 2) * 2)
