"""What all commands share: the profile they work on, and options that several of them take."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import click
import numpy as np

from openvoice import (
    MOVIE_SINKS,
    Address,
    AudioFileError,
    Camera,
    Device,
    DeviceFailed,
    Film,
    InvalidAddress,
    Profile,
    Screen,
    Sink,
    Source,
    UsageError,
    VideoFailed,
    VideoSource,
    parse_video,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The global options."""

    home: Path | None

    @property
    def profile(self) -> Profile:
        return Profile(self.home)


class AddressType(click.ParamType[Address]):
    """A JID on the command line."""

    name = "jid"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        if isinstance(value, Address):
            return value
        try:
            return Address.parse(value)
        except InvalidAddress as error:
            self.fail(str(error), param, ctx)


class ServerType(click.ParamType[tuple[str, int]]):
    """``HOST:PORT``."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        if isinstance(value, tuple):
            return value
        try:
            return Profile.parse_server(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


class SecondsType(click.ParamType[float]):
    """A time that has an end."""

    name = "seconds"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            seconds = 0.0
        if not 0.0 < seconds < inf:
            self.fail(f"{value!r} is not a number of seconds above 0", param, ctx)
        return seconds


ADDRESS = AddressType()
SECONDS = SecondsType()
SERVER = ServerType()

account_option = click.option("--account", type=ADDRESS, metavar="JID", help="The account to use, if you have several.")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object per line on standard output, for programs."
)
input_option = click.option(
    "--input",
    "input_",
    metavar="SRC",
    help="What to send: a sound device by (a part of) its name, a sound file, 'tone', 'silence', "
    "or '-' for raw s16le 48 kHz mono on standard input.  [default: your microphone]",
)
output_option = click.option(
    "--output",
    metavar="DST",
    help="Where received sound goes: a sound device, FILE.wav, a film with the pictures (FILE.mp4, FILE.webm), 'null', "
    "or '-' for raw s16le 48 kHz mono on standard output.  [default: your loudspeaker]",
)
quiet_option = click.option(
    "--quiet", is_flag=True, help="No ring, no ring-back, no busy tone.  [default: as your settings have it]"
)
push_to_talk_option = click.option(
    "--push-to-talk",
    is_flag=True,
    help="Send silence until you press the space bar, and again after you press it once more.",
)
video_option = click.option("--video", is_flag=True, help="Show pictures, too: those of your camera, or of --camera.")
camera_option = click.option(
    "--camera",
    metavar="SRC",
    help="What to show, with --video: a camera by (a part of) its name, a film, 'screen', 'screen:X,Y,WxH', or "
    "'pattern'.  [default: your camera]",
)
video_output_option = click.option(
    "--video-output",
    metavar="DST",
    help="Where received pictures go: a film without sound (FILE.mp4 or FILE.webm), or 'null'. For a film with sound, "
    "name it with --output.  [default: nowhere]",
)
record_option = click.option(
    "--record",
    is_flag=True,
    help="Keep both sides of the call, encrypted in the profile: see 'openvoice recordings'. Tell the other side.",
)
require_option = click.option(
    "--require",
    type=click.Choice(["none", "omemo", "verified"]),
    help="The least that must vouch for the peer's key: 'none' is satisfied with the servers, 'omemo' wants an OMEMO "
    "key, 'verified' one that you compared. Less is refused before any sound.  [default: your policy's]",
)


def need_terminal(*, instead: str) -> None:
    """See that somebody is there to ask.

    Raises:
        UsageError: nobody is; ``instead`` says what to do.
    """
    if not sys.stdin.isatty():
        raise UsageError(f"there is no terminal to ask in: {instead}")


def check_key(push_to_talk: bool, *, asks: bool) -> None:
    """See that somebody can press the key that is to be pressed.

    Raises:
        UsageError: nobody can, and nothing would ever be heard of this side.
    """
    if push_to_talk and not asks:
        raise UsageError("there is no terminal to press the space bar in: leave out --push-to-talk")


def chosen_video(as_video: bool, camera: str | None, usual: str) -> VideoSource | None:
    """What is shown, if anything; it is looked for before the call.

    Raises:
        VideoFailed: it is not there; the message says what to do.
    """
    if not as_video and camera is None:
        return None
    source = parse_video(camera or usual)
    if isinstance(source, Camera | Screen):
        try:
            source.check()
        except VideoFailed as error:
            raise VideoFailed(f"{error} (--camera FILE, --camera pattern)") from error
    return source


def in_step(source: Source, input_: str, video: VideoSource | None) -> tuple[Source, VideoSource | None]:
    """Sound and pictures of one file are played together, once; pictures alone go on for ever."""
    if not isinstance(video, Path) or Path(input_) != video:
        return source, video
    if source is not None and not isinstance(source, Device | Path | np.ndarray):
        source.close()
    film = Film(video)
    return film.sound, film


def watched(video_output: str | None) -> Path | None:
    """The film that pictures go to, if they go to one.

    Raises:
        UsageError: it is named like no film, or its folder is not there.
    """
    if video_output is None or video_output == "null":
        return None
    path = Path(video_output)
    if path.suffix.lower() not in MOVIE_SINKS:
        raise UsageError(f"films are MP4 or WebM: name it {str(path.with_suffix('.mp4'))!r}")
    if not path.parent.is_dir():
        raise UsageError(f"cannot record to {video_output!r}: there is no such folder")
    return path


def check_sound(source: Source, sink: Sink) -> None:
    """See before a call whether its sound devices are there, and the folder of its recording.

    Raises:
        DeviceFailed: a device is not; the message says what to do.
        AudioFileError: the folder is not.
    """
    for kind, chosen, way_out in (("input", source, "--input FILE"), ("output", sink, "--output null")):
        if isinstance(chosen, Device):
            try:
                chosen.check(kind)
            except DeviceFailed as error:
                raise DeviceFailed(f"{error} ({way_out})") from error
    if isinstance(sink, Path) and not sink.parent.is_dir():
        raise AudioFileError(f"cannot record to {str(sink)!r}: there is no such folder")
