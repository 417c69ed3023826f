from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media.video.sources.screen import Region, screen_feed, screen_source, wayland
from openvoice.ports import PictureFormat
from tests.media.video.sources.collecting import Collected

FORMAT = PictureFormat(width=640, height=480, rate=15.0)


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """A screen of 800 x 600 pixels that nobody sees."""
    program = shutil.which("Xvfb")
    if program is None:
        pytest.skip("Xvfb is not installed")
    reading, writing = os.pipe()
    arguments = [program, "-displayfd", str(writing), "-screen", "0", "800x600x24", "-nolisten", "tcp"]
    server = subprocess.Popen(arguments, pass_fds=(writing,), stderr=subprocess.DEVNULL)
    os.close(writing)
    with os.fdopen(reading) as numbers:
        number = numbers.readline().strip()
    if not number:
        pytest.skip("Xvfb does not start here")
    yield f":{number}"
    server.terminate()
    server.wait()


@pytest.mark.live
@pytest.mark.parametrize(
    ("region", "size"), [(None, (640, 480)), (Region(left=100, top=50, width=320, height=200), (320, 200))]
)
def test_a_screen_of_x11_is_shown(display: str, region: Region | None, size: tuple[int, int]) -> None:
    source = screen_source(region, environment={"DISPLAY": display}, platform="linux")
    collected = Collected(source, FORMAT)
    collected.wait(lambda it: len(it.pictures) > 3)
    source.stop()
    assert (collected.pictures[0].width, collected.pictures[0].height) == size
    assert not collected.reports


@pytest.mark.live
def test_a_region_beyond_the_screen_is_refused_with_a_word(display: str) -> None:
    region = Region(left=700, top=0, width=320, height=200)
    collected = Collected(screen_source(region, environment={"DISPLAY": display}, platform="linux"), FORMAT)
    collected.wait(lambda it: it.over)
    assert collected.changes == [DeviceChange.MISSING]
    assert "see whether 320x200 at 700,0 is on the screen" in collected.reports[0][2]


def test_without_a_screen_there_is_a_word_for_it() -> None:
    collected = Collected(screen_source(environment={}, platform="linux"), FORMAT)
    collected.wait(lambda it: it.over)
    assert collected.reports[0][2].startswith("The screen does not work: there is no screen here")


def test_the_other_systems_have_screens_of_their_own() -> None:
    region = Region(left=10, top=20, width=320, height=200)
    windows = screen_feed(region, FORMAT, False, {}, "win32")
    assert windows.format == "gdigrab"
    assert windows.attempts[0] == {
        "framerate": "15",
        "draw_mouse": "0",
        "video_size": "320x200",
        "offset_x": "10",
        "offset_y": "20",
    }
    assert screen_feed(None, FORMAT, True, {}, "darwin").file == "Capture screen 0:none"
    with pytest.raises(VideoFailed, match="whole screen"):
        screen_feed(region, FORMAT, True, {}, "darwin")


def test_a_region_is_on_the_screen() -> None:
    with pytest.raises(ValueError, match="region"):
        Region(left=-1, top=0, width=320, height=200)
    with pytest.raises(ValueError, match="region"):
        Region(left=0, top=0, width=8, height=200)


def test_wayland_is_known_by_what_the_desktop_says() -> None:
    assert wayland({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"})
    assert wayland({"XDG_SESSION_TYPE": "wayland"})
    assert not wayland({"DISPLAY": ":0", "XDG_SESSION_TYPE": "x11"})
