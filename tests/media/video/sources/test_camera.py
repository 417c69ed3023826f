from __future__ import annotations

from pathlib import Path

import av.device
import pytest

from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media.video.sources import camera as module
from openvoice.media.video.sources.camera import (
    CameraDevice,
    camera_feed,
    camera_source,
    cameras,
    find_camera,
)
from openvoice.ports import PictureFormat
from tests.media.video.sources.collecting import Collected

BUILT_IN = CameraDevice(index=0, name="Integrated Camera", file="/dev/video0")
USB = CameraDevice(index=1, name="USB Camera HD", file="/dev/video2")
HD = PictureFormat(width=1280, height=720)


class Listed:
    """What FFmpeg lists."""

    def __init__(self, name: str, description: str, default: bool = False, kinds: tuple[str, ...] = ("video",)) -> None:
        self.name, self.description, self.is_default, self.media_types = name, description, default, list(kinds)


@pytest.mark.parametrize(("wanted", "found"), [(None, BUILT_IN), (1, USB), ("1", USB), ("usb", USB), ("hd", USB)])
def test_a_camera_is_chosen_by_a_part_of_its_name_or_its_number(wanted: str | int | None, found: CameraDevice) -> None:
    assert find_camera([BUILT_IN, USB], wanted) is found


@pytest.mark.parametrize(
    ("listed", "wanted", "words"),
    [
        ([], None, "no camera was found"),
        ([BUILT_IN, USB], "camera", "more than one"),
        ([BUILT_IN], "infrared", r"there is no camera 'infrared'; there is 'Integrated Camera' \(0\)"),
    ],
)
def test_one_that_is_not_there_is_told_so(listed: list[CameraDevice], wanted: str | None, words: str) -> None:
    with pytest.raises(VideoFailed, match=words):
        find_camera(listed, wanted)


def test_a_machine_without_a_camera_says_so_and_waits_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cameras", lambda _: [])
    source = camera_source()
    collected = Collected(source)
    collected.wait(lambda it: it.reports)
    assert collected.changes == [DeviceChange.MISSING]
    assert "connect one" in collected.reports[0][2]
    assert not collected.over
    source.stop()


def test_nodes_of_linux_that_give_no_pictures_are_left_out(tmp_path: Path) -> None:
    system, devices = tmp_path / "system", tmp_path / "dev"
    devices.mkdir()
    for number in (0, 10, 2):
        (system / f"video{number}").mkdir(parents=True)
        (system / f"video{number}" / "name").write_text(f"Camera {number}\n")
    # An ordinary file cannot be asked what it is, and a folder cannot be opened: the latter may be a camera.
    (devices / "video0").write_text("")
    (devices / "video2").mkdir()
    (devices / "video10").mkdir()
    found = module._video4linux(system, devices)
    assert [(camera.index, camera.name) for camera in found] == [(0, "Camera 2"), (1, "Camera 10")]
    assert found[0].file == str(devices / "video2")


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_the_other_systems_list_theirs_by_ffmpeg(monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    listed = [Listed("0", "Capture screen 0"), Listed("1", "Front"), Listed("2", "Back", default=True)]
    monkeypatch.setattr(av.device, "enumerate_input_devices", lambda _: [*listed, Listed("3", "Mic", kinds=("audio",))])
    names = [camera.name for camera in cameras(platform)]
    assert names[:2] == ["Back", "Capture screen 0" if platform == "win32" else "Front"]
    assert cameras(platform)[0].file == ("2:none" if platform == "darwin" else "video=Back")
    assert "Mic" not in names


def test_a_system_that_lists_none_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise ValueError("no such format")

    monkeypatch.setattr(av.device, "enumerate_input_devices", refuse)
    assert cameras("darwin") == []


def test_large_pictures_are_asked_for_as_motion_jpeg_first() -> None:
    feed = camera_feed(USB, HD, "linux")
    assert feed.format == "video4linux2"
    assert feed.file == "/dev/video2"
    assert feed.attempts[0] == {"video_size": "1280x720", "framerate": "30", "input_format": "mjpeg"}
    assert feed.attempts[-1] == {}
    small = camera_feed(USB, PictureFormat(), "linux")
    assert small.attempts[0] == {"video_size": "640x480", "framerate": "30"}


@pytest.mark.parametrize(("platform", "system"), [("darwin", "avfoundation"), ("win32", "dshow")])
def test_where_a_camera_must_be_asked_for_its_own_sizes_the_nearest_come_first(platform: str, system: str) -> None:
    feed = camera_feed(USB, PictureFormat(width=630, height=470, rate=24), platform)
    assert feed.format == system
    sizes = [attempt.get("video_size") for attempt in feed.attempts]
    assert sizes[:2] == ["630x470", "640x480"]
    assert feed.attempts[0]["framerate"] == "24"
    assert "video_size" not in feed.attempts[-1]
