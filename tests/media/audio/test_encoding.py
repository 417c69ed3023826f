from __future__ import annotations

import numpy as np

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.encoding import VoiceEncoder
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.audio.opus import OpusDecoder
from openvoice.media.audio.redundancy import unpack
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, noise, signal_to_noise, tone, voice

OPUS, RED, _G722, PCMU, *_EVENTS = offered_codecs()
CORPUS = np.concatenate([voice(4), np.zeros(48_000, np.int16), noise(1), tone(1000), voice(2, seed=2)])


def encoded(encoder: VoiceEncoder, sound: Samples, first: int = 0) -> list[tuple[int, bytes]]:
    return [encoder.encode(frame, first + n * FRAME_SAMPLES) for n, frame in enumerate(frames(sound))]


def without_protection(redundancy: bool = True) -> VoiceEncoder:
    encoder = VoiceEncoder(OPUS, RED if redundancy else None)
    encoder.report_loss(0.0, 0.0)
    encoder.report_loss(0.0, 6.0)
    return encoder


def with_copies() -> VoiceEncoder:
    encoder = VoiceEncoder(OPUS, RED)
    encoder.report_loss(0.1, 0.0)
    return encoder


def test_on_every_step_all_packets_have_one_size_whatever_is_said() -> None:
    kinds = [
        {(kind, len(payload)) for kind, payload in encoded(encoder, CORPUS)[1:]}
        for encoder in (without_protection(), VoiceEncoder(OPUS, RED), with_copies())
    ]
    # 48 kbit/s; with a copy of 32 kbit/s, and 5 octets that say where it is, 82.
    assert kinds == [{(111, 120)}, {(111, 120)}, {(63, 205)}]


def test_the_first_packet_with_copies_has_none_yet() -> None:
    kinds = [kind for kind, _ in encoded(with_copies(), voice(0.1))]
    assert kinds == [111, 63, 63, 63, 63]


def test_a_copy_is_the_frame_before() -> None:
    sound = voice(4)
    decoder = OpusDecoder()
    packets = encoded(with_copies(), sound)
    copies = [unpack(payload)[0] for _, payload in packets[1:]]
    assert {(copy.payload_type, copy.offset) for copy in copies} == {(111, 960)}
    heard = np.concatenate([decoder.decode(copy.payload) for copy in copies])
    assert signal_to_noise(sound[: len(heard)], heard) > 5


def test_the_copies_are_protected_in_band_and_nothing_else_is() -> None:
    decoder = OpusDecoder()
    plain = [payload for _, payload in encoded(without_protection(), voice(4))]
    in_band = [payload for _, payload in encoded(VoiceEncoder(OPUS, None), voice(4))]
    blocks = [unpack(payload) for _, payload in encoded(with_copies(), voice(4))[1:]]
    assert not any(decoder.recovers(payload) for payload in plain)
    assert sum(decoder.recovers(payload) for payload in in_band) > 0.5 * len(in_band)
    assert sum(decoder.recovers(copy.payload) for copy, _ in blocks) > 0.5 * len(blocks)
    # The quality of what is not lost does not change from step to step.
    assert not any(decoder.recovers(own.payload) for _, own in blocks)


def test_what_is_protected_again_repeats_nothing_of_the_time_before() -> None:
    encoder = with_copies()
    encoded(encoder, tone(400, 1))
    for second in (5, 10):
        encoder.report_loss(0.0, second)
    for second in (11, 12):
        encoder.report_loss(0.1, second)
    quiet = encoded(encoder, np.zeros(9600, np.int16), 12 * 48_000)
    assert [kind for kind, _ in quiet] == [111] + [63] * 9
    decoder = OpusDecoder()
    first = unpack(quiet[1][1])[0]
    assert not decoder.recovers(first.payload)
    assert np.abs(decoder.decode(first.payload)).max() < 20


def test_a_copy_that_is_too_old_to_be_named_stays_at_home() -> None:
    encoder = with_copies()
    assert [
        encoder.encode(frame, at)[0] for frame, at in zip(frames(voice(1)), (0, 960, 48_000, 48_960), strict=False)
    ] == [
        111,
        63,
        111,
        63,
    ]


def test_timestamps_wrap() -> None:
    encoder = with_copies()
    first, second = frames(voice(0.04))
    encoder.encode(first, 2**32 - 960)
    assert unpack(encoder.encode(second, 0)[1])[0].offset == 960


def test_other_codecs_have_nothing_to_adjust() -> None:
    encoder = VoiceEncoder(PCMU, None)
    encoder.report_loss(0.3, 0.0)
    assert {(kind, len(payload)) for kind, payload in encoded(encoder, voice(1))} == {(0, 160)}
