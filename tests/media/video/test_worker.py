"""The thread that encodes, with sources that do what sources do. Real threads, hardly any waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from openvoice.core.types import DeviceChange
from openvoice.errors import MediaFailed, VideoFailed
from openvoice.media.video.coding import Coded, PictureCoding, Plan
from openvoice.media.video.worker import BLACK_PICTURES, PictureWorker
from openvoice.ports import Picture, PictureFormat, VideoReport
from tests.media.video.fake_codec import FakeEncoder, FakePayloader, grey

PLAN = Plan(wanted=PictureFormat(width=64, height=48, rate=1000), bitrate=2000)
PAUSE = Plan(wanted=PictureFormat(width=64, height=48, rate=1000), bitrate=0)


class Source:
    """Delivers what the test gives it."""

    def __init__(self, failing: Exception | None = None) -> None:
        self.failing = failing
        self.deliver: Callable[[Picture | None], None] = lambda _: None
        self.started = threading.Event()
        self.stopped = threading.Event()
        self.wanted: PictureFormat | None = None
        self.threads: list[str] = []

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self.threads.append(threading.current_thread().name)
        if self.failing is not None:
            raise self.failing
        self.deliver, self.wanted = deliver, wanted
        self.started.set()

    def stop(self) -> None:
        self.threads.append(threading.current_thread().name)
        self.stopped.set()


class Bench:
    def __init__(self) -> None:
        self.encoder = FakeEncoder()
        self.coded: list[Coded] = []
        self.reports: list[tuple[DeviceChange, str]] = []
        self.over = threading.Event()
        self._changed = threading.Condition()
        coding = PictureCoding(lambda: self.encoder, FakePayloader(), time.monotonic)
        self.worker = PictureWorker(
            coding, coded=self._take, over=self.over.set, report=lambda what, _, text: self.reports.append((what, text))
        )

    def _take(self, coded: Coded) -> None:
        with self._changed:
            self.coded.append(coded)
            self._changed.notify_all()

    def wait(self, count: int) -> list[Coded]:
        """Until there are so many."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.coded) >= count, 15)
        return self.coded

    def show(self) -> Source:
        source = Source()
        self.worker.show(source, PictureFormat())
        assert source.started.wait(15)
        return source


@contextmanager
def bench() -> Iterator[Bench]:
    made = Bench()
    try:
        yield made
    finally:
        made.worker.close()
        assert made.worker.finished.wait(15)


def now(width: int = 64, height: int = 48) -> Picture:
    # No two pictures so near to each other that one of them would be left out.
    time.sleep(0.003)
    return grey(time.monotonic(), width, height)


def test_pictures_are_coded_in_a_thread_of_their_own_and_devices_live_there() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        source.deliver(now())
        made.wait(1)
        source.deliver(now())
        assert [each.key for each in made.wait(2)] == [True, False]
        assert source.wanted == PictureFormat()
    assert source.stopped.is_set()
    assert set(source.threads) == made.encoder.threads == {"openvoice-video-sender"}
    assert made.encoder.closed == 1


def test_only_the_newest_picture_waits() -> None:
    with bench() as made:
        source = made.show()
        pictures = [now() for _ in range(5)]
        for picture in pictures:
            source.deliver(picture)
        made.worker.plan(PLAN)
        made.wait(1)
        assert [picture.time for picture, _ in made.encoder.pictures] == [pictures[-1].time]
        assert made.worker.dropped == 4


def test_nothing_is_coded_in_a_pause_and_a_key_picture_comes_after_it() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        source.deliver(now())
        made.wait(1)
        made.worker.plan(PAUSE)
        source.deliver(now())
        time.sleep(0.03)
        assert len(made.coded) == 1
        made.worker.plan(PLAN)
        assert made.wait(2)[-1].key


def test_the_last_picture_is_coded_again_for_who_asks_while_nothing_new_comes() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        first = now()
        source.deliver(first)
        made.wait(1)
        made.worker.key()
        again = made.wait(2)[-1]
        assert again.key
        assert again.time > first.time + 0.1


def test_when_it_stops_the_device_is_let_go_and_black_is_shown() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        source.deliver(now())
        made.wait(1)
        made.worker.hide()
        made.worker.hide()
        made.wait(1 + BLACK_PICTURES)
        assert source.stopped.is_set()
        assert made.coded[1].key
        for picture, _ in made.encoder.pictures[1:]:
            assert np.all(picture.data[: picture.height] == 16)
            assert np.all(picture.data[picture.height :] == 128)
        source.deliver(now())
        time.sleep(0.2)
        assert len(made.coded) == 1 + BLACK_PICTURES
        assert not made.over.is_set()


def test_a_source_without_pictures_ends_without_any() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        source.deliver(None)
        assert made.over.wait(15)
        assert source.stopped.wait(15)
        assert made.coded == []


def test_a_source_that_ends_is_followed_by_black_and_another_may_come() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        first = made.show()
        first.deliver(now())
        made.wait(1)
        first.deliver(None)
        assert made.over.wait(15)
        made.wait(1 + BLACK_PICTURES)
        second = made.show()
        second.deliver(now())
        assert made.wait(2 + BLACK_PICTURES)[-1].key


def test_another_source_replaces_the_first_whose_pictures_are_late() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        first = made.show()
        second = made.show()
        assert first.stopped.is_set()
        first.deliver(now())
        first.deliver(None)
        picture = now()
        second.deliver(picture)
        made.wait(1)
        assert made.encoder.pictures[0][0] is picture
        assert not made.over.is_set()


def test_a_device_that_does_not_start_is_told_of() -> None:
    for error, text in ((VideoFailed("the camera is busy"), "the camera is busy"), (OSError("x"), "what was to be")):
        with bench() as made:
            made.worker.show(Source(error), PictureFormat())
            assert made.over.wait(15)
            assert [what for what, _ in made.reports] == [DeviceChange.FAILED]
            assert made.reports[0][1].startswith(text)


def test_an_encoder_that_fails_is_tried_again_and_given_up_after_a_while() -> None:
    for error in (MediaFailed("no encoder"), ZeroDivisionError()):
        with bench() as made:
            made.worker.plan(PLAN)
            source = made.show()
            made.encoder.failing = error
            source.deliver(now())
            assert made.over.wait(15)
            assert [what for what, _ in made.reports] == [DeviceChange.FAILED]
            assert source.stopped.is_set()
            made.encoder.failing = None
            again = made.show()
            again.deliver(now())
            assert made.wait(1)[-1].key


def test_a_source_may_change_its_size() -> None:
    with bench() as made:
        made.worker.plan(PLAN)
        source = made.show()
        source.deliver(now())
        made.wait(1)
        source.deliver(now(32, 24))
        assert [each.source for each in made.wait(2)] == [(64, 48), (32, 24)]
