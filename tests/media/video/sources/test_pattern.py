from __future__ import annotations

import time

import numpy as np
import pytest

from openvoice.media.video.sources.pattern import Pattern, PatternSource
from openvoice.media.video.stamp import read_stamp
from openvoice.ports import Picture, PictureFormat
from tests.media.video.sources.collecting import Collected


@pytest.mark.parametrize(
    ("width", "height"), [(640, 480), (1280, 720), (176, 144), (16, 16), (641, 363), (4096, 16), (64, 48)]
)
def test_it_is_drawn_in_any_size(width: int, height: int) -> None:
    pattern = Pattern(PictureFormat(width=width, height=height))
    one, other = (Picture(pattern.draw(number, 77), 0.0) for number in (0, 10**7))
    assert (one.width, one.height) == (width // 2 * 2, height // 2 * 2) or width % 2
    assert height < 32 or not np.array_equal(one.data, other.data)
    assert width < 128 or read_stamp(one) == 77


def test_it_moves_and_counts() -> None:
    pattern = Pattern(PictureFormat(width=320, height=240))
    first, second = pattern.draw(1, 0), pattern.draw(2, 0)
    assert not np.array_equal(first[160:240], second[160:240]), "the bar moves"
    assert not np.array_equal(first[60:90], second[60:90]), "the number counts"


def test_it_goes_on_until_it_is_stopped_and_again_when_it_is_started() -> None:
    source = PatternSource(lambda: 12.0)
    for _ in range(2):
        collected = Collected(source, PictureFormat(width=160, height=120, rate=60.0))
        collected.wait(lambda it: len(it.pictures) > 5)
        source.stop()
        count = len(collected.pictures)
        time.sleep(0.05)
        assert len(collected.pictures) == count
        assert not collected.over
    assert {read_stamp(picture) for picture in collected.pictures} == {12_000}
