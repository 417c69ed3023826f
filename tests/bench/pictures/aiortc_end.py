"""One end of a call of stock aiortc for the bench of video."""

from __future__ import annotations

import asyncio
import threading
import time
from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import VideoFrame

from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.ports import FRAME_SECONDS
from tests.bench.aiortc_call import Player, Track, connected
from tests.bench.aiortc_call import relayed as relayed
from tests.bench.pictures.clip import Pixels, clip
from tests.bench.pictures.take import Camera, EndTake, Orders, Watcher
from tests.bench.take import Mouth, Silence
from tests.media.audio.sound import voice

VOICE_TYPES = frozenset({96})
"""The payload type of Opus."""
CLOCK_RATE = 90_000


class CameraTrack(MediaStreamTrack):
    """The newest picture of a camera, each once."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._newest: Pixels | None = None
        self._there = asyncio.Event()
        self._begin = time.monotonic()

    def deliver(self, data: Pixels) -> None:
        self._newest = data
        self._there.set()

    async def recv(self) -> VideoFrame:
        await self._there.wait()
        self._there.clear()
        assert self._newest is not None
        frame = VideoFrame.from_ndarray(self._newest, format="yuv420p")
        frame.pts, frame.time_base = int((time.monotonic() - self._begin) * CLOCK_RATE), Fraction(1, CLOCK_RATE)
        return frame


class AiortcEnd:
    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._camera, self._watcher, self._player = Camera(clip(orders.width, orders.height)), Watcher(), Player()
        self._connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._speech, self._pictures = Track(), CameraTrack()
        self._tasks: list[asyncio.Future[None]] = []
        self._connection.on("track", self._hear)
        self._connection.addTrack(self._speech)
        self._connection.addTrack(self._pictures)

    def _hear(self, track: MediaStreamTrack) -> None:
        listening = self._player.listen(track) if track.kind == "audio" else self._watch(track)
        self._tasks.append(asyncio.ensure_future(listening))

    async def _watch(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            plane = frame.planes[0]
            rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
            self._watcher.see(rows[: frame.height, : frame.width])

    async def offer(self) -> Any:
        await self._gather(await self._connection.createOffer())
        return self._connection.localDescription

    async def answer(self, offer: Any) -> Any:
        await self._connection.setRemoteDescription(offer)
        await self._gather(await self._connection.createAnswer())
        return self._connection.localDescription

    async def accept(self, answer: Any) -> None:
        await self._connection.setRemoteDescription(answer)

    async def _gather(self, description: RTCSessionDescription) -> None:
        with mock.patch("aioice.ice.get_host_addresses", return_value=["127.0.0.1"]):
            await self._connection.setLocalDescription(description)

    async def connected(self) -> None:
        await connected(self._connection)

    async def run(self) -> EndTake:
        used = time.process_time()
        source, sink = PacedInput(Mouth(voice(self._orders.seconds + 5))), PacedOutput(Silence())
        source.start(self._speech.deliver, print)
        await asyncio.sleep(FRAME_SECONDS / 2)
        sink.start(self._player.request, print)
        running = threading.Event()
        loop = asyncio.get_running_loop()

        def deliver(data: Pixels) -> None:
            loop.call_soon_threadsafe(self._pictures.deliver, data)

        camera = threading.Thread(
            target=self._camera.pace, args=(self._orders.rate, running.is_set, deliver), daemon=True
        )
        if self._orders.shows:
            running.set()
            camera.start()
        await asyncio.sleep(self._orders.seconds)
        used = time.process_time() - used
        running.clear()
        if self._orders.shows:
            await asyncio.to_thread(camera.join)
        source.stop()
        sink.stop()
        return EndTake(
            sent=self._camera.sent,
            seen=tuple(self._watcher.seen),
            concealed=self._player.missing / max(1, self._player.asked),
            cpu_pct=100 * used / self._orders.seconds,
        )

    async def close(self) -> None:
        await self._connection.close()
        for task in self._tasks:
            task.cancel()
