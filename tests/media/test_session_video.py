"""Calls with pictures between two media sessions on loopback: contents that come and go beside the voice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from openvoice.core import inputs
from openvoice.core.description import Media, Senders
from openvoice.core.types import VideoLabel
from openvoice.media.transport import MediaTransport
from tests.media.peers import hears
from tests.media.video.pairs import BLACK, GREY, Change, VideoPair, Viewer, sees, unbundled, unchanged
from tests.waiting import until

pytestmark = pytest.mark.network

CAMERA, SCREEN = VideoLabel.CAMERA, VideoLabel.SCREEN


@pytest.fixture
async def pair() -> AsyncIterator[VideoPair]:
    made = VideoPair()
    yield made
    await made.close()


def transport_of(viewer: Viewer, name: str) -> MediaTransport:
    return viewer.side.media._transports[name]


def failures(viewer: Viewer) -> list[inputs.ContentsFailed]:
    return [message for message in viewer.side.said if isinstance(message, inputs.ContentsFailed)]


async def talks_on(pair: VideoPair) -> None:
    """The voice goes on both ways."""
    for viewer in pair.viewers:
        await hears(viewer.side, viewer.side.media.statistics().packets_received + 10)
        assert not viewer.side.has_said(inputs.MediaFailed)


# --- from the beginning -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", [unchanged, unbundled])
async def test_both_see_each_other(pair: VideoPair, change: Change) -> None:
    """On one transport, and on one for each content where the peer knows nothing of bundles."""
    await pair.connect(change_answer=change, change_offer=change)
    for viewer in pair.viewers:
        assert len(viewer.side.media._transports.distinct) == (1 if change is unchanged else 2)
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await sees(viewer)
        (video,) = viewer.side.media.statistics().video
        assert (video.content, video.label) == ("1", CAMERA)
        assert video.sent.codec == video.received.codec == "VP8"
        assert video.sent.frames > 0
        assert video.received.frames_decoded > 0
        assert video.received.lost == 0
        assert transport_of(viewer, "1").packets_before_gate == 0
    await talks_on(pair)


async def test_an_answer_without_pictures_of_its_own_receives_them(pair: VideoPair) -> None:
    await pair.connect(answered=False)
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    assert pair.callee.feeds == []
    assert CAMERA not in pair.caller.screens


async def test_an_answer_that_leaves_the_pictures_out_is_a_call_without_them(pair: VideoPair) -> None:
    def without(description: object) -> object:
        return replace(description, contents=description.contents[:1], bundle=("0",))  # type: ignore

    await pair.connect(change_answer=without)  # type: ignore[arg-type]
    assert pair.caller.side.media._transports.names == ("0",)
    assert pair.caller.side.media.statistics().video == ()
    await talks_on(pair)


async def test_no_camera_exists_before_the_gate_and_none_that_nobody_shows(pair: VideoPair) -> None:
    await pair.caller.side.media.show(CAMERA, "1")
    pair.pair.flow = lambda: asyncio.sleep(0)  # type: ignore[method-assign]
    await pair.connect()
    for viewer in pair.viewers:
        await viewer.side.says(inputs.MediaSecured)
        await viewer.side.says(inputs.MediaFlowing)
    await asyncio.sleep(0.1)
    assert pair.caller.feeds == []
    for viewer in pair.viewers:
        await viewer.side.media.open_gate()
    await sees(pair.callee)
    assert [label for label, _ in pair.caller.feeds] == [CAMERA]
    assert pair.callee.feeds == []


# --- in the middle ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bundle", [True, False])
async def test_pictures_are_added_in_the_middle_by_either_side(pair: VideoPair, bundle: bool) -> None:
    change = unchanged if bundle else unbundled
    await pair.connect(offered=False, change_offer=change, change_answer=change)
    for adder, name in ((pair.callee, "1"), (pair.caller, "2")):
        await pair.add(adder, name, bundle=bundle)
        for viewer in pair.viewers:
            assert len(viewer.side.media._transports.distinct) == (1 if bundle else int(name) + 1)
            await viewer.side.media.show(CAMERA, name)
            screen = viewer.screens.pop(CAMERA, None)
            if screen is not None:
                viewer.screens.clear()
        for viewer in pair.viewers:
            await sees(viewer)
            assert failures(viewer) == []
    await talks_on(pair)


async def test_a_camera_and_a_screen_are_seen_at_once(pair: VideoPair) -> None:
    await pair.connect()
    await pair.add(pair.caller, "2", SCREEN)
    assert pair.caller.local is not None
    assert pair.caller.local.contents[2].category == "slides"
    await pair.caller.side.media.show(CAMERA, "1")
    await pair.caller.side.media.show(SCREEN, "2")
    await sees(pair.callee, CAMERA)
    await sees(pair.callee, SCREEN, GREY + 64)
    assert [video.label for video in pair.callee.side.media.statistics().video] == [CAMERA, SCREEN]


async def test_a_screen_takes_the_place_of_the_camera(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.caller.side.media.show(SCREEN, "1")
    await sees(pair.callee, CAMERA, GREY + 64)
    assert pair.caller.feeds[0][1]._deliver is None


async def test_what_is_hidden_is_black_and_its_device_let_go(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.caller.side.media.show(CAMERA, None)
    await sees(pair.callee, CAMERA, BLACK)
    assert pair.caller.feeds[0][1]._deliver is None
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    assert len(pair.caller.feeds) == 2


async def test_pictures_that_are_removed_are_let_go_and_can_be_added_again(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    await pair.change(lambda content: content if content.media is Media.AUDIO else None)
    await until(lambda: pair.caller.feeds[0][1]._deliver is None and pair.callee.screens[CAMERA].closed)
    assert pair.caller.side.media.statistics().video == ()
    pair.callee.screens.clear()
    await pair.add(pair.callee)
    # What the user wanted shown is shown again where it was.
    await sees(pair.callee)
    await talks_on(pair)


async def test_who_may_send_changes_in_the_middle(pair: VideoPair) -> None:
    await pair.connect()
    await pair.caller.side.media.show(CAMERA, "1")
    await sees(pair.callee)
    for senders, brightness in ((Senders.RESPONDER, BLACK), (Senders.BOTH, GREY)):
        await pair.change(lambda c: c if c.media is Media.AUDIO else replace(c, senders=senders))  # noqa: B023
        await sees(pair.callee, CAMERA, brightness)
        assert (pair.caller.feeds[-1][1]._deliver is None) is (senders is Senders.RESPONDER)
    await pair.callee.side.media.show(CAMERA, "1")
    await sees(pair.caller)


async def test_hold_lets_the_camera_go_and_hides_what_comes(pair: VideoPair) -> None:
    await pair.connect()
    for viewer in pair.viewers:
        await viewer.side.media.show(CAMERA, "1")
    for viewer in pair.viewers:
        await sees(viewer)
    await pair.caller.side.media.set_held(True)
    await until(lambda: pair.caller.feeds[0][1]._deliver is None)
    await sees(pair.callee, CAMERA, BLACK)
    shown = pair.caller.screens[CAMERA].shown
    await asyncio.sleep(0.2)
    assert pair.caller.screens[CAMERA].shown <= shown + 1
    await pair.caller.side.media.set_held(False)
    await sees(pair.callee)
    await until(lambda: pair.caller.screens[CAMERA].shown > shown + 3)
