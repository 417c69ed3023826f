"""Which codecs of pictures are offered, answered and sent with."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Codec, Feedback, HeaderExtension
from openvoice.errors import MediaFailed
from openvoice.media.audio.negotiation import offered_codecs
from openvoice.media.video import negotiation
from openvoice.media.video.negotiation import (
    ABSOLUTE_SEND_TIME,
    FEEDBACK,
    MID,
    NACK,
    PLI,
    TRANSPORT_WIDE,
    answered_extensions,
    answered_video_codecs,
    make_decoder,
    make_depayloader,
    make_encoder,
    make_payloader,
    offered_extensions,
    offered_video_codecs,
    repair_codec,
    sending_video_codec,
)
from openvoice.ports import PictureFormat
from tests.media.video import clips


def codec(payload_type: int, name: str, *feedback: Feedback, **parameters: str) -> Codec:
    pairs = tuple((key.replace("_", "-"), value) for key, value in parameters.items())
    return Codec(payload_type=payload_type, name=name, clock_rate=90_000, parameters=pairs, feedback=feedback)


def rtx(payload_type: int, apt: int) -> Codec:
    return codec(payload_type, "rtx", apt=str(apt))


CHROMIUM = (
    codec(96, "VP8", *FEEDBACK),
    rtx(97, 96),
    codec(102, "H264", *FEEDBACK, level_asymmetry_allowed="1", packetization_mode="1", profile_level_id="42001f"),
    rtx(103, 102),
    codec(104, "H264", *FEEDBACK, level_asymmetry_allowed="1", packetization_mode="0", profile_level_id="42001f"),
    codec(106, "H264", *FEEDBACK, level_asymmetry_allowed="1", packetization_mode="1", profile_level_id="42e01f"),
    rtx(107, 106),
    codec(45, "AV1", *FEEDBACK, level_idx="5", profile="0", tier="0"),
    codec(98, "VP9", *FEEDBACK, profile_id="0"),
    rtx(99, 98),
    codec(100, "VP9", *FEEDBACK, profile_id="2"),
    codec(114, "red"),
    codec(116, "ulpfec"),
)


def names(codecs: tuple[Codec, ...]) -> list[str]:
    return [each.name for each in codecs]


def test_the_offer_begins_with_what_every_client_has_and_each_codec_can_be_sent_again() -> None:
    offer = offered_video_codecs()
    assert names(offer)[:2] == ["VP8", "rtx"]
    assert all(repair_codec(offer, each.payload_type) is not None for each in offer if each.name != "rtx")
    assert {each.feedback for each in offer if each.name != "rtx"} == {FEEDBACK}


def test_no_payload_type_is_that_of_another_codec_of_the_bundle() -> None:
    numbers = [each.payload_type for each in (*offered_video_codecs(), *offered_codecs())]
    assert len(numbers) == len(set(numbers))


def test_own_offers_are_answered_whole() -> None:
    assert answered_video_codecs(offered_video_codecs()) == offered_video_codecs()


def test_an_answer_has_the_numbers_of_the_offer_and_the_feedback_that_both_know() -> None:
    foreign = codec(120, "vp8", NACK, PLI, Feedback("nack", "sli"), Feedback("trr-int"), max_fs="3600")
    assert answered_video_codecs([codec(121, "red"), foreign, rtx(122, 120), rtx(123, 7)]) == (
        codec(120, "VP8", NACK, PLI),
        rtx(122, 120),
    )
    assert answered_video_codecs([replace(foreign, feedback=())]) == (codec(120, "VP8"),)
    assert answered_video_codecs([codec(1, "H265"), codec(2, "VP8", max_fs="0")]) == ()


def test_the_codec_to_send_with_is_the_first_of_the_answer_because_dino_knows_no_other() -> None:
    answer = answered_video_codecs(CHROMIUM)
    assert sending_video_codec(answer, CHROMIUM) == CHROMIUM[0]
    assert answer[0].payload_type == CHROMIUM[0].payload_type


def test_what_cannot_be_coded_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(negotiation, "can_encode", lambda codec: codec.name.upper() != "VP8")
    chosen = sending_video_codec(offered_video_codecs(), CHROMIUM)
    assert chosen is None or chosen.name != "VP8"
    assert sending_video_codec(offered_video_codecs(), [codec(5, "H265")]) is None


@given(
    st.lists(
        st.builds(
            lambda number, name, apt: codec(number, name, apt=str(apt)),
            st.integers(0, 127),
            st.sampled_from(["VP8", "vp8", "VP9", "H264", "AV1", "rtx", "red"]),
            st.integers(0, 127),
        ),
        max_size=12,
    )
)
def test_answers_hold_only_what_was_offered_each_number_once(offer: list[Codec]) -> None:
    answer = answered_video_codecs(offer)
    numbers = [each.payload_type for each in answer]
    assert len(numbers) == len(set(numbers))
    assert all(
        any(each.payload_type == theirs.payload_type and each.name.lower() == theirs.name.lower() for theirs in offer)
        for each in answer
    )
    again = answered_video_codecs(answer)
    assert [(each.payload_type, each.name) for each in again] == [(each.payload_type, each.name) for each in answer]


def test_extensions_keep_the_ids_of_the_offer() -> None:
    assert answered_extensions(offered_extensions()) == offered_extensions()
    assert answered_extensions(
        [
            HeaderExtension(14, "urn:ietf:params:rtp-hdrext:toffset"),
            HeaderExtension(9, MID),
            HeaderExtension(9, ABSOLUTE_SEND_TIME),
            HeaderExtension(5, ABSOLUTE_SEND_TIME),
            HeaderExtension(6, ABSOLUTE_SEND_TIME),
            HeaderExtension(15, TRANSPORT_WIDE),
        ]
    ) == (HeaderExtension(9, MID), HeaderExtension(5, ABSOLUTE_SEND_TIME))


@pytest.mark.parametrize(
    "offered", [each for each in offered_video_codecs() if each.name != "rtx"], ids=lambda each: each.name
)
def test_each_codec_of_the_offer_is_coded_carried_and_seen(offered: Codec) -> None:
    decoder, depayloader = make_decoder(offered), make_depayloader(offered)
    if not negotiation.can_encode(offered):
        pytest.skip("this machine does not keep up with it")
    encoder, payloader = make_encoder(offered), make_payloader(offered)
    encoder.configure(PictureFormat(width=320, height=240), 400)
    seen = 0
    for picture in clips.easy(5, 320, 240):
        encoded = encoder.encode(picture)
        assert encoded is not None
        payloads = payloader.packets(encoded, 1000)
        fragments = [depayloader.fragment(payload) for payload in payloads]
        assert fragments[0].begins
        assert any(fragment.key for fragment in fragments) == encoded.key
        shown = decoder.decode(depayloader.join(fragments), 5.0)
        assert shown is not None
        seen += clips.psnr(shown.data, picture.data) > 30
    assert seen == 5
    encoder.close()
    decoder.close()


def test_what_the_peer_takes_at_most_is_kept() -> None:
    encoder = make_encoder(codec(96, "VP8", max_fs="300"))
    encoder.configure(PictureFormat(width=640, height=480), 400)
    encoded = encoder.encode(clips.easy(1)[0])
    assert encoded is not None
    assert encoded.width * encoded.height <= 300 * 256


@pytest.mark.parametrize("make", [make_decoder, make_depayloader, make_encoder, make_payloader])
@pytest.mark.parametrize("name", ["H265", "rtx"])
def test_an_unknown_codec_is_refused_in_words(make: object, name: str) -> None:
    assert callable(make)
    with pytest.raises(MediaFailed, match="does not have"):
        make(codec(96, name))
