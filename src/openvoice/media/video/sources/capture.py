"""Devices that FFmpeg opens."""

from __future__ import annotations

import contextlib
import errno
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass

import av
import av.error
from av.container import InputContainer

from openvoice.errors import VideoFailed
from openvoice.media.video.conversion import to_picture
from openvoice.ports import Picture, PictureFormat

SIZES = ((320, 240), (640, 360), (640, 480), (800, 600), (960, 540), (1280, 720), (1920, 1080))
"""What cameras have, where they have to be asked for one of their own sizes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Feed:
    """What FFmpeg is to open: the name of its format, the name of the file, and options to try, the best first."""

    format: str
    file: str
    attempts: Sequence[Mapping[str, str]] = ({},)


def nearest_sizes(wanted: PictureFormat) -> list[tuple[int, int]]:
    """The wanted size, then what cameras have, the most like it first."""

    def distance(size: tuple[int, int]) -> float:
        (width, height), least = size, min(wanted.width, wanted.height)
        unlike = abs(width / height - wanted.width / wanted.height)
        # Too small looks worse than too large, which is made smaller.
        return abs(width - wanted.width) * (1 if width >= wanted.width else 3) / least + unlike

    own = (wanted.width, wanted.height)
    return [own, *sorted((size for size in SIZES if size != own), key=distance)]


def capture(feed: Feed, wanted: PictureFormat, unwanted: Callable[[], bool]) -> Generator[Picture, None, None]:
    """Open it and give its pictures, as large as ``wanted`` at most, until it ends or is ``unwanted``.

    Raises:
        VideoFailed: it cannot be opened.
    """
    with _open(feed) as container:
        stream = container.streams.video[0]
        with contextlib.suppress(av.error.FFmpegError):
            for packet in container.demux(stream):
                if unwanted():
                    return
                try:
                    frames = packet.decode()
                except av.error.InvalidDataError:
                    # Many cameras begin with half a picture.
                    continue
                for frame in frames:
                    assert isinstance(frame, av.VideoFrame)
                    yield to_picture(frame, time.monotonic(), wanted)


def _open(feed: Feed) -> InputContainer:
    failure: Exception | None = None
    for options in feed.attempts:
        try:
            container = av.open(feed.file, mode="r", format=feed.format, options=dict(options))
        except av.error.FFmpegError as error:
            failure = error
            if error.errno in _FINAL:
                break
        except ValueError as error:
            raise VideoFailed("FFmpeg was built without what reads it") from error
        else:
            if container.streams.video:
                return container
            container.close()
    raise VideoFailed(_words(failure)) from failure


def _words(failure: Exception | None) -> str:
    number = getattr(failure, "errno", None)
    return _FINAL.get(number or 0, "it does not answer, or another program uses it")


_FINAL = {
    errno.ENOENT: "it is not there",
    errno.ENODEV: "it is not there",
    errno.ENXIO: "it is not there",
    errno.EBUSY: "another program uses it",
    errno.EACCES: "you are not allowed to use it: see the privacy settings, or join the group 'video' on Linux",
    errno.EPERM: "you are not allowed to use it: see the privacy settings, or join the group 'video' on Linux",
}
"""Where there is no use in asking for another size."""
