"""One duplex call of stock aiortc on loopback for the bench."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import deque
from fractions import Fraction
from typing import Any
from unittest import mock

import numpy as np
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av import AudioFrame

from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame
from tests.bench.openvoice_call import HALF_A_FRAME, Ports, Started
from tests.bench.take import Ear, Heard, Mouth, Silence


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


async def call(said: Samples, ports: Ports, started: Started) -> Heard:
    """Say so much over a relay once ``started`` says so."""
    mouth, ear = Mouth(said), Ear()
    source, sink = PacedInput(mouth), PacedOutput(ear)
    with mock.patch("aioice.ice.get_host_addresses", return_value=["127.0.0.1"]):
        alice, bob = (RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2))
        speech, silence, player = Track(), Track(), Player()
        alice.addTrack(speech)
        bob.addTrack(silence)
        await alice.setLocalDescription(await alice.createOffer())
        await bob.setRemoteDescription(relayed(alice.localDescription, ports[0]))
        await bob.setLocalDescription(await bob.createAnswer())
        await alice.setRemoteDescription(relayed(bob.localDescription, ports[1]))
    await asyncio.gather(connected(alice), connected(bob))
    listening = asyncio.ensure_future(player.listen(bob.getReceivers()[0].track))
    await started()
    used = time.process_time()
    nothing = PacedInput(Silence())
    nothing.start(silence.deliver, logging.error)
    sink.start(player.request, logging.error)
    await asyncio.sleep(HALF_A_FRAME)
    source.start(speech.deliver, logging.error)
    await asyncio.sleep(len(said) / SAMPLE_RATE)
    used = time.process_time() - used
    for paced in (source, nothing, sink):
        paced.stop()
    await asyncio.gather(alice.close(), bob.close())
    await listening
    return Heard(
        samples=ear.samples(),
        said=mouth.clock(),
        heard=ear.clock(),
        concealed=player.missing / player.asked,
        cpu_pct=100 * used / (len(said) / SAMPLE_RATE),
    )


def relayed(description: RTCSessionDescription, port: int) -> RTCSessionDescription:
    """The same with every candidate at ``port``."""
    sdp = re.sub(r"(?m)^(a=candidate:(?:\S+ ){5})\d+", rf"\g<1>{port}", description.sdp)
    return RTCSessionDescription(sdp=sdp, type=description.type)


async def connected(connection: RTCPeerConnection) -> None:
    done = asyncio.Event()

    def changed() -> None:
        if connection.connectionState == "connected":
            done.set()

    connection.on("connectionstatechange", changed)
    changed()
    await done.wait()
