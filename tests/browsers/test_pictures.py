"""Calls with live browsers: libwebrtc, in pictures."""

from __future__ import annotations

import asyncio

import pytest

from openvoice import Call, CallState, EndReason, TestPattern, VideoLabel
from openvoice.core.statistics import VideoStatistics
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.fakes import RecordingSink
from openvoice.testing.impairment import Conditions
from openvoice.testing.link import ImpairedLink
from tests.waiting import until, until_so

from .conftest import Meeting
from .meetings import Begin, called, calling
from .peer import SOON, WebPeer, the
from .pictures import STRIPES, Slides, dark_at_the_page, seen_by_the_page, sees_the_page
from .speech import heard, said

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.asyncio(loop_scope="session")]

TOGETHER = 150
"""Milliseconds. Chromium takes some seconds to bring them nearer, and a busy machine lets it wait with the sound."""
MODE_0 = {"mimeType": "video/H264", "fmtp": "packetization-mode=0;profile-level-id=42e01f"}
MODE_1 = {"mimeType": "video/H264", "fmtp": "packetization-mode=1;profile-level-id=42e01f"}


async def see_each_other(call: Call, web: WebPeer) -> None:
    await asyncio.gather(seen_by_the_page(web), sees_the_page(call))


async def camera_of(call: Call) -> VideoStatistics:
    await until(lambda: call.stats.video, SOON)
    (found,) = [each for each in call.stats.video if each.label is VideoLabel.CAMERA]
    return found


@pytest.mark.parametrize(("begin", "browser"), [(called, "chromium"), (calling, "chromium"), (called, "firefox")])
async def test_pictures_and_speech_go_both_ways(begin: Begin, browser: str, meeting: Meeting) -> None:
    async with meeting(browser=browser, pictures={}) as (client, web):
        sink = RecordingSink()
        call = await begin(client, web, source=said("alice", 5), sink=sink, video=TestPattern())
        _, ours, theirs = await asyncio.gather(
            see_each_other(call, web), heard("bob", lambda: sink.sound), heard("alice", web.heard)
        )
        assert ours.passed, ours
        assert theirs.passed, theirs
        assert call.shown == call.showing == {VideoLabel.CAMERA}
        if browser == "chromium":
            await shown_with_the_voice(web)
        await call.hangup()
        assert (await web.until("terminated"))["condition"] == EndReason.SUCCESS


async def shown_with_the_voice(web: WebPeer) -> None:
    """Wait until the browser plays sound and pictures of about the same moment, by the clock of our sender reports."""

    async def is_together() -> bool:
        known = [each for each in await web.statistics() if "estimatedPlayoutTimestamp" in each]
        played = [each["estimatedPlayoutTimestamp"] for each in known]
        return len(played) == 2 and bool(abs(played[0] - played[1]) < TOGETHER)

    await until_so(is_together, SOON)


@pytest.mark.parametrize(
    ("begin", "codec"),
    [
        (calling, MODE_1),
        (calling, MODE_0),
        (called, MODE_1),
        (calling, {"mimeType": "video/VP9", "fmtp": "profile-id=0"}),
        (calling, {"mimeType": "video/AV1", "fmtp": "profile=0"}),
    ],
)
async def test_each_codec(begin: Begin, codec: dict[str, str], meeting: Meeting) -> None:
    async with meeting(pictures={}, codecs=[codec]) as (client, web):
        call = await begin(client, web, video=TestPattern())
        await see_each_other(call, web)
        entries = await web.statistics()
        # Who answers says what it wants to get, and sends what the offer has first.
        for direction in ("inbound-rtp", "outbound-rtp") if begin is calling else ("inbound-rtp",):
            used = the(entries, "codec", id=the(entries, direction, kind="video")["codecId"])
            assert used["mimeType"] == codec["mimeType"]
            assert codec["fmtp"] in used.get("sdpFmtpLine", "")
        await call.hangup()


@pytest.mark.parametrize("policy", ["balanced", "max-bundle", "max-compat"])
async def test_however_sound_and_pictures_share_a_way(policy: str, meeting: Meeting) -> None:
    async with meeting(pictures={}, bundlePolicy=policy) as (client, web):
        call = await calling(client, web, video=TestPattern())
        await see_each_other(call, web)
        await web.do("hangUp")
        assert (await asyncio.wait_for(call.wait_closed(), SOON)).reason is EndReason.SUCCESS


@pytest.mark.parametrize("begin", [called, calling])
async def test_both_say_the_same_of_pictures(begin: Begin, meeting: Meeting) -> None:
    async with meeting(pictures={}) as (client, web):
        call = await begin(client, web, video=TestPattern())
        await see_each_other(call, web)
        before = await camera_of(call)
        entries = await web.statistics()
        last = call.stats
        await until(lambda: call.stats is not last, SOON)
        after = await camera_of(call)
        received, sent = the(entries, "inbound-rtp", kind="video"), the(entries, "outbound-rtp", kind="video")
        on_its_way = 3
        assert before.sent.frames - on_its_way <= received["framesReceived"] <= after.sent.frames
        assert before.received.frames <= sent["framesSent"] <= after.received.frames + on_its_way
        assert (received["frameWidth"], received["frameHeight"]) in {
            (each.sent.width, each.sent.height) for each in (before, after)
        }
        assert (sent["frameWidth"], sent["frameHeight"]) == (after.received.width, after.received.height)
        codecs = [the(entries, "codec", id=stream["codecId"])["mimeType"].lower() for stream in (received, sent)]
        assert codecs == [f"video/{each.lower()}" for each in (after.sent.codec, after.received.codec)]
        # Whole pictures are asked for only when something is missing.
        assert received["pliCount"] <= 2
        assert sent["pliCount"] <= 2
        # What tells how much the path takes.
        assert after.sent.available > 0
        descriptions = await web.do("descriptions")
        for side in descriptions.values():
            for agreed in ("transport-cc", "nack pli", "a=ssrc-group:FID", "rtx/90000"):
                assert agreed in side.partition("m=video")[2], agreed


