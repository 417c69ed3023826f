"""Pictures that a program makes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from openvoice.ports import Picture, PictureFormat, VideoReport


class PictureFeed:
    """A :class:`~openvoice.ports.VideoInput` that shows what a program puts into it, when it does.

    What is put while nothing is sent is thrown away.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._deliver: Callable[[Picture | None], None] | None = None

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        with self._lock:
            self._deliver = deliver

    def stop(self) -> None:
        with self._lock:
            self._deliver = None

    def put(self, array: npt.NDArray[np.uint8], at: float | None = None) -> None:
        """Show an array from now on, from whatever thread. Do not change it afterwards.

        It is RGB of shape (height, width, 3), or I420 of shape (height * 3 // 2, width), ``uint8``; ``at`` is when it
        was made, in seconds of ``time.monotonic``.

        Raises ``ValueError`` for an array of another shape or kind.
        """
        moment = time.monotonic() if at is None else at
        picture = Picture(array, moment) if array.ndim == 2 else _converted(array, moment)
        with self._lock:
            if self._deliver is not None:
                self._deliver(picture)

    def end(self) -> None:
        """Say that there will be no more."""
        with self._lock:
            if self._deliver is not None:
                self._deliver(None)


def _converted(array: npt.NDArray[np.uint8], moment: float) -> Picture:
    # FFmpeg is heavy, and I420 needs none of it.
    from openvoice.media.video.conversion import from_rgb

    return from_rgb(array, moment)
