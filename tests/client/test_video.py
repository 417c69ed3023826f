"""The pictures of a call, with fakes of the signalling and the media."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from openvoice import (
    CallState,
    InvalidState,
    Picture,
    PictureFeed,
    PictureFormat,
    TestPattern,
    VideoFailed,
    VideoLabel,
    parse_video,
)
from openvoice.client.call_video import CallVideo
from openvoice.client.pictures import Camera, Screen, video_input
from openvoice.core import inputs as i
from openvoice.core.events import VideoChanged
from openvoice.core.types import DeviceChange, Origin
from openvoice.errors import UsageError
from openvoice.media.video.conversion import black
from openvoice.ports import VideoReport
from tests.client.test_client import BOB, accept_calls, pair
from tests.media.video.feeds import Feed
from tests.media.video.films import make_film
from tests.waiting import until

CAMERA, SCREEN = VideoLabel.CAMERA, VideoLabel.SCREEN


class Kept:
    """A :class:`~openvoice.ports.VideoOutput` that keeps pictures, and may refuse them."""

    def __init__(self, refuses: Exception | None = None) -> None:
        self.pictures: list[Picture] = []
        self.closed = 0
        self.refuses = refuses

    def write(self, picture: Picture) -> None:
        if self.refuses is not None:
            raise self.refuses
        self.pictures.append(picture)

    def close(self) -> None:
        self.closed += 1


def shade(value: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((72, 64), value, np.uint8)


def in_another_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


async def test_what_was_chosen_is_made_when_it_is_shown_and_not_before(tmp_path: Path) -> None:
    video = CallVideo(lambda _: None)
    with pytest.raises(VideoFailed, match="no camera was chosen"):
        video.make_input(CAMERA)
    feed = PictureFeed()
    video.choose(CAMERA, feed)
    shown: list[Picture | None] = []
    source = video.make_input(CAMERA)
    source.start(shown.append, lambda *_: None, PictureFormat())
    feed.put(shade(1))
    assert len(shown) == 1
    (tmp_path / "film.mp4").write_bytes(b"text")
    with pytest.raises(VideoFailed, match="not a film"):
        video.choose(CAMERA, tmp_path / "film.mp4")
    source.stop()


async def test_another_source_takes_over_while_pictures_are_shown() -> None:
    video = CallVideo(lambda _: None)
    old, new = PictureFeed(), Feed()
    video.choose(CAMERA, old)
    shown: list[Picture | None] = []
    video.make_input(CAMERA).start(shown.append, lambda *_: None, PictureFormat())
    changing = asyncio.create_task(video.exchange(CAMERA, new))
    await until(lambda: new.used)
    old.put(shade(1))
    new.put(shade(2))
    await changing
    old.put(shade(3))
    assert [int(picture.data[0, 0]) for picture in shown if picture] == [1, 2]
    video.make_input(CAMERA).start(shown.append, lambda *_: None, PictureFormat())
    new.put(shade(4))
    assert len(shown) == 3, "it is what is shown the next time, too"


async def test_what_has_no_more_pictures_is_shown_no_more() -> None:
    posted: list[object] = []
    video = CallVideo(posted.append)
    feed, next_feed = PictureFeed(), Feed()
    video.choose(CAMERA, feed)
    shown: list[Picture | None] = []
    video.make_input(CAMERA).start(shown.append, lambda *_: None, PictureFormat())
    changing = asyncio.create_task(video.exchange(CAMERA, next_feed))
    await until(lambda: next_feed.used)
    next_feed.put(shade(1))
    await changing
    feed.end()
    await asyncio.sleep(0)
    assert not posted, "that one was given up"
    next_feed.end()
    await until(lambda: posted)
    assert posted == [i.HideVideo(CAMERA)]
    assert shown[-1] is None


async def test_one_that_does_not_work_leaves_the_old_choice() -> None:
    class Broken(PictureFeed):
        def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
            report(DeviceChange.MISSING, None, "The camera does not work: another program uses it.")

    video = CallVideo(lambda _: None)
    old = PictureFeed()
    video.choose(CAMERA, old)
    shown: list[Picture | None] = []
    video.make_input(CAMERA).start(shown.append, lambda *_: None, PictureFormat())
    with pytest.raises(VideoFailed, match="another program"):
        await video.exchange(CAMERA, Broken())
    old.put(shade(1))
    assert len(shown) == 1


async def test_everybody_who_watches_sees_each_picture_until_the_end() -> None:
    reports: list[i.HideVideo | i.VideoReported] = []
    video = CallVideo(reports.append)
    one, other, broken = Kept(), Kept(), Kept(VideoFailed("the disk is full"))
    assert video.make_output(CAMERA) is None, "nobody wants to see anything"
    for output in (one, broken, other):
        video.watch(CAMERA, output)
    listener = video.pictures(CAMERA)
    outputs = video.make_output(CAMERA)
    assert outputs is not None
    pictures = [black(64, 48, float(number)) for number in range(3)]
    for picture in pictures:
        in_another_thread(partial(outputs.write, picture))
    outputs.close()
    assert one.pictures == other.pictures == pictures
    await until(lambda: reports)
    assert reports == [i.VideoReported(label=CAMERA, what=DeviceChange.FAILED, text="the disk is full")]
    assert [await anext(listener) for _ in pictures] == pictures
    assert not one.closed, "the peer may show something again"
    video.end()
    video.end()
    outputs.write(pictures[0])
    assert (one.closed, other.closed, len(one.pictures)) == (1, 1, 3)
    assert [picture async for picture in listener] == []
    with pytest.raises(InvalidState):
        video.watch(CAMERA, Kept())
    with pytest.raises(InvalidState):
        video.choose(CAMERA, TestPattern())
    with pytest.raises(InvalidState):
        await video.exchange(CAMERA, TestPattern())


async def test_what_each_side_shows_is_known() -> None:
    video = CallVideo(lambda _: None)
    for event in (
        VideoChanged(CAMERA, True, Origin.LOCAL),
        VideoChanged(SCREEN, True, Origin.REMOTE),
        VideoChanged(CAMERA, True, Origin.REMOTE),
        VideoChanged(SCREEN, False, Origin.REMOTE),
    ):
        video.hear(event)
    assert video.shown[Origin.LOCAL] == {CAMERA}
    assert video.shown[Origin.REMOTE] == {CAMERA}
    video.end()
    assert not video.shown[Origin.LOCAL]


async def test_a_video_call_opens_media_with_video_and_shows_the_camera() -> None:
    async with pair() as (alice, bob):
        taken = accept_calls(bob)
        await alice.client.call(BOB.bare, video=TestPattern())
        assert (await taken).offers_video
        await until(lambda: alice.engine.sessions)
        session = alice.engine.sessions[0]
        await until(lambda: session.commands)
        assert session.settings.video_format == PictureFormat()
        source = session.settings.video_input(CAMERA)
        seen: list[Picture | None] = []
        source.start(seen.append, lambda *_: None, PictureFormat(width=64, height=48))
        await until(lambda: seen)
        source.stop()


async def test_pictures_can_be_added_and_removed_once_the_call_is_active() -> None:
    async with pair() as (alice, bob):
        taken = accept_calls(bob)
        call = await alice.client.call(BOB.bare)
        other = await taken
        await until(lambda: alice.engine.sessions and bob.engine.sessions)
        for side in (alice, bob):
            side.engine.sessions[0].connect()
        await call.wait_for(CallState.ACTIVE, timeout=10)
        for command in (call.add_video, call.share_screen):
            await command(TestPattern())
        await call.remove_video()
        await call.stop_screen()
        assert not other.showing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pattern", TestPattern()),
        ("screen", Screen()),
        ("screen:10,20,300x200", Screen(region=(10, 20, 300, 200))),
        ("film.MP4", Path("film.MP4")),
        ("./thing", Path("thing")),
        ("usb", Camera("usb")),
        ("default", Camera()),
    ],
)
def test_the_words_of_the_command_line(text: str, expected: object) -> None:
    assert parse_video(text) == expected


def test_a_part_of_the_screen_is_told_how_to_be_written() -> None:
    with pytest.raises(UsageError, match="LEFT,TOP,WIDTHxHEIGHT"):
        parse_video("screen:1,2,3")
    with pytest.raises(UsageError, match="16"):
        video_input(Screen(region=(0, 0, 2, 2)))


def test_a_film_is_the_same_wherever_it_is_shown(tmp_path: Path) -> None:
    make = video_input(make_film(tmp_path / "film.mp4", 0.2))
    assert make() is make()
