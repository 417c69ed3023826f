"""Still pictures from files."""

from __future__ import annotations

from pathlib import Path

import av
import av.error
import numpy as np
import numpy.typing as npt

from openvoice.errors import UsageError

FORMATS = "png_pipe,jpeg_pipe,webp_pipe,gif,gif_pipe,bmp_pipe,tiff_pipe"
"""What is read, by FFmpeg's names: whatever a file is called, it is opened as nothing else."""
MAXIMUM_SIDE = 8192
"""Pixels."""


def load_grey(path: Path) -> npt.NDArray[np.uint8]:
    """The picture in ``path`` (PNG, JPEG, WebP ...) in shades of grey: shape (height, width).

    Raises:
        UsageError: there is no such file, or it is no picture, or a gigantic one.
    """
    try:
        # As a stream, and of pictures alone: FFmpeg knows formats that lead to other files, and to the network.
        with path.open("rb") as file, av.open(file, mode="r", options={"format_whitelist": FORMATS}) as container:
            stream = container.streams.video[0]
            if max(stream.width, stream.height) > MAXIMUM_SIDE:
                raise UsageError(f"{str(path)!r} is larger than {MAXIMUM_SIDE} pixels: crop it to the code")
            frame = next(iter(container.decode(stream)))
    except (OSError, av.error.FFmpegError, IndexError, StopIteration) as error:
        raise UsageError(f"{str(path)!r} is not a picture that can be read") from error
    return frame.to_ndarray(format="gray").astype(np.uint8, copy=False)
