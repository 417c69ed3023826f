"""The screen of a Wayland desktop, whose portal and PipeWire are played."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvoice.core.types import DeviceChange
from openvoice.media.video.sources.screen import Region, screen_source
from openvoice.ports import PictureFormat
from tests.media.video.sources.collecting import Collected

pytest.importorskip("jeepney")
from tests.media.video.sources.desktop import Portal, programs, session_bus

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("dbus-daemon") is None, reason="dbus-daemon is not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="Wayland is there on Linux alone"),
]

WAYLAND = {"WAYLAND_DISPLAY": "wayland-0"}
FORMAT = PictureFormat(width=640, height=480, rate=15.0)


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with session_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", address)
        yield address


def show(region: Region | None = None) -> Collected:
    source = screen_source(region, environment=WAYLAND, platform="linux")
    collected = Collected(source, FORMAT)
    collected.wait(lambda it: len(it.pictures) > 2 or it.over)
    source.stop()
    return collected


def test_what_the_user_chooses_is_shown(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path)))
    portal = Portal(bus)
    collected = show()
    assert {(picture.width, picture.height) for picture in collected.pictures} == {(640, 360)}
    assert int(collected.pictures[0].data[0, 0]) == 80
    assert not collected.reports
    assert [method for method, _ in portal.asked] == ["CreateSession", "SelectSources", "Start", "OpenPipeWireRemote"]
    assert portal.asked[1][1]["cursor_mode"] == ("u", 2)
    portal.close()


def test_the_end_of_the_sharing_is_the_end(bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path, pictures=1)))
    portal = Portal(bus)
    collected = show()
    assert collected.over
    assert collected.changes == [DeviceChange.LOST]
    portal.close()


@pytest.mark.parametrize(("response", "words"), [(1, "you did not allow it"), (2, "the desktop refused it")])
def test_who_says_no_shows_nothing(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, response: int, words: str
) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path)))
    portal = Portal(bus, response)
    collected = show()
    assert collected.over
    assert words in collected.reports[0][2]
    portal.close()


def test_a_desktop_without_a_portal_is_told_what_to_install(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(programs(tmp_path)))
    assert "xdg-desktop-portal" in show().reports[0][2]
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path / 'nothing'}")
    assert "xdg-desktop-portal" in show().reports[0][2]


@pytest.mark.parametrize("there", [False, True])
def test_without_gstreamer_nobody_is_asked(
    bus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(programs(tmp_path, reads_pipewire=False) if there else empty))
    portal = Portal(bus)
    assert "gstreamer1.0-pipewire" in show().reports[0][2]
    assert not portal.asked
    portal.close()


def test_under_wayland_no_region_can_be_named(bus: str) -> None:
    assert "choose a window" in show(Region(left=0, top=0, width=320, height=200)).reports[0][2]
