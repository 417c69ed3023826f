"""After trouble speech is as late as before it within two seconds, and nothing of it was skipped."""

from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE
from tests.media.audio.network import play
from tests.media.audio.sound import lag, noise, voice
from tests.media.audio.test_playout import Packets, assert_conserved, encoded, opus_buffer, sent

SPEECH = voice(14, seed=2)
PACKETS = sent(encoded(SPEECH), first_timestamp=0)
NOISY: Samples = (SPEECH // 2 + noise(14, amplitude=400)).astype(np.int16)
"""Speech without a silent pause."""
NOISY_PACKETS = sent(encoded(NOISY), first_timestamp=0)
BEGIN = 8.0


def lateness(said: Samples, heard: list[Samples], moment: float) -> float:
    """Milliseconds, frame in to frame out, of what is heard in the half second from ``moment`` on."""
    begin, length = round(moment * SAMPLE_RATE), SAMPLE_RATE // 2
    known = said[begin - SAMPLE_RATE : begin + length]
    return (SAMPLE_RATE - lag(np.concatenate(heard)[begin : begin + length], known)) / 48 + 7


def spike(seconds: float) -> Packets:
    return [(max(a, BEGIN + seconds) if a >= BEGIN else a, t, payload) for a, t, payload in PACKETS]


def route(longer: float, seconds: float) -> Packets:
    packets = [(a + longer * (BEGIN - seconds <= a < BEGIN), t, payload) for a, t, payload in PACKETS]
    return sorted(packets, key=lambda packet: packet[0])


def loss(seconds: float) -> Packets:
    return [packet for packet in PACKETS if not BEGIN <= packet[0] < BEGIN + seconds]


@pytest.mark.parametrize(
    ("packets", "end"),
    [
        (spike(0.3), 0.3),
        (spike(0.5), 0.5),
        (spike(0.8), 0.8),
        (loss(0.06), 0.06),
        (loss(0.3), 0.3),
        (route(0.1, 3), 0.0),
        (route(0.05, 5), 0.0),
    ],
    ids=["spike 300", "spike 500", "spike 800", "burst of 3", "burst of 15", "route +100 for 3 s", "route +50 for 5 s"],
)
def test_latency_is_normal_two_seconds_after_trouble(packets: Packets, end: float) -> None:
    buffer = opus_buffer()
    heard = play(buffer, packets, until=14)
    normal = lateness(SPEECH, heard, 1.5)
    assert abs(lateness(SPEECH, heard, BEGIN + end + 2) - normal) <= 5
    assert buffer.counters.late + buffer.counters.overflow == 0
    assert buffer.counters.played == len(packets)
    assert_conserved(buffer, len(heard))


@pytest.mark.parametrize("seconds", [0.3, 0.8])
def test_where_there_is_no_silence_speech_is_played_faster(seconds: float) -> None:
    packets = [(max(a, 8 + seconds) if a >= 8 else a, t, payload) for a, t, payload in NOISY_PACKETS]
    buffer = opus_buffer()
    heard = play(buffer, packets, until=14)
    assert abs(lateness(NOISY, heard, 8 + seconds + 2) - lateness(NOISY, heard, 4)) <= 5
    assert buffer.counters.played == len(packets)


def test_what_cannot_be_caught_up_with_in_time_is_skipped() -> None:
    buffer = opus_buffer()
    heard = play(buffer, spike(1.8), until=14)
    assert buffer.counters.late > 20
    assert abs(lateness(SPEECH, heard, BEGIN + 1.8 + 2) - lateness(SPEECH, heard, 4)) <= 5
    assert_conserved(buffer, len(heard))


def test_the_room_is_heard_while_nothing_comes_and_its_level_does_not_jump() -> None:
    room = noise(14, amplitude=120)
    packets = sent(encoded(room), first_timestamp=0)
    buffer = opus_buffer()
    heard = play(buffer, [packet for packet in packets if not 6 < packet[0] < 9], until=14)
    levels = np.array([np.sqrt((frame.astype(float) ** 2).mean()) for frame in heard])
    usual = np.median(levels[100:290])
    assert buffer.counters.silent > 2.5 * SAMPLE_RATE
    assert np.median(levels[320:440]) == pytest.approx(usual, rel=0.3)
    assert levels[295:470].max() < 2 * usual
    assert levels[310:470].min() > usual / 2


def test_of_a_muted_sender_nothing_is_heard_while_nothing_comes() -> None:
    said = np.concatenate([SPEECH[: 4 * SAMPLE_RATE], np.zeros(10 * SAMPLE_RATE, np.int16)])
    packets = sent(encoded(said), first_timestamp=0)
    heard = play(opus_buffer(), [packet for packet in packets if not 6 < packet[0] < 9], until=14)
    assert np.abs(np.concatenate(heard[250:])).max() <= 3


def test_talkspurts_with_the_sound_of_the_room_between_them_are_played_whole() -> None:
    room = (SPEECH // 2 + noise(14, amplitude=60)).astype(np.int16)
    packets = [packet for n, packet in enumerate(sent(encoded(room), first_timestamp=0)) if n // 40 % 2 == 0]
    buffer = opus_buffer()
    heard = play(buffer, packets, until=14)
    assert buffer.counters.played == len(packets)
    assert buffer.counters.concealed <= 9 * 5 * FRAME_SAMPLES
    levels = np.array([np.sqrt((frame.astype(float) ** 2).mean()) for frame in heard])
    assert levels[50:].min() > 15
