"""Pictures to send, and places for received pictures to go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from openvoice.core.types import DeviceChange

MAXIMUM_SIDE = 4096
"""Pixels that a picture has at most in either direction, whoever sends it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: planar YUV 4:2:0 (I420, BT.601, limited range), of even width and height.

    ``data`` has the shape ``(height * 3 // 2, width)``, ``uint8``: the rows of Y, then U, then V. Nobody changes it
    once it is in a picture. ``time`` is when it was taken, or, of a received one, when it is to be seen: seconds of
    ``time.monotonic``.

    Raises ``ValueError`` for data of another shape or kind, and for sides beyond :data:`MAXIMUM_SIDE`.
    """

    data: npt.NDArray[np.uint8]
    time: float

    def __post_init__(self) -> None:
        if self.data.ndim != 2 or self.data.dtype != np.uint8 or self.data.shape[0] % 3 or self.data.shape[1] % 2:
            raise ValueError("a picture is I420: shape (height * 3 // 2, width), uint8, of even sides")
        if not (0 < self.width <= MAXIMUM_SIDE and 0 < self.height <= MAXIMUM_SIDE):
            raise ValueError(f"a picture has sides of at most {MAXIMUM_SIDE} pixels")

    @property
    def width(self) -> int:
        return int(self.data.shape[1])

    @property
    def height(self) -> int:
        return int(self.data.shape[0]) * 2 // 3


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureFormat:
    """What a source should deliver, or at most: sides in pixels, ``rate`` in pictures a second."""

    width: int = 640
    height: int = 480
    rate: float = 30.0


VideoReport = Callable[[DeviceChange, str | None, str], None]
"""Takes what became of a device, its name, and the same in words for a person."""


class VideoInput(Protocol):
    """Pictures to send, at their own pace: a camera, a screen, a file ..."""

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        """Begin to call ``deliver`` with each picture, from whatever thread; ``None`` says that it is over.

        It never waits for what is slow: what cannot be shown at once is dropped by who takes it. ``report`` is told, on
        whatever thread, of a camera that is missing, busy, vanished or came back; that is no reason to stop.
        """
        ...

    def stop(self) -> None:
        """Let the device go. Nothing is delivered after this returns. Twice is once."""
        ...


class VideoOutput(Protocol):
    """Somewhere for received pictures to go: a window, a file, a program."""

    def write(self, picture: Picture) -> None:
        """Take a picture when it is due. Called from one thread, which may wait a moment for a slow taker.

        Raises:
            VideoFailed: once, when it takes no more.
        """
        ...

    def close(self) -> None:
        """There will be no more. Twice is once."""
        ...
