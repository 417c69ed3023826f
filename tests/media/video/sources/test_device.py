from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator

import pytest

from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media.video.conversion import black
from openvoice.media.video.sources import device
from openvoice.media.video.sources.device import DeviceSource
from openvoice.ports import Picture, PictureFormat
from tests.media.video.sources.collecting import Collected


class Camera:
    """A device that can be busy, vanish, hang and come back."""

    def __init__(self) -> None:
        self.failure: str | None = None
        self.plugged = threading.Event()
        self.plugged.set()
        self.hangs = threading.Event()
        self.opened = 0
        self.open_now = 0

    def open(self, wanted: PictureFormat, unwanted: Callable[[], bool]) -> Generator[Picture, None, None]:
        if self.failure is not None:
            raise VideoFailed(self.failure)
        self.opened += 1
        self.open_now += 1
        try:
            while self.plugged.is_set() and not unwanted():
                while self.hangs.is_set():
                    time.sleep(0.01)
                yield black(wanted.width, wanted.height, time.monotonic())
                time.sleep(0.01)
        finally:
            self.open_now -= 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "RETRY_SECONDS", 0.05)
    monkeypatch.setattr(device, "PATIENCE_SECONDS", 0.1)
    # A machine that is busy is no camera that stands still.
    monkeypatch.setattr(device, "SILENT_SECONDS", 15.0)


def test_a_camera_that_is_busy_is_told_once_and_tried_until_it_is_free() -> None:
    camera = Camera()
    camera.failure = "another program uses it"
    source = DeviceSource("camera", camera.open)
    collected = Collected(source)
    collected.wait(lambda it: it.reports)
    time.sleep(0.3)
    assert collected.reports == [(DeviceChange.MISSING, None, "The camera does not work: another program uses it.")]
    camera.failure = None
    collected.wait(lambda it: it.pictures)
    collected.wait(lambda it: len(it.reports) == 2)
    assert collected.changes[-1] is DeviceChange.RESTORED
    source.stop()


def test_one_that_is_free_a_moment_later_is_worth_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "PATIENCE_SECONDS", 15.0)
    camera = Camera()
    camera.failure = "another program uses it"
    source = DeviceSource("camera", camera.open)
    threading.Timer(0.05, lambda: setattr(camera, "failure", None)).start()
    collected = Collected(source)
    collected.wait(lambda it: it.pictures)
    assert not collected.reports
    source.stop()


def test_a_camera_that_vanishes_is_waited_for() -> None:
    camera = Camera()
    source = DeviceSource("camera", camera.open, "Bright")
    collected = Collected(source)
    collected.wait(lambda it: it.pictures)
    camera.failure = "it is not there"
    camera.plugged.clear()
    collected.wait(lambda it: DeviceChange.MISSING in it.changes)
    camera.failure = None
    camera.plugged.set()
    count = len(collected.pictures)
    collected.wait(lambda it: len(it.pictures) > count)
    collected.wait(lambda it: len(it.reports) == 3)
    assert collected.changes == [DeviceChange.LOST, DeviceChange.MISSING, DeviceChange.RESTORED]
    assert collected.reports[0][1:] == (
        "Bright",
        "The camera 'Bright' is gone; the call goes on without it until it is back.",
    )
    assert not collected.over
    source.stop()


def test_a_camera_that_stands_still_is_left_alone_and_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "SILENT_SECONDS", 0.3)
    camera = Camera()
    source = DeviceSource("camera", camera.open)
    collected = Collected(source)
    collected.wait(lambda it: it.pictures)
    camera.hangs.set()
    collected.wait(lambda it: DeviceChange.LOST in it.changes)
    camera.hangs.clear()
    count = len(collected.pictures)
    collected.wait(lambda it: len(it.pictures) > count)
    assert camera.opened > 1
    source.stop()


def test_it_is_let_go_when_it_is_stopped() -> None:
    camera = Camera()
    source = DeviceSource("camera", camera.open)
    collected = Collected(source)
    collected.wait(lambda it: it.pictures)
    source.stop()
    count = len(collected.pictures)
    end = time.monotonic() + 5
    while camera.open_now and time.monotonic() < end:
        time.sleep(0.01)
    assert not camera.open_now
    assert len(collected.pictures) == count
    assert not collected.over


def test_a_screen_that_is_closed_is_over() -> None:
    camera = Camera()
    source = DeviceSource("screen", camera.open, again=False)
    collected = Collected(source)
    collected.wait(lambda it: it.pictures)
    camera.plugged.clear()
    collected.wait(lambda it: it.over)
    assert collected.changes == [DeviceChange.LOST]


def test_a_screen_that_may_not_be_seen_is_over_with_a_word() -> None:
    camera = Camera()
    camera.failure = "you did not allow it"
    collected = Collected(DeviceSource("screen", camera.open, again=False))
    collected.wait(lambda it: it.over)
    assert collected.reports == [(DeviceChange.MISSING, None, "The screen does not work: you did not allow it.")]


def test_one_that_never_begins_is_told_so() -> None:
    camera = Camera()
    camera.hangs.set()
    collected = Collected(DeviceSource("screen", camera.open, again=False, open_within=0.2))
    collected.wait(lambda it: it.over)
    assert collected.reports[0][2] == "The screen does not work: it gives no sign of life."
    camera.hangs.clear()


def test_what_fails_in_an_unforeseen_way_is_told_in_words() -> None:
    def opened(_: PictureFormat, __: Callable[[], bool]) -> Generator[Picture, None, None]:
        raise ZeroDivisionError
        yield

    collected = Collected(DeviceSource("screen", opened, again=False))
    collected.wait(lambda it: it.over)
    assert collected.reports[0][2] == "The screen does not work: it failed."
