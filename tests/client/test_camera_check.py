from __future__ import annotations

import pytest

from openvoice import Camera, PictureFeed, PictureFormat
from openvoice.client import camera_check
from openvoice.client.camera_check import camera_step, check_camera
from openvoice.client.pictures import CameraDevice
from openvoice.core.diagnosis import Outcome
from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media.video.sources.pattern import PatternSource
from openvoice.ports import VideoInput
from tests.media.video.fake_codec import grey

FORMAT = PictureFormat(width=160, height=120, rate=30)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_check, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(Camera, "check", lambda _: None)


def have(monkeypatch: pytest.MonkeyPatch, source: VideoInput) -> None:
    monkeypatch.setattr(camera_check, "video_input", lambda _: lambda: source)


class Dark(PictureFeed):
    def start(self, deliver, report, wanted) -> None:  # type: ignore[no-untyped-def]
        from openvoice.media.video.conversion import black

        deliver(black(64, 48, 0.0))


class Still(PictureFeed):
    def start(self, deliver, report, wanted) -> None:  # type: ignore[no-untyped-def]
        deliver(grey(0.0))


class Busy(PictureFeed):
    def start(self, deliver, report, wanted) -> None:  # type: ignore[no-untyped-def]
        report(DeviceChange.MISSING, None, "The camera does not work: another program uses it.")


async def test_a_camera_that_works_is_told_with_what_it_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, PatternSource())
    monkeypatch.setattr(camera_check, "_SLOW", 0.0)  # as this machine may be
    step = await check_camera(Camera(), FORMAT)
    assert step.outcome is Outcome.PASSED
    assert "160x120" in step.text


async def test_one_that_gives_few_pictures_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, Still())
    step = await check_camera(Camera(), FORMAT)
    assert (step.outcome, step.text.split(" (")[0]) == (Outcome.WARNING, "it is slow")


async def test_one_that_sees_nothing_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, Dark())
    step = await check_camera(Camera(), FORMAT)
    assert (step.outcome, step.text.split(" (")[0]) == (Outcome.WARNING, "it is black")


@pytest.mark.parametrize(("source", "words"), [(Busy(), "another program uses it"), (PictureFeed(), "no sign of life")])
async def test_one_that_gives_nothing_is_told_why(
    monkeypatch: pytest.MonkeyPatch, source: VideoInput, words: str
) -> None:
    have(monkeypatch, source)
    monkeypatch.setattr(camera_check, "OPEN_WITHIN", 0.3)
    step = await check_camera(Camera(), FORMAT)
    assert step.outcome is Outcome.FAILED
    assert words in step.text


async def test_one_that_is_not_there_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Camera) -> None:
        raise VideoFailed("no camera was found: connect one")

    monkeypatch.setattr(Camera, "check", missing)
    step = await check_camera(Camera(), FORMAT)
    assert (step.outcome, step.text) == (Outcome.FAILED, "no camera was found: connect one")


def test_the_cameras_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_check, "camera_devices", list)
    assert camera_step().outcome is Outcome.HINT
    monkeypatch.setattr(camera_check, "camera_devices", lambda: [CameraDevice(index=0, name="Front")])
    assert (camera_step().outcome, camera_step().text) == (Outcome.PASSED, "Front")
