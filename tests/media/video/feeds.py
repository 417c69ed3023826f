"""A source of pictures for tests."""

from __future__ import annotations

from collections.abc import Callable

from openvoice.media.video.sources.arrays import PictureFeed
from openvoice.ports import Picture, PictureFormat, VideoReport


class Feed(PictureFeed):
    """Knows whether it is in use."""

    def __init__(self) -> None:
        super().__init__()
        self.used = False

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        super().start(deliver, report, wanted)
        self.used = True

    def stop(self) -> None:
        super().stop()
        self.used = False
