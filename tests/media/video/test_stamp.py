from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.conversion import black, scaled, to_frame, to_picture
from openvoice.media.video.stamp import LEAST_WIDTH, age, read_stamp, write_stamp
from openvoice.ports import Picture


def stamped(width: int, height: int, milliseconds: int) -> Picture:
    picture = black(width, height, 0.0)
    write_stamp(picture.data, milliseconds)
    return picture


@given(
    st.integers(LEAST_WIDTH // 2, 400).map(lambda half: half * 2),
    st.integers(16, 200).map(lambda half: half * 2),
    st.integers(1, 2**32 - 1),
)
def test_what_was_written_is_read(width: int, height: int, milliseconds: int) -> None:
    assert read_stamp(stamped(width, height, milliseconds)) == milliseconds


@pytest.mark.parametrize("size", [(320, 240), (160, 120), (1280, 720), (500, 374)])
def test_it_survives_scaling(size: tuple[int, int]) -> None:
    assert read_stamp(scaled(stamped(640, 480, 0xDEADBEEF), *size)) == 0xDEADBEEF


def test_it_survives_a_poor_encoder() -> None:
    encoder = av.CodecContext.create("libvpx", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt, encoder.bit_rate = 320, 240, "yuv420p", 60_000
    encoder.options = {"deadline": "realtime", "cpu-used": "8"}
    decoder = av.CodecContext.create("vp8", "r")
    packets = encoder.encode(to_frame(stamped(320, 240, 123_456_789))) + encoder.encode(None)
    (frame,) = (frame for packet in packets for frame in decoder.decode(packet))
    assert isinstance(frame, av.VideoFrame)
    assert read_stamp(to_picture(frame, 0.0)) == 123_456_789


def test_grey_and_black_are_no_stamp() -> None:
    assert read_stamp(black(320, 240, 0.0)) is None
    assert read_stamp(Picture(np.full((360, 320), 128, np.uint8), 0.0)) is None


def test_a_picture_may_be_too_small_for_one() -> None:
    assert read_stamp(stamped(LEAST_WIDTH - 2, 90, 1)) is None


@pytest.mark.parametrize(("stamp", "now", "expected"), [(5, 25, 20), (2**32 - 5, 15, 20), (25, 5, -20)])
def test_the_age_goes_around_the_end_of_the_numbers(stamp: int, now: int, expected: int) -> None:
    assert age(stamp, now) == expected
    assert age(stamp, now + 2**32 * 400) == expected
