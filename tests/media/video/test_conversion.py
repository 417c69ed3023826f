from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.conversion import black, fitted, from_rgb, letterboxed, planes, to_picture, to_rgb
from openvoice.ports import MAXIMUM_SIDE, Picture, PictureFormat


@pytest.mark.parametrize(
    ("colour", "expected"),
    [((255, 255, 255), (235, 128, 128)), ((0, 0, 0), (16, 128, 128)), ((255, 0, 0), (81, 90, 240))],
)
def test_colours_are_those_of_bt_601_in_limited_range(
    colour: tuple[int, int, int], expected: tuple[int, int, int]
) -> None:
    array = np.full((48, 64, 3), colour, np.uint8)
    picture = from_rgb(array, 1.5)
    assert tuple(int(plane[10, 10]) for plane in planes(picture.data)) == expected
    assert picture.time == 1.5
    assert np.abs(to_rgb(picture).astype(int) - array).max() <= 3


def test_what_a_camera_sends_as_motion_jpeg_in_full_range_becomes_limited() -> None:
    full = av.VideoFrame.from_ndarray(
        np.concatenate([np.full((48, 64), 255), np.full((24, 64), 128)]).astype(np.uint8), "yuvj420p"
    )
    luma, *_ = planes(to_picture(full, 0.0).data)
    assert (luma == 235).all()


@pytest.mark.parametrize("shape", [(48, 64), (48, 64, 4), (0, 64, 3)])
def test_what_is_no_rgb_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="RGB"):
        from_rgb(np.zeros(shape, np.uint8), 0.0)


@given(st.integers(1, 9000), st.integers(1, 9000), st.integers(2, 2000), st.integers(2, 2000))
def test_a_fitted_size_is_even_and_never_larger(width: int, height: int, most_width: int, most_height: int) -> None:
    size = fitted(width, height, PictureFormat(width=most_width, height=most_height))
    assert not size[0] % 2
    assert not size[1] % 2
    assert 16 <= size[0] <= max(16, min(most_width, width) + 1, 2)
    assert 16 <= size[1] <= max(16, min(most_height, height) + 1, 2)
    Picture(np.zeros((size[1] * 3 // 2, size[0]), np.uint8), 0.0)


def test_the_shape_is_kept() -> None:
    assert fitted(1920, 1080, PictureFormat(width=640, height=480)) == (640, 360)
    assert fitted(320, 240, PictureFormat(width=640, height=480)) == (320, 240)
    assert fitted(20_000, 10_000, PictureFormat(width=20_000, height=20_000)) == (MAXIMUM_SIDE, MAXIMUM_SIDE // 2)


def test_a_whole_picture_is_seen_in_one_of_another_shape() -> None:
    white = Picture(np.concatenate([np.full((480, 640), 235), np.full((240, 640), 128)]).astype(np.uint8), 3.0)
    boxed = letterboxed(white, 640, 240)
    luma, *colours = planes(boxed.data)
    assert (boxed.width, boxed.height, boxed.time) == (640, 240, 3.0)
    assert (luma[:, 160:480] == 235).all()
    assert (luma[:, :160] == 16).all()
    assert (luma[:, 480:] == 16).all()
    assert all((plane == 128).all() for plane in colours)
    assert letterboxed(white, 640, 480) is white


def test_black_is_black() -> None:
    assert not to_rgb(black(64, 48, 0.0)).any()
