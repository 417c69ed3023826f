"""One duplex call of stock aiortc on loopback for the bench."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame
from tests.bench.impaired import Impaired
from tests.bench.openvoice_call import Silence
from tests.media.audio.network import Network


class Track(MediaStreamTrack):
    """Frames as they are delivered."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._frames: asyncio.Queue[Frame] = asyncio.Queue()
        self._sent = 0

    def deliver(self, frame: Frame | None) -> None:
        if frame is not None:
            self._frames.put_nowait(frame)

    async def recv(self) -> AudioFrame:
        sound = await self._frames.get()
        frame = AudioFrame.from_ndarray(sound[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        frame.pts, frame.time_base = self._sent, Fraction(1, SAMPLE_RATE)
        self._sent += FRAME_SAMPLES
        return frame


class Player:
    """Takes frames as they come, gives one whenever asked: what an application of aiortc has to do."""

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self.asked = self.missing = 0

    async def listen(self, track: MediaStreamTrack) -> None:
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            self._frames.append(frame.to_ndarray().reshape(-1, 2)[:, 0].copy())

    def request(self) -> Frame:
        self.asked += 1
        if self._frames:
            return self._frames.popleft()
        self.missing += 1
        return np.zeros(FRAME_SAMPLES, np.int16)


async def call(source: PacedInput, sink: PacedOutput, network: Network, seconds: float) -> dict[str, float]:
    """Speak from ``source`` to ``sink`` over ``network`` for so long; the share missing and the kbit/s sent."""
    with mock.patch("aioice.ice.get_host_addresses", return_value=["127.0.0.1"]):
        alice, bob = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
        speech, silence, player = Track(), Track(), Player()
        sender = alice.addTrack(speech)
        bob.addTrack(silence)
        await alice.setLocalDescription(await alice.createOffer())
        await bob.setRemoteDescription(alice.localDescription)
        receiver = bob.getReceivers()[0]
        impair(receiver, network)
        await bob.setLocalDescription(await bob.createAnswer())
        await alice.setRemoteDescription(bob.localDescription)
    await asyncio.gather(connected(alice), connected(bob))
    listening = asyncio.ensure_future(player.listen(receiver.track))
    nothing = PacedInput(Silence())
    nothing.start(silence.deliver, logging.error)
    sink.start(player.request, logging.error)
    await asyncio.sleep(0.0103)
    source.start(speech.deliver, logging.error)
    await asyncio.sleep(seconds)
    report: Any = next(entry for entry in (await sender.getStats()).values() if entry.type == "outbound-rtp")
    for paced in (source, nothing, sink):
        paced.stop()
    await asyncio.gather(alice.close(), bob.close())
    await listening
    return {"concealed": player.missing / player.asked, "kbit_s": report.bytesSent * 8 / 1000 / seconds}


async def connected(connection: RTCPeerConnection) -> None:
    done = asyncio.Event()

    def changed() -> None:
        if connection.connectionState == "connected":
            done.set()

    connection.on("connectionstatechange", changed)
    changed()
    await done.wait()


def impair(receiver: Any, network: Network) -> None:
    """Put ``network`` between the transport and the receiver: what is not RTP passes as it is."""
    handle = receiver._handle_rtp_packet
    tasks: set[asyncio.Task[None]] = set()

    def deliver(arguments: tuple[Any, ...]) -> None:
        task = asyncio.ensure_future(handle(*arguments))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    impaired = Impaired[tuple[Any, ...]](network, deliver)

    async def replaced(packet: Any, arrival_time_ms: int) -> None:
        impaired.send((packet, arrival_time_ms))

    receiver._handle_rtp_packet = replaced
