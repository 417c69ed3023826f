from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from openvoice.core.types import DeviceChange
from openvoice.errors import InvalidState, VideoFailed
from openvoice.media.video.sources.arrays import PictureFeed
from openvoice.media.video.sources.exchange import ExchangeSource
from openvoice.media.video.sources.pattern import PatternSource
from openvoice.ports import PictureFormat
from tests.media.video.feeds import Feed
from tests.media.video.sources.collecting import Collected


class Spy(PatternSource):
    def __init__(self) -> None:
        super().__init__()
        self.stopped = 0

    def stop(self) -> None:
        self.stopped += 1
        super().stop()


class Broken(PictureFeed):
    """Says at once that it does not work, and is over."""

    def start(self, deliver, report, wanted) -> None:  # type: ignore[no-untyped-def]
        report(DeviceChange.MISSING, None, "The camera does not work: another program uses it.")


def picture(shade: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((72, 64), shade, np.uint8)


def test_the_new_one_takes_over_with_its_first_picture() -> None:
    old, new = PictureFeed(), Feed()
    source = ExchangeSource(old)
    collected = Collected(source)
    old.put(picture(1))
    changing = threading.Thread(target=source.exchange, args=(new,))
    changing.start()
    while not new.used:
        time.sleep(0.001)
    old.put(picture(2))
    new.put(picture(3))
    changing.join()
    old.put(picture(4))
    new.put(picture(5))
    assert [int(it.data[0, 0]) for it in collected.pictures] == [1, 2, 3, 5]
    new.end()
    assert collected.over
    source.stop()
    new.put(picture(6))
    assert len(collected.pictures) == 4


def test_one_that_does_not_work_leaves_the_old_one() -> None:
    old = PictureFeed()
    source = ExchangeSource(old)
    collected = Collected(source)
    with pytest.raises(VideoFailed, match="another program uses it"):
        source.exchange(Broken())
    with pytest.raises(VideoFailed, match="no sign of life"):
        source.exchange(PictureFeed(), within=0.05)
    old.put(picture(9))
    assert len(collected.pictures) == 1
    assert not collected.reports
    source.stop()


def test_before_it_runs_it_is_only_another_choice() -> None:
    old, new = Spy(), Spy()
    source = ExchangeSource(old)
    source.exchange(new)
    collected = Collected(source, PictureFormat(width=64, height=48))
    collected.wait(lambda it: it.pictures)
    source.stop()
    assert new.stopped
    assert not old.stopped


def test_the_end_of_the_call_ends_an_exchange() -> None:
    source = ExchangeSource(PictureFeed())
    Collected(source)
    threading.Timer(0.05, source.stop).start()
    with pytest.raises(InvalidState, match="over"):
        source.exchange(PictureFeed())
