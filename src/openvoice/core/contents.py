"""The contents of a call beyond its voice: who wants them, what both sides agreed on, and what is shown in them."""

from __future__ import annotations

from collections.abc import Iterator

from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.types import VideoLabel

ContentsInput = (
    i.ShowVideo
    | i.HideVideo
    | i.ContentsAdded
    | i.ContentsAccepted
    | i.ContentsRejected
    | i.ContentsModified
    | i.ContentsRemoved
    | i.LocalContents
    | i.ContentsFailed
)


class Contents:
    """Of one call, in one session after another."""

    def __init__(self) -> None:
        self._wanted: set[VideoLabel] = set()

    def take(self, message: ContentsInput) -> Iterator[e.Effect]:
        match message:
            case i.ShowVideo(label):
                self._wanted.add(label)
            case i.HideVideo(label):
                self._wanted.discard(label)
            case i.ContentsAdded(contents):
                yield e.SendContentReject(tuple(content.name for content in contents))
