"""No click, whatever happens: the wave bends nowhere much more than the sound itself does."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from openvoice.media.audio.codec import PayloadFormat
from openvoice.media.audio.g711 import G711Decoder, G711Encoder
from openvoice.media.audio.opus import OpusDecoder
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS
from tests.media.audio.network import play
from tests.media.audio.sound import frames, roughness, tone
from tests.media.audio.test_playout import Packets, encoded, opus_buffer, sent

STEADY = tone(300, 6, amplitude=12_000)
"""It bends by 0.0006 of full scale; cut anywhere it would bend by up to 0.7."""
PACKETS = sent(encoded(STEADY), first_timestamp=0)
MOST = 0.02


def without(packets: Packets, *indices: int) -> Packets:
    return [packet for n, packet in enumerate(packets) if n not in indices]


def later(packets: Packets, first: int, count: int, seconds: float) -> Packets:
    return [
        (arrival + seconds if first <= n < first + count else arrival, timestamp, payload)
        for n, (arrival, timestamp, payload) in enumerate(packets)
    ]


def stalled(packets: Packets, begin: float, end: float) -> Packets:
    return [(end if begin < arrival < end else arrival, t, payload) for arrival, t, payload in packets]


TRANSITIONS: dict[str, Callable[[Packets], Packets]] = {
    "nothing": lambda packets: packets,
    "concealed": lambda packets: without(packets, 130),
    "recovered": lambda packets: without(packets, *range(100, 200, 7)),
    "burst": lambda packets: without(packets, 130, 131, 132),
    "concealed, then late": lambda packets: later(packets, 130, 1, 0.03),
    "later for good, lengthened": lambda packets: later(packets, 130, 500, 0.07),
    "earlier for good, shortened": lambda packets: later(packets, 0, 130, 0.07),
    "stalled and caught up with": lambda packets: stalled(packets, 2.6, 2.9),
    "stalled and skipped": lambda packets: stalled(packets, 2.6, 4.4),
    "paused": lambda packets: [packet for packet in packets if not 2.6 < packet[0] < 3.6],
    "begun anew": lambda packets: [(a, t if a < 2.6 else t + 2**30, payload) for a, t, payload in packets],
}


@pytest.mark.parametrize("transition", TRANSITIONS)
def test_no_transition_clicks(transition: str) -> None:
    buffer = opus_buffer()
    heard = np.concatenate(play(buffer, TRANSITIONS[transition](PACKETS), until=6))
    assert buffer.counters.played > 190
    assert roughness(heard) < MOST
    assert np.abs(heard).max() < 16_000


def test_a_reset_in_the_midst_of_sound_does_not_click() -> None:
    buffer = opus_buffer()
    heard = []
    for n, (arrival, timestamp, payload) in enumerate(PACKETS):
        buffer.insert(111, timestamp, payload, arrival)
        heard.append(buffer.pull(arrival + 0.007))
        if n == 130:
            buffer.reset()
    assert roughness(np.concatenate(heard)) < MOST


@pytest.mark.parametrize("types", [(0, 8), (111, 0), (0, 111)])
def test_a_change_of_codec_does_not_click(types: tuple[int, int]) -> None:
    laws = {0: G711Encoder("PCMU"), 8: G711Encoder("PCMA")}
    buffer = PlayoutBuffer(
        {
            111: PayloadFormat(OpusDecoder(), 48_000),
            0: PayloadFormat(G711Decoder("PCMU"), 8000),
            8: PayloadFormat(G711Decoder("PCMA"), 8000),
        }
    )
    heard = []
    for n, (frame, (arrival, _, payload)) in enumerate(zip(frames(STEADY), PACKETS, strict=True)):
        payload_type = types[n >= 130]
        octets = payload if payload_type == 111 else laws[payload_type].encode(frame)
        ticks = FRAME_SAMPLES if payload_type == 111 else FRAME_SAMPLES // 6
        buffer.insert(payload_type, n * ticks, octets, arrival)
        heard.append(buffer.pull(arrival + 0.007))
    assert buffer.counters.played > 290
    assert roughness(np.concatenate(heard)) < MOST


def test_these_measures_find_a_click() -> None:
    heard = play(opus_buffer(), PACKETS, until=6)
    del heard[150]
    assert roughness(np.concatenate(heard)) < MOST  # 300 Hz fits into 20 ms without a rest
    heard = play(opus_buffer(), sent(encoded(tone(310, 6, amplitude=12_000)), first_timestamp=0), until=6)
    del heard[150]
    assert roughness(np.concatenate(heard)) > MOST


def test_every_pull_takes_the_same_time_of_sound() -> None:
    heard = play(opus_buffer(), TRANSITIONS["stalled and caught up with"](PACKETS), until=6)
    assert all(len(frame) == FRAME_SAMPLES for frame in heard)
    assert len(heard) == round(6 / FRAME_SECONDS)
