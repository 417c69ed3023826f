from __future__ import annotations

import numpy as np
import pytest

from openvoice.media.video.sources.arrays import PictureFeed
from tests.media.video.sources.collecting import Collected


def test_what_a_program_puts_is_shown_while_it_is_sent() -> None:
    feed = PictureFeed()
    feed.put(np.zeros((48, 64, 3), np.uint8))
    collected = Collected(feed)
    assert not collected.pictures
    feed.put(np.full((48, 64, 3), 255, np.uint8), at=7.0)
    planar = np.full((72, 64), 100, np.uint8)
    feed.put(planar)
    feed.end()
    assert [(p.width, p.height) for p in collected.pictures] == [(64, 48), (64, 48)]
    assert collected.pictures[0].time == 7.0
    assert collected.pictures[0].data[0, 0] == 235
    assert collected.pictures[1].data is planar
    assert collected.over
    feed.stop()
    feed.put(planar)
    assert len(collected.pictures) == 2


@pytest.mark.parametrize(
    "array", [np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64), np.float32), np.zeros(5, np.uint8)]
)
def test_what_is_no_picture_is_refused_at_once(array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
    with pytest.raises(ValueError, match="picture"):
        PictureFeed().put(array)
