"""Looks through a camera, and says what there is to see."""

from __future__ import annotations

import asyncio
import contextlib
import time

from openvoice.client.pictures import Camera, camera_devices, video_input
from openvoice.core.diagnosis import Outcome, Step
from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.ports import Picture, PictureFormat

LOOK_SECONDS = 2.0
OPEN_WITHIN = 12.0
_DARK = 24
"""Mean of Y below which nothing can be seen: 16 is black."""
_SLOW = 0.6
"""Share of the wanted rate below which a camera is slow."""

NO_CAMERA = "To be seen, connect one; voice calls work without, and films can be shown."


def camera_step() -> Step:
    """Which cameras there are, without opening any."""
    found = camera_devices()
    if not found:
        return Step("camera", Outcome.HINT, "none was found", NO_CAMERA)
    return Step("camera", Outcome.PASSED, ", ".join(camera.name for camera in found))


async def check_camera(camera: Camera, wanted: PictureFormat | None = None) -> Step:
    """Open a camera, look through it for two seconds, and let it go. Nothing is kept, nothing is sent."""
    wanted = wanted or PictureFormat()
    try:
        camera.check()
        source = video_input(camera)()
    except VideoFailed as error:
        return Step("camera", Outcome.FAILED, str(error), NO_CAMERA)
    view = _View()
    begun = time.monotonic()
    source.start(view.take, view.hear, wanted)
    try:
        await view.wait(OPEN_WITHIN)
        if view.last is None:
            text = view.trouble or "The camera gives no sign of life."
            return Step("camera", Outcome.FAILED, text, "Close other programs that use it, or plug it in again.")
        opened, count = time.monotonic(), view.count
        await asyncio.sleep(LOOK_SECONDS)
        rate = (view.count - count) / (time.monotonic() - opened)
    finally:
        source.stop()
    return _judged(view.last, rate, opened - begun, wanted)


class _View:
    """What comes of a camera."""

    def __init__(self) -> None:
        self.last: Picture | None = None
        self.count = 0
        self.trouble = ""
        self._loop = asyncio.get_running_loop()
        self._something = asyncio.Event()

    def take(self, picture: Picture | None) -> None:
        if picture is not None:
            self.last = picture
            self.count += 1
            self._tell()

    def hear(self, _: DeviceChange, __: str | None, text: str) -> None:
        self.trouble = text
        self._tell()

    async def wait(self, within: float) -> None:
        """Until there is a picture, or a word about why there is none; ``within`` seconds at most."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._something.wait(), within)

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._something.set)


def _judged(picture: Picture, rate: float, opened: float, wanted: PictureFormat) -> Step:
    text = f"{picture.width}x{picture.height}, {rate:.0f} pictures a second, open after {opened:.1f} s"
    if float(picture.data[: picture.height].mean()) < _DARK:
        return Step("camera", Outcome.WARNING, f"it is black ({text})", "Open its cover, or make light.")
    if rate < wanted.rate * _SLOW:
        return Step("camera", Outcome.WARNING, f"it is slow ({text})", "Make more light, or ask for smaller pictures.")
    return Step("camera", Outcome.PASSED, text)