async def test_what_is_lost_is_sent_again(meeting: Meeting) -> None:
    """Asked for by NACK (RFC 4585) and repeated by RTX (RFC 4588), both ways."""
    bad = Conditions(loss=0.1, delay=0.01)
    async with (
        ImpairedLink(up=bad, down=bad, seed=1) as link,
        meeting(engine=EngineBehindLink(ThreadedMediaEngine(), link), pictures={}) as (client, web),
    ):
        call = await calling(client, web, video=TestPattern())
        await see_each_other(call, web)

        async def is_repaired() -> bool:
            entries, ours = await web.statistics(), await camera_of(call)
            received, sent = the(entries, "inbound-rtp", kind="video"), the(entries, "outbound-rtp", kind="video")
            return bool(
                received["nackCount"]
                and received.get("retransmittedPacketsReceived")
                and sent["nackCount"]
                and sent["retransmittedPacketsSent"]
                and ours.sent.retransmitted
                and ours.received.recovered
            )

        await until_so(is_repaired, SOON)


async def test_whole_pictures_are_asked_for(meeting: Meeting) -> None:
    """By openvoice when too much is lost, by the browser when its page wants one (RFC 4585, 6.3.1)."""
    async with (
        ImpairedLink() as link,
        meeting(engine=EngineBehindLink(ThreadedMediaEngine(), link), pictures={}, asks=True) as (client, web),
    ):
        call = await calling(client, web, video=TestPattern())
        await see_each_other(call, web)
        before = await web.statistics()

        async def is_begun_anew(kind: str, key_frames: str) -> bool:
            then, now = (the(entries, kind, kind="video") for entries in (before, await web.statistics()))
            return bool(now["pliCount"] > then["pliCount"] and now[key_frames] > then[key_frames])

        await web.do("askForWhole")
        await until_so(lambda: is_begun_anew("inbound-rtp", "keyFramesDecoded"), SOON)
        await until(lambda: call.stats.video[0].sent.plis, SOON)
        link.down.conditions = Conditions(loss=0.7)
        await until_so(lambda: is_begun_anew("outbound-rtp", "keyFramesEncoded"), SOON)
        link.change(Conditions())
        await see_each_other(call, web)


async def test_the_browser_shows_its_camera_and_leaves_off(meeting: Meeting) -> None:
    async with meeting(pictures={}) as (client, web):
        call = await called(client, web, video=TestPattern())
        await see_each_other(call, web)
        await web.do("show", False)
        await until(lambda: not call.shown, SOON)
        await web.do("show", True)
        await until(lambda: call.shown == {VideoLabel.CAMERA}, SOON)
        await see_each_other(call, web)
        # Its camera is gone, without a word.
        await web.do("endCamera")
        await asyncio.sleep(1.0)
        await seen_by_the_page(web)
        assert call.state is CallState.ACTIVE


async def test_openvoice_shows_its_camera_and_leaves_off(meeting: Meeting) -> None:
    """The last that the browser sees is no face that stays there, but black."""
    async with meeting(pictures={}) as (client, web):
        call = await calling(client, web, video=TestPattern())
        await see_each_other(call, web)
        await call.remove_video()
        await dark_at_the_page(web)
        await web.until("muted")
        await sees_the_page(call)
        await call.add_video()
        await web.until("unmuted")
        await see_each_other(call, web)


async def test_the_screen_takes_the_place_of_the_camera(meeting: Meeting) -> None:
    """With a client that takes no screen besides."""
    async with meeting(pictures={}) as (client, web), Slides() as slides:
        call = await calling(client, web, video=TestPattern())
        await seen_by_the_page(web)
        await call.share_screen(slides)
        await seen_by_the_page(web, STRIPES)
        await call.stop_screen()
        await see_each_other(call, web)


async def test_a_client_that_takes_no_additions(meeting: Meeting) -> None:
    """As stanza refuses them all."""
    async with meeting() as (client, web):
        call = await called(client, web)
        happenings = call.events()
        await call.add_video(TestPattern())
        async with asyncio.timeout(SOON):
            async for event in happenings:
                if event.name == "video-refused":
                    break
        assert call.showing == frozenset()
        assert call.state is CallState.ACTIVE


async def test_pictures_are_added_to_a_call(meeting: Meeting) -> None:
    async with meeting(additions=True) as (client, web):
        call = await called(client, web)
        await call.add_video(TestPattern())
        await web.until("content-add")
        await seen_by_the_page(web)
        await call.remove_video()
        await dark_at_the_page(web)
        await call.add_video()
        await seen_by_the_page(web)


async def test_the_browser_adds_pictures_to_a_call(meeting: Meeting) -> None:
    async with meeting(additions=True) as (client, web):
        call = await called(client, web)
        await web.do("addCamera")
        await web.until("content-accept")
        await sees_the_page(call)
        await call.add_video(TestPattern())
        await see_each_other(call, web)
