"""Cameras, by the names that the system has for them."""

from __future__ import annotations

import contextlib
import os
import re
import struct
import sys
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

from openvoice.core.naming import meant
from openvoice.errors import VideoFailed
from openvoice.media.video.sources.capture import Feed, capture, nearest_sizes
from openvoice.media.video.sources.device import DeviceSource
from openvoice.ports import Picture, PictureFormat

_SYSTEM = Path("/sys/class/video4linux")
_QUERY_CAPABILITIES = 0x80685600
"""``VIDIOC_QUERYCAP``: reads 104 octets; those that a device node can do begin at the 88th."""
_CAPTURES = 0x1
_RAW_PIXELS = 640 * 480
"""More than this comes over USB at a good rate only as Motion JPEG."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CameraDevice:
    """A camera of this machine: ``index`` is its number in the list, ``file`` what FFmpeg calls it."""

    index: int
    name: str
    file: str


def cameras(platform: str = sys.platform) -> list[CameraDevice]:
    """All cameras, the one of the system settings first."""
    if platform == "linux":
        return _video4linux()
    if platform == "darwin":
        found = [(f"{name}:none", title) for name, title in _listed("avfoundation")]
        return _numbered([camera for camera in found if not camera[1].startswith("Capture screen")])
    return _numbered([(f"video={title or name}", title or name) for name, title in _listed("dshow")])


def find_camera(listed: list[CameraDevice], wanted: str | int | None) -> CameraDevice:
    """The camera that ``wanted`` means: a number, a name or a part of one in any case, or ``None`` for the first.

    Raises:
        VideoFailed: no camera is meant, or more than one; the message lists them.
    """
    if not listed:
        raise VideoFailed("no camera was found: connect one, or show a file or 'pattern' instead")
    if wanted is None:
        return listed[0]
    try:
        return meant(listed, wanted, "camera")
    except LookupError as error:
        raise VideoFailed(error.args[0]) from None


def camera_source(wanted: str | int | None = None, platform: str = sys.platform) -> DeviceSource:
    """The pictures of a camera. Which one is decided anew each time it is opened: it may have moved to another plug."""

    def opened(picture_format: PictureFormat, unwanted: Callable[[], bool]) -> Generator[Picture, None, None]:
        camera = find_camera(cameras(platform), wanted)
        yield from capture(camera_feed(camera, picture_format, platform), picture_format, unwanted)

    return DeviceSource("camera", opened, None if wanted is None else str(wanted))


def camera_feed(camera: CameraDevice, wanted: PictureFormat, platform: str = sys.platform) -> Feed:
    """How to open it, so that it gives what is nearest to ``wanted`` of what it has."""
    rate = {"framerate": f"{wanted.rate:g}"}
    sizes = [{"video_size": f"{width}x{height}"} for width, height in nearest_sizes(wanted)]
    if platform == "linux":
        # The driver takes the nearest size and rate by itself.
        asked = {**sizes[0], **rate}
        if wanted.width * wanted.height > _RAW_PIXELS:
            return Feed(
                format="video4linux2", file=camera.file, attempts=({**asked, "input_format": "mjpeg"}, asked, {})
            )
        return Feed(format="video4linux2", file=camera.file, attempts=(asked, {}))
    attempts: list[dict[str, str]] = [{**size, **rate} for size in sizes]
    attempts += [{**sizes[0], "framerate": usual} for usual in ("30", "25", "15")] + [*sizes, {}]
    if platform == "darwin":
        return Feed(format="avfoundation", file=camera.file, attempts=attempts)
    room = {"rtbufsize": "64M"}
    return Feed(format="dshow", file=camera.file, attempts=[{**room, **attempt} for attempt in attempts])


def _numbered(found: list[tuple[str, str]]) -> list[CameraDevice]:
    return [CameraDevice(index=index, name=name, file=file) for index, (file, name) in enumerate(found)]


def _listed(system: str) -> list[tuple[str, str]]:
    """What FFmpeg lists: the name to open it by, and the one for people."""
    import av.error
    from av.device import enumerate_input_devices

    try:
        found = enumerate_input_devices(system)
    except (ValueError, av.error.FFmpegError):
        return []
    shown = [device for device in found if "video" in device.media_types or not device.media_types]
    shown.sort(key=lambda device: not device.is_default)
    return [(device.name, device.description) for device in shown]


def _video4linux(system: Path = _SYSTEM, devices: Path = Path("/dev")) -> list[CameraDevice]:
    nodes = sorted(system.glob("video*"), key=lambda node: int(re.sub(r"\D", "", node.name) or 0))
    found = []
    for node in nodes:
        if _captures(devices / node.name):
            with contextlib.suppress(OSError):
                name = (node / "name").read_text(errors="replace").strip()
                found.append((str(devices / node.name), name or node.name))
    return _numbered(found)


def _captures(node: Path) -> bool:
    """Whether it gives pictures: a camera has other nodes besides. One that does not let itself be asked may be one."""
    import fcntl

    try:
        descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return node.exists()
    try:
        answer = fcntl.ioctl(descriptor, _QUERY_CAPABILITIES, bytes(104))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return bool(struct.unpack_from("=I", answer, 88)[0] & _CAPTURES)
