"""One end of a call of openvoice for the bench of video: ICE, DTLS, SRTP, voice and pictures, no signalling."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from openvoice.core.description import Media, SessionDescription
from openvoice.core.inputs import MediaFlowing, MediaInput, MediaSecured
from openvoice.core.types import Role, VideoLabel
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.session import CallMedia
from openvoice.ports import MediaSettings, Picture, PictureFormat, VideoReport
from tests.bench.pictures.clip import clip
from tests.bench.pictures.take import Camera, EndTake, Orders, Watcher
from tests.bench.take import Mouth, Silence
from tests.media.audio.sound import voice

VOICE_TYPES = frozenset({111, 63})
"""Payload types of Opus and of its copies (RFC 2198)."""


class CameraInput:
    """A :class:`~openvoice.ports.VideoInput` that shows the clip."""

    def __init__(self, camera: Camera, rate: float) -> None:
        self._camera, self._rate = camera, rate
        self._running = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self._running.set()

        def run() -> None:
            self._camera.pace(self._rate, self._running.is_set, lambda data: deliver(Picture(data, time.monotonic())))

        self._thread = threading.Thread(target=run, name="camera", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._running.clear()
        if self._thread is not None:
            self._thread.join()


class WatcherOutput:
    """A :class:`~openvoice.ports.VideoOutput` that notes what it sees."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher

    def write(self, picture: Picture) -> None:
        self._watcher.see(picture.data[: picture.height])

    def close(self) -> None: ...


class OpenvoiceEnd:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._camera, self._watcher = Camera(clip(orders.width, orders.height)), Watcher()
        self._secured, self._flowing = asyncio.Event(), asyncio.Event()
        self._video = ""
        self._media = CallMedia(
            MediaSettings(
                interfaces=("127.0.0.1",),
                input=lambda: PacedInput(Mouth(voice(orders.seconds + 5))),
                output=lambda: PacedOutput(Silence()),
                video_input=lambda label: CameraInput(self._camera, orders.rate),
                video_output=lambda label: WatcherOutput(self._watcher),
                video_format=PictureFormat(width=orders.width, height=orders.height, rate=orders.rate),
            ),
            self._hear,
        )

    def _hear(self, message: MediaInput) -> None:
        match message:
            case MediaSecured():
                self._secured.set()
            case MediaFlowing():
                self._flowing.set()

    async def offer(self) -> SessionDescription:
        return self._described(await self._media.open(Role.INITIATOR, None, True, True))

    async def answer(self, offer: SessionDescription) -> SessionDescription:
        return self._described(await self._media.open(Role.RESPONDER, offer, True, True))

    async def accept(self, answer: SessionDescription) -> None:
        await self._media.apply_answer(answer)

    def _described(self, description: SessionDescription) -> SessionDescription:
        self._media.announce()
        self._video = next(content.name for content in description.contents if content.media is Media.VIDEO)
        return description

    async def connected(self) -> None:
        await self._secured.wait()
        await self._flowing.wait()

    async def run(self) -> EndTake:
        """Raises ``TimeoutError`` where no picture at all is seen."""
        used = time.process_time()
        await self._media.open_gate()
        if self._orders.shows:
            await self._media.show(VideoLabel.CAMERA, self._video)
        await asyncio.sleep(self._orders.seconds)
        used = time.process_time() - used
        concealed = self._media.statistics().concealed
        if self._orders.shows:
            await self._media.show(VideoLabel.CAMERA, None)
        return EndTake(
            sent=self._camera.sent,
            seen=tuple(self._watcher.seen),
            concealed=concealed,
            cpu_pct=100 * used / self._orders.seconds,
        )

    async def close(self) -> None:
        await self._media.close()


def relayed(description: SessionDescription, port: int) -> SessionDescription:
    """The same with every candidate at ``port``."""
    contents = []
    for content in description.contents:
        candidates = tuple(replace(candidate, port=port) for candidate in content.transport.candidates)
        contents.append(replace(content, transport=replace(content.transport, candidates=candidates)))
    return replace(description, contents=tuple(contents))
