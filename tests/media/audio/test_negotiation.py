from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from openvoice.core.description import Codec, Feedback
from openvoice.errors import MediaFailed
from openvoice.media.audio.negotiation import (
    answered_codecs,
    create_encoder,
    create_formats,
    event_codec,
    is_voice,
    offered_codecs,
    redundancy_codec,
    retransmits,
    sending_codec,
)
from openvoice.ports import FRAME_SAMPLES
from tests.media.audio.sound import frames, signal_to_noise, tone


def codec(payload_type: int, name: str, clock_rate: int = 8000, channels: int = 1, **parameters: str) -> Codec:
    return Codec(
        payload_type=payload_type,
        name=name,
        clock_rate=clock_rate,
        channels=channels,
        parameters=tuple(parameters.items()),
    )


def test_the_offer_is_what_real_clients_expect() -> None:
    assert [(c.payload_type, c.name, c.clock_rate, c.channels) for c in offered_codecs()] == [
        (111, "opus", 48_000, 2),
        (63, "red", 48_000, 2),
        (9, "G722", 8000, 1),
        (0, "PCMU", 8000, 1),
        (8, "PCMA", 8000, 1),
        (110, "telephone-event", 48_000, 1),
        (101, "telephone-event", 8000, 1),
    ]
    assert offered_codecs()[0].parameters == (("minptime", "10"), ("useinbandfec", "1"))
    assert not any(c.parameters for c in offered_codecs()[1:])


def test_the_answer_has_our_order_and_the_offers_numbers() -> None:
    offer = [
        codec(13, "CN"),
        codec(0, "PCMU"),
        codec(126, "telephone-event"),
        codec(96, "OPUS", 48_000, 2, useinbandfec="true", maxaveragebitrate="20000"),
        codec(97, "RED", 48_000, 2),
        codec(35, "telephone-event", 48_000),
        codec(9, "g722"),
    ]
    answer = answered_codecs(offer)
    assert [(c.payload_type, c.name) for c in answer] == [
        (96, "opus"),
        (97, "red"),
        (9, "G722"),
        (0, "PCMU"),
        (35, "telephone-event"),
        (126, "telephone-event"),
    ]
    assert answer[0].parameters == (("minptime", "10"), ("useinbandfec", "1"))


def test_opus_is_opus_with_one_channel_or_two() -> None:
    assert answered_codecs([codec(111, "opus", 48_000, 1)])[0].channels == 1
    assert answered_codecs([codec(111, "opus", 48_000, 2)])[0].channels == 2


def test_nothing_in_common_is_an_empty_answer() -> None:
    assert answered_codecs([codec(3, "GSM"), codec(101, "telephone-event"), codec(0, "PCMU", 8000, 2)]) == ()
    assert answered_codecs([codec(63, "red", 48_000, 2)]) == ()
    assert answered_codecs([]) == ()


def test_events_without_a_voice_codec_of_their_clock_are_left_out() -> None:
    answer = answered_codecs([codec(0, "PCMU"), codec(110, "telephone-event", 48_000), codec(101, "telephone-event")])
    assert [c.payload_type for c in answer] == [0, 101]


def test_redundancy_without_the_voice_codec_of_its_clock_is_left_out() -> None:
    assert [c.payload_type for c in answered_codecs([codec(0, "PCMU"), codec(63, "red", 48_000, 2)])] == [0]
    assert [c.payload_type for c in answered_codecs([codec(111, "opus", 48_000, 2), codec(63, "red")])] == [111]


def test_redundancy_is_used_where_both_sides_have_it() -> None:
    opus, red = codec(96, "opus", 48_000, 2), codec(97, "red", 48_000, 2)
    assert redundancy_codec(offered_codecs(), [opus, red], opus) == red
    assert redundancy_codec(offered_codecs(), [opus], opus) is None
    assert redundancy_codec([opus], [opus, red], opus) is None
    assert redundancy_codec(offered_codecs(), [red, codec(0, "PCMU")], codec(0, "PCMU")) is None


def test_lost_packets_are_asked_for_where_both_sides_said_so() -> None:
    nack, other = Feedback("nack"), Feedback("transport-cc")
    plain = codec(96, "opus", 48_000, 2)
    asking = replace(plain, feedback=(other, nack))
    assert retransmits(offered_codecs(), asking)
    assert not retransmits(offered_codecs(), plain)
    assert not retransmits(offered_codecs(), replace(plain, feedback=(Feedback("nack", "pli"),)))
    assert not retransmits([plain], asking)
    assert not retransmits(offered_codecs(), codec(3, "GSM"))
    assert answered_codecs([asking])[0].feedback == (nack,)
    assert answered_codecs([plain])[0].feedback == ()


def test_what_is_sent_is_what_we_like_best_as_the_peer_numbers_it() -> None:
    remote = [codec(0, "PCMU"), codec(96, "opus", 48_000, 2), codec(110, "telephone-event", 48_000)]
    assert sending_codec(offered_codecs(), remote).payload_type == 96
    assert sending_codec(offered_codecs(), [codec(63, "red", 48_000, 2), codec(8, "pcma")]).payload_type == 8
    assert sending_codec(answered_codecs([codec(0, "PCMU")]), remote).payload_type == 0


def test_without_a_codec_in_common_the_error_says_so() -> None:
    with pytest.raises(MediaFailed, match="no voice codec"):
        sending_codec(offered_codecs(), [codec(101, "telephone-event")])


def test_events_are_found_by_their_clock() -> None:
    assert event_codec(offered_codecs(), 48_000) == offered_codecs()[5]
    assert event_codec(offered_codecs(), 8000) == offered_codecs()[6]
    assert event_codec([codec(0, "PCMU")], 8000) is None


@pytest.mark.parametrize("offered", [c for c in offered_codecs() if is_voice(c)], ids=lambda c: c.name)
def test_every_offered_codec_speaks_to_itself(offered: Codec) -> None:
    encoder = create_encoder(offered)
    [(payload_type, payload_format)] = create_formats(
        [offered, *(c for c in offered_codecs() if not is_voice(c))]
    ).items()
    assert (payload_type, payload_format.clock_rate) == (offered.payload_type, offered.clock_rate)
    payloads = [encoder.encode(frame) for frame in frames(tone(400, 1))]
    assert {payload_format.decoder.duration(payload) for payload in payloads} == {FRAME_SAMPLES}
    heard = [payload_format.decoder.decode(payload) for payload in payloads]
    assert signal_to_noise(tone(400, 0.8), np.concatenate(heard)) > 8


def test_an_unknown_codec_cannot_be_encoded() -> None:
    with pytest.raises(MediaFailed):
        create_encoder(codec(3, "GSM"))
