"""The screen of this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from openvoice.errors import VideoFailed
from openvoice.media.video.sources.capture import Feed, capture
from openvoice.media.video.sources.device import DeviceSource
from openvoice.ports import Picture, PictureFormat

ASK_WITHIN = 120.0
"""Seconds that a person has to say yes to the desktop."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A part of the screen, in pixels from its left and upper edge."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if min(self.left, self.top) < 0 or min(self.width, self.height) < 16:
            raise ValueError("a region of the screen has at least 16 x 16 pixels, and begins on it")


def screen_source(
    region: Region | None = None,
    *,
    cursor: bool = True,
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
) -> DeviceSource:
    """The whole screen or a region of it, with or without the mouse's cursor.

    Under Wayland the desktop asks its user what to show, a window or a screen.
    """

    def opened(wanted: PictureFormat, unwanted: Callable[[], bool]) -> Generator[Picture, None, None]:
        if platform == "linux" and wayland(environment):
            from openvoice.media.video.sources.portal import shared

            if region is not None:
                raise VideoFailed(
                    "under Wayland no part of the screen can be named: choose a window when you are asked"
                )
            yield from shared(wanted, unwanted, cursor=cursor)
        else:
            feed = screen_feed(region, wanted, cursor, environment, platform)
            try:
                yield from capture(feed, wanted, unwanted)
            except VideoFailed as error:
                if region is None:
                    raise
                place = f"{region.width}x{region.height} at {region.left},{region.top}"
                raise VideoFailed(f"{error}; see whether {place} is on the screen") from error

    return DeviceSource("screen", opened, again=False, open_within=ASK_WITHIN)


def screen_in_words(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> str | None:
    """What of this machine can be shown; ``None`` if there is no screen."""
    if platform != "linux":
        return "the whole screen"
    if wayland(environment):
        return "what you choose when the desktop asks you"
    display = environment.get("DISPLAY")
    return f"X11 display {display}" if display else None


def wayland(environment: Mapping[str, str]) -> bool:
    """Whether the desktop is one where no program sees what others show."""
    return bool(environment.get("WAYLAND_DISPLAY")) or environment.get("XDG_SESSION_TYPE") == "wayland"


def screen_feed(
    region: Region | None, wanted: PictureFormat, cursor: bool, environment: Mapping[str, str], platform: str
) -> Feed:
    """Raises :class:`~openvoice.errors.VideoFailed` where there is no screen."""
    options = {"framerate": f"{wanted.rate:g}"}
    if platform == "darwin":
        if region is not None:
            raise VideoFailed("on macOS only the whole screen can be shown")
        return Feed(
            format="avfoundation",
            file="Capture screen 0:none",
            attempts=({**options, "capture_cursor": str(int(cursor))},),
        )
    options["draw_mouse"] = str(int(cursor))
    if region is not None:
        options["video_size"] = f"{region.width}x{region.height}"
    if platform == "win32":
        if region is not None:
            options |= {"offset_x": str(region.left), "offset_y": str(region.top)}
        return Feed(format="gdigrab", file="desktop", attempts=(options,))
    display = environment.get("DISPLAY")
    if not display:
        raise VideoFailed("there is no screen here: DISPLAY and WAYLAND_DISPLAY are not set")
    place = f"+{region.left},{region.top}" if region is not None else ""
    return Feed(format="x11grab", file=display + place, attempts=(options,))
