"""From what a caller names to what the media engine needs: sources and sinks of pictures.

The adapters are imported where they are made, as those of sound are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from openvoice.errors import UsageError, VideoFailed
from openvoice.media.video.sinks.window import WindowOutput
from openvoice.media.video.sources.arrays import PictureFeed
from openvoice.ports import AudioSource, Picture, VideoInput, VideoOutput

if TYPE_CHECKING:
    from openvoice.media.video.sinks.movie import MovieFile
    from openvoice.media.video.sources.movie import MovieSource

__all__ = [
    "MOVIE_FILES",
    "MOVIE_SINKS",
    "Camera",
    "CameraDevice",
    "Film",
    "PictureFeed",
    "Screen",
    "TestPattern",
    "VideoSource",
    "WindowOutput",
    "camera_devices",
    "film_of",
    "parse_video",
    "picture_output",
    "screen_in_words",
    "to_rgb",
    "video_input",
]

MOVIE_FILES = frozenset(
    {".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".ogv", ".flv", ".gif"}
)
"""File name endings that are read as films even where a camera has such a name."""
MOVIE_SINKS = frozenset({".mp4", ".webm"})
"""File name endings of films that are written."""
_REGION = re.compile(r"screen:(\d+),(\d+),(\d+)x(\d+)")


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera, by a part of its name or its number; ``default`` is the first one."""

    name: str = "default"

    @property
    def selector(self) -> str | None:
        """What the list of cameras is searched for."""
        return None if self.name == "default" else self.name

    def check(self) -> None:
        """See whether there is such a camera now, without opening it.

        A call goes on without its camera. This is for saying so before it begins.

        Raises:
            VideoFailed: there is none, or several have that in their name.
        """
        from openvoice.media.video.sources.camera import cameras, find_camera

        find_camera(cameras(), self.selector)


@dataclass(frozen=True, kw_only=True, slots=True)
class Screen:
    """The whole screen, or a ``region`` of it: left, top, width and height in pixels.

    Under Wayland the desktop asks its user what to show.
    """

    region: tuple[int, int, int, int] | None = None
    cursor: bool = True

    def check(self) -> None:
        """See whether there is a screen. Raises :class:`~openvoice.errors.VideoFailed`."""
        if screen_in_words() is None:
            raise VideoFailed("there is no screen here: DISPLAY and WAYLAND_DISPLAY are not set")


@dataclass(frozen=True, slots=True)
class TestPattern:
    """Bars of colour, something that moves, a number that counts, and a time stamp."""

    __test__ = False

    @staticmethod
    def age(picture: Picture) -> float | None:
        """Seconds since a picture of a pattern was drawn, by the clock of this machine; ``None`` if it is of none."""
        from openvoice.media.video.stamp import age, read_stamp

        stamp = read_stamp(picture)
        return None if stamp is None else age(stamp, round(time.time() * 1000)) / 1000


class Film:
    """A file with pictures, over and over or once. :attr:`sound` is what is heard with them; both stay together.

    ::

        film = openvoice.Film(Path("holiday.mp4"))
        call = await client.call("bob@example.org", source=film.sound, video=film)

    Raises:
        VideoFailed: it is not a film that can be read.
    """

    def __init__(self, path: Path, *, loop: bool = False) -> None:
        from openvoice.media.video.sources.movie import MovieSource

        self.path = path
        self.pictures: MovieSource = MovieSource(path, loop=loop)

    @property
    def sound(self) -> AudioSource:
        """Raises :class:`~openvoice.errors.AudioFileError` where nothing is heard."""
        return self.pictures.sound()


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraDevice:
    """A camera of this machine."""

    index: int
    name: str


def camera_devices() -> list[CameraDevice]:
    """All cameras, the one that ``Camera()`` means first."""
    from openvoice.media.video.sources.camera import cameras

    return [CameraDevice(index=camera.index, name=camera.name) for camera in cameras()]


def screen_in_words() -> str | None:
    """What ``Screen()`` shows of this machine; ``None`` if it has no screen."""
    from openvoice.media.video.sources.screen import screen_in_words as found

    return found()


def to_rgb(picture: Picture) -> npt.NDArray[np.uint8]:
    """A received picture as an array of shape (height, width, 3), ``uint8``, red first."""
    from openvoice.media.video.conversion import to_rgb as converted

    return converted(picture)


VideoSource = VideoInput | Camera | Screen | TestPattern | Film | Path
"""What a call may show: an object that gives pictures, a camera, a screen, the test pattern, or a film."""


def parse_video(text: str) -> Camera | Screen | TestPattern | Path:
    """Read the command line's word for pictures: ``pattern``, ``screen``, ``screen:X,Y,WxH``, a film, or a camera.

    Raises:
        UsageError: a region that is none.
    """
    path = Path(text)
    match text:
        case "pattern":
            return TestPattern()
        case "screen":
            return Screen()
    if text.startswith("screen:"):
        found = _REGION.fullmatch(text)
        if found is None:
            raise UsageError(f"{text!r} is no part of the screen: write it as screen:LEFT,TOP,WIDTHxHEIGHT")
        left, top, width, height = map(int, found.groups())
        return Screen(region=(left, top, width, height))
    if path.suffix.lower() in MOVIE_FILES or "/" in text or path.exists():
        return path
    return Camera(text)


def video_input(source: VideoSource) -> Callable[[], VideoInput]:
    """What makes the input when it is to be shown, as often as it is.

    Raises:
        VideoFailed: a film that cannot be read.
    """
    from openvoice.media.video.sources.camera import camera_source
    from openvoice.media.video.sources.pattern import PatternSource
    from openvoice.media.video.sources.screen import Region, screen_source

    match source:
        case Camera():
            return lambda: camera_source(source.selector)
        case Screen():
            if source.region is None:
                return lambda: screen_source(cursor=source.cursor)
            left, top, width, height = source.region
            try:
                region = Region(left=left, top=top, width=width, height=height)
            except ValueError as error:
                raise UsageError(str(error)) from error
            return lambda: screen_source(region, cursor=source.cursor)
        case TestPattern():
            return PatternSource
        case Path():
            film = Film(source, loop=True).pictures
            return lambda: film
        case Film():
            return lambda: source.pictures
        case _:
            return lambda: source


def film_of(sink: object) -> MovieFile | None:
    """The film that a path names, which takes sound and pictures.

    Raises:
        VideoFailed: it cannot be written there.
    """
    from openvoice.media.video.sinks.movie import MovieFile

    if isinstance(sink, MovieFile):
        return sink
    return MovieFile(sink) if isinstance(sink, Path) and sink.suffix.lower() in MOVIE_SINKS else None


def picture_output(sink: VideoOutput | Path) -> VideoOutput:
    """Where pictures alone go: an object that takes them, or a film without sound.

    Raises:
        VideoFailed: it cannot be written there.
        UsageError: it is named like no film.
    """
    from openvoice.media.video.sinks.movie import MovieFile

    return MovieFile(sink, silent=True).pictures if isinstance(sink, Path) else sink
