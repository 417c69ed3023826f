from __future__ import annotations

import itertools

import numpy as np
import pytest
from aiortc.rtp import RtpPacket

from openvoice.core.description import Codec
from openvoice.media.audio.dtmf import Tick, tone
from openvoice.media.audio.level import SILENCE as SILENCE_LEVEL
from openvoice.media.audio.negotiation import create_formats, event_codec, offered_codecs
from openvoice.media.audio.protection import Protection
from openvoice.media.audio.redundancy import unpack
from openvoice.media.audio.sender import SILENCE, AudioSender
from openvoice.media.reports import PeerReport
from openvoice.ports import FRAME_SECONDS
from tests.media.audio.sound import frames, lag, signal_to_noise, voice

OPUS, RED, G722, PCMU, PCMA, *EVENTS = offered_codecs()


def sender(
    codec: Codec = OPUS, *, events: bool = True, redundancy: Codec | None = None
) -> tuple[AudioSender, list[RtpPacket]]:
    packets: list[RtpPacket] = []
    made = AudioSender(
        codec=codec,
        redundancy=redundancy,
        events=event_codec(EVENTS, codec.clock_rate) if events else None,
        ssrc=0xDECAFBAD,
        send=lambda data: packets.append(RtpPacket.parse(data)),
    )
    return made, packets


def send(to: AudioSender, sound: np.ndarray, start: float = 0.0) -> None:
    for n, frame in enumerate(frames(sound)):
        to.send(frame, start + n * FRAME_SECONDS)


@pytest.mark.parametrize("codec", [OPUS, G722, PCMU, PCMA], ids=lambda codec: codec.name)
def test_packets_follow_each_other(codec: Codec) -> None:
    audio, packets = sender(codec)
    send(audio, voice(2))
    assert len(packets) == audio.packets == 100
    assert {(packet.ssrc, packet.payload_type) for packet in packets} == {(0xDECAFBAD, codec.payload_type)}
    assert [packet.marker for packet in packets] == [1] + [0] * 99
    step = codec.clock_rate // 50
    for before, after in itertools.pairwise(packets):
        assert (after.sequence_number - before.sequence_number) % 65536 == 1
        assert (after.timestamp - before.timestamp) % 2**32 == step
    assert len({len(packet.payload) for packet in packets}) == 1
    assert audio.octets == sum(len(packet.payload) for packet in packets)


def test_streams_begin_at_random() -> None:
    beginnings = set()
    for _ in range(5):
        audio, packets = sender(PCMU)
        audio.send(SILENCE, 0)
        beginnings.add((packets[0].sequence_number, packets[0].timestamp))
    assert len(beginnings) == 5


def test_muted_packets_are_silence_of_the_same_size_at_the_same_times() -> None:
    audio, packets = sender()
    send(audio, voice(1))
    audio.muted = True
    send(audio, voice(1), 1.0)
    assert {len(packet.payload) for packet in packets} == {120}
    assert packets[-1].timestamp - packets[0].timestamp & 0xFFFFFFFF == 99 * 960
    decoder = create_formats([OPUS])[111].decoder
    heard = [decoder.decode(packet.payload) for packet in packets]
    assert np.abs(np.concatenate(heard[:50])).max() > 5000
    assert np.abs(np.concatenate(heard[60:])).max() < 20
    assert audio.level < -30


def test_digits_are_events_on_the_stream_of_the_voice() -> None:
    audio, packets = sender()
    send(audio, voice(0.2))
    audio.digits.play("9#")
    send(audio, voice(1), 0.2)
    events = [packet for packet in packets if packet.payload_type == 110]
    assert len(events) == 18
    assert {packet.ssrc for packet in packets} == {0xDECAFBAD}
    for before, after in itertools.pairwise(packets):
        assert (after.sequence_number - before.sequence_number) % 65536 == 1
    first, second = events[:9], events[9:]
    for digit, packets_of_it in ((9, first), (11, second)):
        assert len({packet.timestamp for packet in packets_of_it}) == 1
        assert [packet.marker for packet in packets_of_it] == [1] + [0] * 8
        assert {packet.payload[0] for packet in packets_of_it} == {digit}
        assert [packet.payload[1] >> 7 for packet in packets_of_it] == [0] * 6 + [1] * 3
        assert [int.from_bytes(packet.payload[2:], "big") for packet in packets_of_it] == [
            960 * n for n in (1, 2, 3, 4, 5, 6, 6, 6, 6)
        ]
    assert (second[0].timestamp - first[0].timestamp) % 2**32 == 13 * 960
    voices = [packet for packet in packets if packet.payload_type == 111]
    assert (voices[-1].timestamp - packets[0].timestamp) % 2**32 == 59 * 960


def test_events_have_the_clock_of_the_codec() -> None:
    audio, packets = sender(PCMU)
    audio.digits.play("1")
    send(audio, voice(0.2))
    assert packets[0].payload_type == 101
    assert packets[0].payload == b"\x01\x0a\x00\xa0"


