from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.encoding import Payload, VoiceEncoder
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.opus import OpusDecoder
from openvoice.media.audio.protection import Protection
from openvoice.media.audio.redundancy import unpack
from openvoice.media.reports import PeerReport
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, noise, signal_to_noise, tone, voice

OPUS, RED, _G722, PCMU, *_EVENTS = offered_codecs()
CORPUS = np.concatenate([voice(4), np.zeros(48_000, np.int16), noise(1), tone(1000), voice(2, seed=2)])


def report(encoder: VoiceEncoder, now: float, loss: float = 0.0, round_trip: float = 0.03) -> None:
    encoder.report(
        PeerReport(time=now, loss=loss, lost=round(50 * loss), expected=50 if now else 0, round_trip=round_trip)
    )


def encoded(encoder: VoiceEncoder, sound: Samples, first: int = 0) -> list[Payload]:
    payloads = (encoder.encode(frame, first + n * FRAME_SAMPLES) for n, frame in enumerate(frames(sound)))
    return [payload for payload in payloads if payload is not None]


def without_protection() -> VoiceEncoder:
    encoder = VoiceEncoder(OPUS, RED)
    for second in range(7):
        report(encoder, second)
    return encoder


def with_copies(redundancy: bool = True) -> VoiceEncoder:
    encoder = VoiceEncoder(OPUS, RED if redundancy else None)
    for second in range(12):
        report(encoder, second, 0.2)
    return encoder


def squeezed(seconds: int) -> VoiceEncoder:
    """After so many seconds of a path that holds back more and more."""
    encoder = VoiceEncoder(OPUS, RED)
    for second in range(seconds):
        report(encoder, 4 * second, round_trip=0.03 + second)
    return encoder


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        # 48 kbit/s; 67; and 46 with a copy of 19, and 5 octets that say where it is.
        (VoiceEncoder(OPUS, RED), {(111, 120)}),
        (without_protection(), {(111, 120)}),
        (with_copies(redundancy=False), {(111, 168)}),
        (with_copies(), {(63, 168)}),
        (squeezed(7), {(111, 64)}),
    ],
)
def test_in_every_shape_all_packets_have_one_size_whatever_is_said(
    encoder: VoiceEncoder, expected: set[tuple[int, int]]
) -> None:
    assert {(payload.payload_type, len(payload.data)) for payload in encoded(encoder, CORPUS)[2:]} == expected


def test_the_first_packets_with_copies_have_none_yet() -> None:
    assert [payload.payload_type for payload in encoded(with_copies(), voice(0.1))] == [111, 111, 63, 63, 63]


def test_a_copy_is_the_frame_two_before() -> None:
    sound = voice(4)
    decoder = OpusDecoder()
    copies = [unpack(payload.data)[0] for payload in encoded(with_copies(), sound)[2:]]
    assert {(copy.payload_type, copy.offset) for copy in copies} == {(111, 1920)}
    heard = np.concatenate([decoder.decode(copy.payload) for copy in copies])
    assert signal_to_noise(sound[: len(heard)], heard) > 4


def test_what_is_protected_repeats_the_packet_before_and_what_is_not_does_not() -> None:
    decoder = OpusDecoder()
    plain = encoded(without_protection(), voice(4))
    in_band = encoded(with_copies(redundancy=False), voice(4))
    blocks = [unpack(payload.data) for payload in encoded(with_copies(), voice(4))[2:]]
    assert not any(decoder.recovers(payload.data) for payload in plain)
    assert sum(decoder.recovers(payload.data) for payload in in_band) > 0.5 * len(in_band)
    assert sum(decoder.recovers(own.payload) for _, own in blocks) > 0.5 * len(blocks)


def test_what_is_protected_again_repeats_nothing_of_the_time_before() -> None:
    encoder = with_copies()
    encoded(encoder, tone(400, 1))
    for second in range(12, 40):
        report(encoder, second)
    encoded(encoder, np.zeros(48_000, np.int16))
    for second in range(40, 52):
        report(encoder, second, 0.2)
    quiet = encoded(encoder, np.zeros(9600, np.int16), 12 * 48_000)
    assert [payload.payload_type for payload in quiet] == [111] * 2 + [63] * 8
    assert np.abs(OpusDecoder().decode(unpack(quiet[2].data)[0].payload)).max() < 20


def test_a_copy_that_is_too_old_to_be_named_stays_at_home() -> None:
    encoder = with_copies()
    places = (0, 960, 1920, 48_000, 48_960, 49_920)
    payloads = [encoder.encode(frame, at) for frame, at in zip(frames(voice(1)), places, strict=False)]
    assert [payload and payload.payload_type for payload in payloads] == [111, 111, 63, 111, 111, 63]


def test_timestamps_wrap() -> None:
    encoder = with_copies()
    first, second, third = frames(voice(0.06))
    encoder.encode(first, 2**32 - 1920)
    encoder.encode(second, 2**32 - 960)
    payload = encoder.encode(third, 0)
    assert payload is not None
    assert unpack(payload.data)[0].offset == 1920


def test_where_bits_are_few_a_packet_holds_three_frames_and_begins_with_the_first() -> None:
    payloads = encoded(squeezed(7), voice(1), 100)
    assert [payload.timestamp for payload in payloads[:3]] == [100, 100 + 2880, 100 + 5760]
    assert {OpusDecoder().duration(payload.data) for payload in payloads} == {2880}


def test_a_packet_that_was_begun_is_dropped_when_something_else_takes_its_place() -> None:
    encoder = squeezed(7)
    first, *others = frames(voice(0.08))
    assert encoder.encode(first, 0) is None
    encoder.skip()
    payloads = [encoder.encode(frame, 9600 + n * 960) for n, frame in enumerate(others)]
    assert [payload and payload.timestamp for payload in payloads] == [None, None, 9600]


def test_a_packet_that_was_begun_is_finished_as_it_was_begun() -> None:
    encoder = squeezed(7)
    first, second, third = frames(voice(0.06))
    encoder.encode(first, 0)
    for second_of_time in range(100, 200, 5):
        report(encoder, second_of_time)
    assert encoder.encode(second, 960) is None
    payload = encoder.encode(third, 1920)
    assert payload is not None
    assert len(payload.data) == 64
    assert encoder.encode(first, 2880) is not None


def test_other_codecs_have_nothing_to_adjust() -> None:
    encoder = VoiceEncoder(PCMU, None)
    report(encoder, 1.0, 0.3)
    encoder.skip()
    assert {(payload.payload_type, len(payload.data)) for payload in encoded(encoder, voice(1))} == {(0, 160)}
    assert encoder.protection is Protection.NONE
    assert encoder.remote_burst == 1.0


def test_what_is_done_and_why_can_be_read() -> None:
    encoder = with_copies()
    assert encoder.protection is Protection.COPIES
    assert 1.0 <= encoder.remote_burst < 2.0
