"""What the parameters of video codecs mean, and which are out of range."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Codec
from openvoice.media.video.h264_profile import Profile, ProfileLevel, level_for, parse_profile_level_id
from openvoice.media.video.parameters import PictureLimits, answered_parameters, picture_limits, profile, variant
from openvoice.ports import PictureFormat


def codec(name: str, **parameters: str | None) -> Codec:
    pairs = tuple((key.replace("_", "-"), value) for key, value in parameters.items() if value is not None)
    return Codec(payload_type=96, name=name, clock_rate=90_000, parameters=pairs)


@pytest.mark.parametrize(
    ("described", "found"),
    [
        (codec("vp8"), ("VP8", "")),
        (codec("VP8", max_fs="3600", max_fr="30"), ("VP8", "")),
        (codec("VP8", max_fs="0"), None),
        (codec("VP8", max_fs="-1"), None),
        (codec("VP8", max_fr="99999"), None),
        (codec("VP8", max_fs="9" * 5000), None),
        (codec("VP8", max_fs="٣"), None),
        (replace(codec("VP8"), clock_rate=48_000), None),
        (codec("VP9"), ("VP9", "")),
        (codec("VP9", profile_id="2"), None),
        (codec("AV1", level_idx="5", profile="0", tier="0"), ("AV1", "")),
        (codec("AV1", profile="1"), None),
        (codec("AV1", tier="2"), None),
        (codec("H264"), ("H264", "0")),
        (codec("H264", packetization_mode="1", profile_level_id="42E01F"), ("H264", "1")),
        (codec("H264", packetization_mode="1", profile_level_id="640c1f"), ("H264", "1")),
        (codec("H264", packetization_mode="2"), None),
        (codec("H264", profile_level_id="f4001f"), None),
        (codec("H264", profile_level_id="42e0ff"), None),
        (codec("H264", profile_level_id="42e0"), None),
        (codec("H264", profile_level_id="٤٢e01f"), None),
        (codec("H265"), None),
        (codec("rtx", apt="96"), None),
    ],
)
def test_what_has_to_be_the_same_and_what_is_out_of_range(described: Codec, found: tuple[str, str] | None) -> None:
    assert variant(described) == found


@given(st.text(max_size=8), st.text(max_size=12))
def test_reading_parameters_is_total(name: str, value: str) -> None:
    for codec_name, parameter in (("VP8", name), ("VP8", "max-fs"), ("H264", "profile-level-id"), ("AV1", "tier")):
        described = Codec(payload_type=1, name=codec_name, clock_rate=90_000, parameters=((parameter, value),))
        variant(described)
        picture_limits(described)
        answered_parameters(described)


@pytest.mark.parametrize(
    ("text", "found", "level"),
    [
        (None, Profile.CONSTRAINED_BASELINE, 31),
        ("42e01f", Profile.CONSTRAINED_BASELINE, 31),
        ("42c02a", Profile.CONSTRAINED_BASELINE, 42),
        ("42001f", Profile.BASELINE, 31),
        ("42900b", Profile.BASELINE, 10),
        ("4d001f", Profile.MAIN, 31),
        ("4d801f", Profile.CONSTRAINED_BASELINE, 31),
        ("58c01f", Profile.CONSTRAINED_BASELINE, 31),
        ("588014", Profile.BASELINE, 20),
        ("640033", Profile.HIGH, 51),
    ],
)
def test_profiles_and_levels(text: str | None, found: Profile, level: int) -> None:
    assert parse_profile_level_id(text) == ProfileLevel(profile=found, level=level)


def test_a_level_is_the_lowest_that_is_enough() -> None:
    assert level_for(640, 480, 30) == 30
    assert level_for(1280, 720, 30) == 31
    assert level_for(1280, 720, 60) == 32
    assert level_for(176, 144, 15) == 10
    assert level_for(4096, 4096, 1000) == 52
    with pytest.raises(ValueError, match="unknown level"):
        ProfileLevel(profile=Profile.MAIN, level=7)


@pytest.mark.parametrize(
    ("text", "asymmetry", "answer"),
    [
        ("42e034", "1", "42e01f"),
        ("42e00c", "1", "42e01f"),
        ("42e034", "0", "42e01f"),
        ("42e00c", "0", "42e00c"),
        ("42e00c", None, "42e00c"),
        ("640c1f", "1", "640c1f"),
        (None, "1", None),
    ],
)
def test_an_answer_keeps_the_profile_and_raises_the_level_only_where_both_may_differ(
    text: str | None, asymmetry: str | None, answer: str | None
) -> None:
    theirs = codec("H264", packetization_mode="1", level_asymmetry_allowed=asymmetry, profile_level_id=text)
    answered = replace(theirs, parameters=answered_parameters(theirs))
    assert answered.parameter("profile-level-id") == answer
    assert answered.parameter("level-asymmetry-allowed") == ("1" if asymmetry == "1" else None)
    assert answered.parameter("packetization-mode") == "1"
    assert profile(answered) is profile(theirs)


def test_limits_of_the_offer_are_not_those_of_the_answer() -> None:
    assert answered_parameters(codec("VP8", max_fs="99")) == ()
    assert answered_parameters(codec("VP9", profile_id="0")) == (("profile-id", "0"),)


def test_what_the_peer_takes_limits_sides_and_rate() -> None:
    hd = PictureFormat(width=1280, height=720, rate=30)
    assert picture_limits(codec("VP8")).within(hd) == hd
    assert picture_limits(codec("H264", profile_level_id="42e01f")).within(hd) == hd
    small = picture_limits(codec("VP8", max_fs="396", max_fr="15")).within(hd)
    assert -(-small.width // 16) * -(-small.height // 16) <= 396
    assert small.width / small.height == pytest.approx(16 / 9, rel=0.05)
    assert small.rate == 15
    assert small.width > 380
    slower = picture_limits(codec("H264", profile_level_id="42e01f")).within(
        PictureFormat(width=1280, height=720, rate=60)
    )
    assert (slower.width, slower.rate) == (1280, 30)


@given(st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 100_000))
def test_no_limit_is_exceeded(width: int, height: int, macroblocks: int) -> None:
    found = PictureLimits(macroblocks=macroblocks).within(PictureFormat(width=width, height=height))
    assert found.width <= max(width, 16)
    assert found.height <= max(height, 16)
    assert -(-found.width // 16) * -(-found.height // 16) <= max(macroblocks, 256)