def test_without_events_the_tones_are_heard() -> None:
    audio, packets = sender(G722, events=False)
    audio.digits.play("5")
    send(audio, np.zeros(48_000, np.int16))
    assert {packet.payload_type for packet in packets} == {9}
    decoder = create_formats([G722])[9].decoder
    heard = np.concatenate([decoder.decode(packet.payload) for packet in packets])
    wanted = np.concatenate([tone(Tick("5", n)) for n in range(1, 7)])
    assert lag(wanted, heard) < 500
    assert signal_to_noise(wanted, heard[: len(wanted) + 500]) > 15
    assert np.abs(heard[8000:]).max() < 20


def test_after_a_pause_the_timestamp_has_gone_on() -> None:
    audio, packets = sender()
    send(audio, voice(0.1))
    audio.resume(0.1)
    audio.send(SILENCE, 0.1)
    audio.resume(5.1)
    audio.send(SILENCE, 5.1)
    assert (packets[5].timestamp - packets[4].timestamp) % 2**32 == 960
    assert (packets[6].timestamp - packets[5].timestamp) % 2**32 == 250 * 960
    assert packets[6].sequence_number - packets[5].sequence_number & 0xFFFF == 1


def test_the_clock_of_a_report_is_that_of_the_packets() -> None:
    audio, packets = sender()
    send(audio, voice(1))
    last = packets[-1].timestamp
    assert audio.timestamp_at(0.98) == last
    assert audio.timestamp_at(1.48) - last & 0xFFFFFFFF == 24_000


def test_bitrate_and_level_are_of_what_was_sent() -> None:
    audio, _ = sender()
    assert audio.level == SILENCE_LEVEL
    send(audio, voice(3))
    assert audio.bitrate(2.99) == pytest.approx(48, abs=1)
    assert audio.bitrate(10) == 0
    assert -60 < audio.level < -5


def report(audio: AudioSender, second: float, loss: float) -> None:
    audio.report(PeerReport(time=second, loss=loss, lost=round(50 * loss), expected=50))


def protect(audio: AudioSender) -> None:
    for second in range(-12, 0):
        report(audio, second, 0.2)
    assert audio.protection is Protection.COPIES


def test_packets_of_several_frames_have_the_time_of_the_first_and_a_digit_drops_what_waits() -> None:
    audio, packets = sender()
    for second in range(-40, 0, 5):
        audio.report(PeerReport(time=second, loss=0.0, lost=0, expected=50, round_trip=(second + 41) / 10))
    sound = voice(1)
    send(audio, sound[: 7 * 960])
    assert [packet.timestamp - packets[0].timestamp & 0xFFFFFFFF for packet in packets] == [0, 2880]
    assert audio.timestamp_at(0.12) - packets[0].timestamp & 0xFFFFFFFF == 6 * 960
    audio.digits.play("1")
    send(audio, sound[: 20 * 960], 0.14)
    kinds = [packet.payload_type for packet in packets]
    first = next(place for place, packet in enumerate(packets) if packet.payload_type != 111)
    assert packets[first].timestamp - packets[0].timestamp & 0xFFFFFFFF == 7 * 960
    voiced = next(packet for packet in packets[first:] if packet.payload_type == 111)
    assert (voiced.timestamp - packets[0].timestamp & 0xFFFFFFFF) // 960 == 7 + kinds.count(kinds[first])
    for before, after in itertools.pairwise(packets):
        assert (after.sequence_number - before.sequence_number) % 65536 == 1


def test_what_the_peer_reports_reaches_the_encoder() -> None:
    sent = []
    for share in (0.0, 0.1):
        audio, packets = sender()
        for second in range(7):
            report(audio, second, share)
        send(audio, voice(3))
        sent.append(packets[80].payload)
    assert sent[0] != sent[1]


def test_copies_travel_in_packets_of_their_own_payload_type_on_the_same_timeline() -> None:
    audio, packets = sender(redundancy=RED)
    send(audio, voice(1))
    protect(audio)
    send(audio, voice(1), 1.0)
    assert [packet.payload_type for packet in packets] == [111] * 52 + [63] * 48
    for before, after in itertools.pairwise(packets):
        assert (after.timestamp - before.timestamp) % 2**32 == 960
        assert (after.sequence_number - before.sequence_number) % 65536 == 1
    for packet in packets[52:]:
        assert [(block.payload_type, block.offset) for block in unpack(packet.payload)] == [(111, 1920), (111, 0)]


def test_what_was_said_before_a_pause_is_not_repeated_after_it() -> None:
    audio, packets = sender(redundancy=RED)
    protect(audio)
    send(audio, voice(0.2))
    audio.resume(5.2)
    send(audio, voice(0.2), 5.2)
    assert [packet.payload_type for packet in packets] == 2 * ([111] * 2 + [63] * 8)
