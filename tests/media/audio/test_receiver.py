from __future__ import annotations

import numpy as np
import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.g711 import G711Encoder
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.opus import OpusEncoder
from openvoice.media.audio.receiver import AudioReceiver
from openvoice.media.audio.redundancy import Block, pack
from openvoice.ports import FRAME_SECONDS
from tests.media.audio.sound import frames, signal_to_noise, voice


def receiver() -> tuple[AudioReceiver, list[str]]:
    digits: list[str] = []
    return AudioReceiver(offered_codecs(), digits.append), digits


def packets(sound: np.ndarray, *, ssrc: int = 1, first: int = 0) -> list[RtpPacket]:
    encoder = G711Encoder("PCMU")
    return [
        RtpPacket(
            payload_type=0,
            sequence_number=(first + n) % 65536,
            timestamp=(first + n) * 160 % 2**32,
            ssrc=ssrc,
            payload=encoder.encode(frame),
        )
        for n, frame in enumerate(frames(sound))
    ]


def hear(at: AudioReceiver, stream: list[RtpPacket], start: float = 0.0) -> np.ndarray:
    heard = []
    for n, packet in enumerate(stream):
        at.handle(packet, start + n * FRAME_SECONDS)
        heard.append(at.pull(start + n * FRAME_SECONDS + 0.005))
    return np.concatenate(heard)


def test_a_stream_is_heard_and_measured() -> None:
    audio, _ = receiver()
    sound = voice(4)
    heard = hear(audio, packets(sound))
    # Telephone sound: what is above 3.4 kHz is gone, and with it some of the likeness.
    assert signal_to_noise(sound[48_000:-9600], heard[48_000:]) > 8
    assert audio.packets == 200
    assert audio.octets == 200 * 160
    assert audio.reception is not None
    assert audio.reception.loss == 0
    assert 0 < audio.delay < 0.04
    assert audio.concealed == 0
    assert -60 < audio.level < -5


def test_another_source_is_heard_once_it_insists() -> None:
    audio, _ = receiver()
    hear(audio, packets(voice(1), ssrc=1))
    assert audio.reception is not None
    audio.handle(packets(voice(1), ssrc=2, first=9000)[0], 1.0)
    assert audio.reception.ssrc == 1
    heard = hear(audio, packets(voice(2), ssrc=2, first=9000), 1.02)
    assert audio.reception.ssrc == 2
    assert np.abs(heard).max() > 5000


def test_two_sources_that_alternate_do_not_take_turns() -> None:
    audio, _ = receiver()
    pairs = zip(packets(voice(1), ssrc=1), packets(voice(1), ssrc=2, first=500), strict=True)
    hear(audio, [packet for pair in pairs for packet in pair])
    assert audio.reception is not None
    assert audio.reception.ssrc == 1


def test_unknown_payload_types_are_counted_and_dropped() -> None:
    audio, _ = receiver()
    audio.handle(RtpPacket(payload_type=77, payload=b"x"), 0)
    assert audio.packets == 1
    assert audio.reception is None
    assert not audio.pull(0.1).any()


def test_events_are_digits_even_while_nothing_is_played() -> None:
    audio, digits = receiver()
    audio.playing = False
    stream = packets(voice(1))
    for n in range(10, 19):
        stream[n] = RtpPacket(payload_type=101, sequence_number=n, timestamp=1600, ssrc=1, payload=b"\x03\x0a\x03\xc0")
    heard = hear(audio, stream)
    assert digits == ["3"]
    assert not heard.any()


def test_a_digit_in_the_voice_is_bridged_and_not_taken_for_loss() -> None:
    audio, digits = receiver()
    stream = packets(voice(4))
    for n in range(100, 109):
        stream[n] = RtpPacket(
            payload_type=101, sequence_number=n, timestamp=16_000, ssrc=1, payload=b"\x03\x0a\x03\xc0"
        )
    hear(audio, stream)
    assert digits == ["3"]
    assert audio.reception is not None
    assert audio.reception.lost == 0
    assert audio.concealed < 0.06


def test_reset_drops_what_waits() -> None:
    audio, _ = receiver()
    hear(audio, packets(voice(1)))
    audio.reset()
    audio.pull(1.0)
    assert not audio.pull(1.02).any()


def redundant(sound: np.ndarray, distances: tuple[int, ...]) -> list[RtpPacket]:
    encoder = OpusEncoder(complexity=5)
    encoder.set_protected(True)
    payloads = [encoder.encode(frame) for frame in frames(sound)]
    return [
        RtpPacket(
            payload_type=63,
            sequence_number=n,
            timestamp=(n * 960 - 48_000) % 2**32,
            ssrc=1,
            payload=pack(
                Block(111, payload),
                [Block(111, payloads[n - back], back * 960) for back in distances if back <= n],
            ),
        )
        for n, payload in enumerate(payloads)
    ]


