"""Row 13: packets of a variable size tell what is said through the encryption (Wright et al. 2008)."""

from __future__ import annotations

import asyncio
import math
from collections import Counter

import numpy as np
import pytest

from openvoice.media.audio.opus import OpusEncoder
from openvoice.ports import FRAME_SAMPLES, Frame
from openvoice.samples import sample
from openvoice.testing.clients import ClientFactory
from tests.media.audio.sound import noise, voice

from .scene import talk
from .wire import Datagram, Kind, Wire


def entropy(sizes: list[int]) -> float:
    """Bits that a size tells."""
    shares = [count / len(sizes) for count in Counter(sizes).values()]
    return -sum(share * math.log2(share) for share in shares)


def rtp_times(packets: list[Datagram]) -> list[int]:
    return [int.from_bytes(packet.data[4:8], "big") for packet in packets]


@pytest.mark.live
@pytest.mark.slow
async def test_sent_speech_is_packets_of_one_size_at_even_times(clients: ClientFactory, wire: Wire) -> None:
    """Speech, silence after it, and mute: from outside they are the same."""
    async with clients("alice", "bob") as (alice, bob):
        call, _ = await talk(alice, bob, said=sample("alice"))
        await asyncio.sleep(2.5)
        await call.mute()
        await asyncio.sleep(0.5)
        await call.hangup()
    packets = wire.of(Kind.RTP)
    speakers = {packet.source for packet in packets}
    assert len(speakers) == 2
    for speaker in speakers:
        sent = wire.of(Kind.RTP, [speaker])
        assert len(sent) > 100
        assert entropy([len(packet.data) for packet in sent]) == 0.0
        steps = np.diff(rtp_times(sent)) % 2**32
        assert set(steps.tolist()) == {FRAME_SAMPLES}, "no pause of the speaker shows as a pause of the packets"


def test_the_codec_tells_nothing_over_all_kinds_of_sound() -> None:
    sounds: list[Frame] = [voice(4.0), noise(2.0), np.zeros(FRAME_SAMPLES * 100, np.int16)]
    encoder = OpusEncoder()
    sizes = [
        len(encoder.encode(sound[at : at + FRAME_SAMPLES]))
        for sound in sounds
        for at in range(0, len(sound) - FRAME_SAMPLES + 1, FRAME_SAMPLES)
    ]
    assert len(sizes) >= 300
    assert entropy(sizes) == 0.0
