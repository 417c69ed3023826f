"""A peer that sends pictures to do harm, in a call on loopback: memory is bounded, and the voice goes on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from aiortc.rtp import RtpPacket

from openvoice.core import inputs
from openvoice.core.description import Content
from openvoice.core.types import Role
from openvoice.media.video.assembly import MOST_OCTETS
from openvoice.media.video.stream import VideoStream
from openvoice.ports import Picture
from tests.media.peers import Pair, hears, settings

pytestmark = pytest.mark.network

_8K = bytes([0x10]) + bytes.fromhex("500000 9d012a") + (7680).to_bytes(2, "little") + (4320).to_bytes(2, "little")
"""The beginning of a key picture of VP8 (RFC 7741, 4.2; RFC 6386, 9.1), behind the octet of its payload format."""


class Screen:
    def __init__(self) -> None:
        self.shown = 0

    def write(self, picture: Picture) -> None:
        self.shown += 1

    def close(self) -> None:
        """Nothing to let go."""


def attacks(chance: random.Random, content: Content) -> Iterator[RtpPacket]:
    """Packets of the stream that the peer may send: each attack goes on where the one before ended."""
    assert content.source is not None
    ssrc = content.source.ssrc
    known = [codec.payload_type for codec in content.codecs]
    sequence, timestamp = 0, 0

    def packet(payload: bytes, *, marker: bool = False, payload_type: int = known[0]) -> RtpPacket:
        nonlocal sequence
        sequence = sequence + 1 & 0xFFFF
        return RtpPacket(payload_type, int(marker), sequence, timestamp, ssrc, payload)

    for _ in range(200):  # frames of zero octets
        timestamp += 3000
        yield packet(b"", marker=True)
        yield packet(b"\x10", marker=True)
    for _ in range(200):  # whole pictures of 8K, and nothing in them
        timestamp += 3000
        yield packet(_8K + bytes(50), marker=True)
    for _ in range(300):  # noise in every codec
        timestamp += 3000
        yield packet(chance.randbytes(chance.randrange(1, 900)), marker=True, payload_type=chance.choice(known))
    yield packet(_8K)
    for _ in range(4000):  # a picture that never ends
        yield packet(b"\x00" + bytes(1100))
    for _ in range(500):  # jumps
        sequence = sequence + chance.randrange(20_000) & 0xFFFF  # SRTP knows no way back
        timestamp = chance.randrange(2**32)
        yield packet(_8K + chance.randbytes(40), marker=chance.random() < 0.5)


async def test_the_voice_goes_on_whatever_pictures_the_peer_sends(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    screen = Screen()
    pair = Pair(settings(), replace(settings(), video_output=lambda _: screen))
    offer = await pair.caller.media.open(Role.INITIATOR, None, video=True)
    pair.caller.media.announce()
    answer = await pair.callee.media.open(Role.RESPONDER, offer, video=True)
    pair.callee.media.announce()
    await pair.caller.media.apply_answer(answer)
    await pair.flow()
    content = offer.content("1")
    assert content is not None
    transport = pair.caller.media._transports["1"]
    (stream,) = [
        flow.stream for flow in pair.callee.media._streams._flows.values() if isinstance(flow.stream, VideoStream)
    ]
    for number, packet in enumerate(attacks(random.Random(1), content)):
        transport.send_rtp(packet.serialize())
        if not number % 20:
            await asyncio.sleep(0.002)
            assert stream._receiver._stream.held <= MOST_OCTETS
    heard = pair.callee.media.statistics().packets_received
    await hears(pair.callee, heard + 25)
    received = pair.callee.media.statistics().video[0].received
    assert received.packets > 3000
    assert received.frames > 200
    assert received.frames_decoded == 0
    assert screen.shown == 0
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert not pair.callee.has_said(inputs.MediaFailed)
    await pair.close()
