"""Still pictures from files."""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt

from openvoice.errors import UsageError

MAXIMUM_SIDE = 8192
"""Pixels."""


def load_grey(path: Path) -> npt.NDArray[np.uint8]:
    """The picture in ``path`` (PNG, JPEG, WebP ...) in shades of grey: shape (height, width).

    Raises:
        UsageError: there is no such file, or it is no picture, or a gigantic one.
    """
    try:
        with av.open(str(path)) as container:
            frame = next(iter(container.decode(video=0)))
    except (OSError, av.error.FFmpegError, IndexError, StopIteration) as error:
        raise UsageError(f"{str(path)!r} is not a picture that can be read") from error
    if max(frame.width, frame.height) > MAXIMUM_SIDE:
        raise UsageError(f"{str(path)!r} is larger than {MAXIMUM_SIDE} pixels: crop it to the code")
    return frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
