"""One duplex call of openvoice's voice pipeline for the bench."""

from __future__ import annotations

import asyncio

import numpy as np
from aiortc.rtp import RtcpPacket, RtpPacket

from openvoice.core.description import Content, Media, TransportDescription
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.stream import AudioStream
from openvoice.ports import FRAME_SAMPLES, Frame
from tests.bench.impaired import Impaired
from tests.media.audio.network import Network

CONTENT = Content(
    name="0",
    media=Media.AUDIO,
    codecs=offered_codecs(),
    transport=TransportDescription(ufrag="ufrag", pwd="p" * 22),
)


class Silence:
    """A source and a sink of nothing."""

    def read(self) -> Frame:
        return np.zeros(FRAME_SAMPLES, np.int16)

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


async def call(source: PacedInput, sink: PacedOutput, network: Network, seconds: float) -> dict[str, float]:
    """Speak from ``source`` to ``sink`` over ``network`` for so long; the share made up and the kbit/s sent."""
    loop = asyncio.get_running_loop()
    there = Impaired[bytes](network, lambda data: bob.handle_rtp(RtpPacket.parse(data), loop.time()))

    alice = AudioStream(
        local=CONTENT,
        remote=CONTENT,
        send_rtp=there.send,
        send_rtcp=lambda data: bob.handle_rtcp(RtcpPacket.parse(data), loop.time()),
        notify=lambda _: None,
    )
    bob = AudioStream(
        local=CONTENT,
        remote=CONTENT,
        send_rtp=lambda data: alice.handle_rtp(RtpPacket.parse(data), loop.time()),
        send_rtcp=lambda data: alice.handle_rtcp(RtcpPacket.parse(data), loop.time()),
        notify=lambda _: None,
    )
    for side in (alice, bob):
        side.start_reports()
    bob.open_gate(PacedInput(Silence()), sink)
    # The two clocks of a call are not in step: half a frame is the mean.
    await asyncio.sleep(0.0103)
    alice.open_gate(source, PacedOutput(Silence()))
    await asyncio.sleep(seconds)
    sent, heard = alice.statistics(), bob.statistics()
    for side in (alice, bob):
        side.close()
    return {"concealed": heard.concealed, "kbit_s": sent.bytes_sent * 8 / 1000 / seconds}
