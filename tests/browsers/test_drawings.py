"""The proof of pictures proves something."""

from __future__ import annotations

import numpy as np

from openvoice import Picture, PictureFormat
from openvoice.media.video.conversion import planes
from openvoice.media.video.sources.pattern import Pattern
from openvoice.media.video.stamp import read_stamp

from .pictures import BARS, NEAR, QUARTERS, STRIPES, Drawing, colours, off, striped


def shows(picture: Picture, drawing: Drawing) -> bool:
    return off(colours(picture, drawing.places), drawing.colours) < NEAR


def test_each_drawing_is_known_from_the_others() -> None:
    pattern = Picture(Pattern(PictureFormat(width=320, height=240)).draw(7, 5), 0.0)
    slides = Picture(striped(5), 0.0)
    assert [shows(pattern, drawing) for drawing in (BARS, STRIPES, QUARTERS)] == [True, False, False]
    assert [shows(slides, drawing) for drawing in (BARS, STRIPES, QUARTERS)] == [False, True, False]
    assert read_stamp(pattern) == read_stamp(slides) == 5


def test_what_lies_on_its_head_or_has_its_colours_changed_is_not_known() -> None:
    data = Pattern(PictureFormat(width=320, height=240)).draw(7, 5)
    mirrored, exchanged, dark = (data.copy() for _ in range(3))
    for plane in planes(mirrored):
        plane[:] = plane[:, ::-1].copy()
    _, blue, red = planes(exchanged)
    blue[:], red[:] = red.copy(), blue.copy()
    planes(dark)[0][:] = 16
    for spoilt in (mirrored, exchanged, dark):
        assert not shows(Picture(np.ascontiguousarray(spoilt), 0.0), BARS)