@pytest.mark.parametrize("distances", [(), (1,), (2,), (2, 1), (3, 2, 1)], ids=str)
def test_whatever_copies_come_along_what_is_lost_is_replaced_and_counted_as_lost(distances: tuple[int, ...]) -> None:
    audio, _ = receiver()
    stream = redundant(voice(6), distances)
    # Every tenth is lost; the first loss finds nobody waiting for its copy.
    for n, packet in enumerate(stream):
        if n % 10 != 5:
            audio.handle(packet, n * FRAME_SECONDS)
        audio.pull(n * FRAME_SECONDS + 0.005)
    assert audio.reception is not None
    assert audio.reception.lost == 30
    assert audio.reception.received == audio.packets == 270
    replaced = 1 - audio.concealed / 0.1
    assert replaced > (0.9 if distances else 0.5)


def test_a_redundant_packet_may_carry_a_digit_or_rubbish() -> None:
    audio, digits = receiver()
    event = b"\x03\x8a\x03\xc0"
    for n, payload in enumerate((b"", b"\xff" * 50, b"\x4d" + event, b"\x3f" + event, b"\x6e" + event)):
        audio.handle(RtpPacket(payload_type=63, sequence_number=n, timestamp=960 * n, ssrc=1, payload=payload), n / 50)
    assert digits == ["3"]
    assert audio.reception is not None
    assert audio.reception.received == 5
    assert not audio.pull(1.0).any()


def test_copies_are_not_kept_while_nothing_is_played() -> None:
    audio, _ = receiver()
    audio.playing = False
    for n, packet in enumerate(redundant(voice(1), (1,))):
        audio.handle(packet, n * FRAME_SECONDS)
    assert not audio.pull(1.0).any()


@given(st.lists(st.binary(max_size=60), max_size=30))
def test_no_redundant_payload_raises(payloads: list[bytes]) -> None:
    audio, _ = receiver()
    for n, payload in enumerate(payloads):
        audio.handle(RtpPacket(payload_type=63, sequence_number=n, timestamp=960 * n, ssrc=1, payload=payload), n / 50)
        audio.pull(n / 50 + 0.005)


@pytest.mark.parametrize("round_trip", [0.01, 0.03])
def test_what_was_asked_for_again_tells_nothing_of_jitter_and_counts_as_lost(round_trip: float) -> None:
    audio, _ = receiver()
    encoder = OpusEncoder(complexity=5)
    encoder.set_protected(True)
    packets = [
        RtpPacket(payload_type=111, sequence_number=n, timestamp=n * 960, ssrc=1, payload=encoder.encode(frame))
        for n, frame in enumerate(frames(voice(12)))
    ]
    waits = []
    for n, packet in enumerate(packets):
        now = n * FRAME_SECONDS
        if n % 10 == 6:
            # The one before did not come; it is asked for, and comes a round trip later.
            audio.handle(packet, now)
            audio.expect(n - 1, now)
            if round_trip < 0.015:
                audio.handle(packets[n - 1], now + round_trip)
        elif n % 10 == 7:
            if round_trip > 0.015:
                audio.handle(packets[n - 2], now - FRAME_SECONDS + round_trip)
            audio.handle(packet, now)
        elif n % 10 != 5:
            audio.handle(packet, now)
        audio.pull(now + 0.015)
        waits.append(audio.delay)
    assert audio.packet_length == FRAME_SECONDS
    # What the network lost is reported, however it was mended.
    assert audio.reception is not None
    assert audio.reception.lost == 60
    assert max(waits) < 0.045


def test_where_it_is_worth_it_sound_waits_until_what_is_lost_was_given_again() -> None:
    audio, _ = receiver()
    sent = packets(voice(8))
    for n, packet in enumerate(sent):
        now = n * FRAME_SECONDS
        if n % 8 != 5:
            audio.handle(packet, now)
        if n % 8 == 6:
            audio.wait_for(sent[n - 1].sequence_number, 0.035, now)
            audio.expect(sent[n - 1].sequence_number, now)
            audio.handle(sent[n - 1], now + 0.005)
        audio.pull(now + 0.015)
    assert 0.035 < audio.delay < 0.06
    assert audio.concealed < 0.01


def test_nothing_is_expected_before_anything_came_or_while_nothing_is_played() -> None:
    audio, _ = receiver()
    audio.expect(5, 0.0)
    audio.playing = False
    audio.expect(5, 0.0)
    audio.wait_for(5, 0.04, 0.0)
    assert not audio.pull(0.0).any()
    assert audio.packet_length == 0
