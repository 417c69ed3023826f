"""Two whole clients that see each other, by a real server."""

from __future__ import annotations

import asyncio

import pytest

from openvoice import Call, CallState, Picture, VideoLabel
from openvoice.media.video.sources.pattern import PatternSource
from openvoice.testing.clients import ClientFactory
from tests.waiting import until

from .answering import answered_by

pytestmark = [pytest.mark.live, pytest.mark.once]

SOON = 10.0
CAMERA, SCREEN = VideoLabel.CAMERA, VideoLabel.SCREEN
BLACK = 24
"""The mean of Y below which a picture is black: 16, and what coding makes of it."""


class Window:
    """Counts the pictures of one track of a call, and keeps the last."""

    def __init__(self, call: Call, label: VideoLabel = CAMERA) -> None:
        self.shown = 0
        self.closed = False
        self.last: Picture | None = None
        call.watch(self, label)

    def write(self, picture: Picture) -> None:
        self.shown += 1
        self.last = picture

    def close(self) -> None:
        self.closed = True

    @property
    def black(self) -> bool:
        return self.last is not None and float(self.last.data[: self.last.height].mean()) < BLACK

    async def shows_more(self) -> None:
        before = self.shown
        await until(lambda: self.shown >= before + 5)


async def test_a_video_call_shows_cameras_and_a_screen(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob, video=PatternSource())
        call = await alice.call(bob.address.bare, video=PatternSource())
        await call.wait_for(CallState.ACTIVE, SOON)
        other = await taken
        mine, theirs, screen = Window(call), Window(other), Window(other, SCREEN)
        for window in (mine, theirs):
            await window.shows_more()
        await until(lambda: call.showing == call.shown == other.showing == other.shown == {CAMERA})
        await call.share_screen(PatternSource())
        await screen.shows_more()
        await theirs.shows_more()
        await until(lambda: other.shown == {CAMERA, SCREEN})
        await call.remove_video()
        await until(lambda: theirs.black)
        await screen.shows_more()
        await until(lambda: other.shown == {SCREEN})
        media = call.security.media
        assert media is not None
        assert (media.candidates_before_consent, media.packets_before_gate) == (0, 0)
        assert [video.content for video in call.stats.video] == ["1", "2"]
        await call.hangup()
        await other.wait_closed()
        assert call.failure is None
        assert other.failure is None
        assert all(window.closed for window in (mine, theirs, screen))


async def test_a_camera_joins_a_call_of_voices_and_nobody_answers_with_one(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        taken = answered_by(bob)
        call = await alice.call(bob.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        other = await taken
        mine, theirs = Window(call), Window(other)
        await other.add_video(PatternSource())
        await mine.shows_more()
        await until(lambda: not call.showing and call.shown == {CAMERA})
        await call.hold()
        await asyncio.sleep(0.2)
        held = mine.shown
        await asyncio.sleep(0.3)
        assert mine.shown <= held + 1
        await call.hold(False)
        await mine.shows_more()
        await call.add_video(PatternSource())
        await theirs.shows_more()
        await call.hangup()
        await other.wait_closed()
        assert other.failure is None
