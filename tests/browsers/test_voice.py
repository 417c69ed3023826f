"""Calls with live browsers: libwebrtc, in sound."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from openvoice import Call, CallState, Declined, EndReason, Policy, Vouching
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.server.turn import Turn
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.fakes import RecordingSink
from openvoice.testing.link import ImpairedLink
from tests.waiting import until, until_so

from .conftest import Meeting
from .meetings import Begin, called, calling, person
from .peer import SOON, WebPeer, chosen_pair, the
from .speech import heard, said

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.asyncio(loop_scope="session")]


BOTH_WAYS = (called, calling)


async def test_speech_arrives_in_both_directions(meeting: Meeting) -> None:
    await asyncio.gather(*(speech(begin, "chromium", meeting) for begin in BOTH_WAYS))


async def test_speech_arrives_in_both_directions_with_firefox(meeting: Meeting) -> None:
    await speech(calling, "firefox", meeting)


async def speech(begin: Begin, browser: str, meeting: Meeting) -> None:
    async with meeting(browser=browser) as (client, web):
        sink = RecordingSink()
        call = await begin(client, web, source=said("alice", 5), sink=sink)
        ours, theirs = await asyncio.gather(heard("bob", lambda: sink.sound), heard("alice", web.heard))
        assert ours.passed, ours
        assert theirs.passed, theirs
        assert call.security.vouching is Vouching.SIGNALLED
        await call.hangup()
        assert (await web.until("terminated"))["condition"] == EndReason.SUCCESS


@pytest.mark.parametrize(("begin", "invited"), [(called, True), (calling, False)])
async def test_the_browser_hangs_up(begin: Begin, invited: bool, meeting: Meeting) -> None:
    """Also one that knows no proposals, as pages built on stanza alone."""
    async with meeting(invited=invited) as (client, web):
        call = await begin(client, web)
        await web.do("hangUp")
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert (ended.reason, ended.origin.value) == (EndReason.SUCCESS, "remote")


async def test_a_page_is_left_without_a_word(meeting: Meeting) -> None:
    async with meeting() as (client, web):
        call = await called(client, web)
        await web.vanish()
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert ended.origin.value == "remote"


async def test_mute_hold_and_keys(meeting: Meeting) -> None:
    async with meeting() as (client, web):
        call = await called(client, web)
        await call.mute()
        await web.until("muted")
        await call.mute(False)
        await web.until("unmuted")
        await call.hold()
        await web.until("held")
        await call.hold(False)
        await web.until("resumed")
        events = call.events()
        await web.do("press", "15#")
        digits = ""
        async with asyncio.timeout(SOON):
            while digits != "15#":
                event = await anext(events)
                digits += event.as_dict()["digit"] if event.name == "digit" else ""


@pytest.mark.parametrize("invited", [True, False])
async def test_the_browser_declines(invited: bool, meeting: Meeting) -> None:
    async with meeting(invited=invited, answer="decline") as (client, web):
        call = await client.call(person(web))
        with pytest.raises(Declined):
            await call.wait_for(CallState.ACTIVE, SOON)


@pytest.mark.parametrize("invited", [True, False])
async def test_the_browser_is_declined(invited: bool, meeting: Meeting) -> None:
    async with meeting(invited=invited) as (client, web):

        @client.on_call
        async def decline(call: Any) -> None:
            await call.reject()

        await web.do("call", str(client.address))
        if invited:
            await web.until("reject")
        else:
            assert (await web.until("terminated"))["condition"] == EndReason.DECLINE


async def test_the_browser_makes_the_path_anew(meeting: Meeting) -> None:
    """By an ICE restart, of which nobody hears."""
    async with meeting() as (client, web):
        call = await calling(client, web)
        fragment = await own_fragment(web)
        await web.do("restart")
        await moved(call, web, fragment)
        assert {"interrupted", "moved"}.isdisjoint(moment.name for moment in call.timeline)


async def test_a_path_that_was_lost_is_made_anew(meeting: Meeting) -> None:
    """By an ICE restart of the side that called, as stanza has it."""
    async with (
        ImpairedLink() as link,
        meeting(engine=EngineBehindLink(ThreadedMediaEngine(), link)) as (client, web),
    ):
        call = await called(client, web)
        fragment = await own_fragment(web)
        link.cut()
        await until(lambda: any(moment.name == "interrupted" for moment in call.timeline), SOON)
        # One that is back at once needs no restart.
        await asyncio.sleep(0.5)
        link.cut(False)
        await moved(call, web, fragment)
        await until(lambda: any(moment.name == "restored" for moment in call.timeline), SOON)


async def own_fragment(web: WebPeer) -> str:
    """The username fragment that the browser's end of the path has now (RFC 8445, 5.3)."""
    _, local, _ = await web.path()
    return str(local["usernameFragment"])


async def moved(call: Call, web: WebPeer, fragment: str) -> None:
    """Wait until sound goes both ways by a path that is not that with ``fragment``."""

    async def is_new() -> bool:
        return await own_fragment(web) != fragment

    await until_so(is_new, SOON)
    before, ours = the(await web.statistics(), "transport"), call.stats

    async def goes() -> bool:
        now = the(await web.statistics(), "transport")
        return bool(now["packetsReceived"] > before["packetsReceived"] + 20)

    await until_so(goes, SOON)
    await until(lambda: call.stats.packets_received > ours.packets_received, SOON)
    assert call.state is CallState.ACTIVE


@pytest.mark.parametrize("whose", ["ours", "theirs"])
async def test_through_a_relay_only(whose: str, meeting: Meeting, turn: Turn) -> None:
    await asyncio.gather(*(relayed(begin, whose == "ours", meeting) for begin in BOTH_WAYS))


async def relayed(begin: Begin, ours: bool, meeting: Meeting) -> None:
    async with meeting(policy=Policy(relay_only=ours), iceTransportPolicy="all" if ours else "relay") as (client, web):
        call = await begin(client, web)
        kinds = ("host", "relay") if ours else ("relay", "host")

        async def is_relayed() -> bool:
            # The check of a relay may arrive before the word that it is one.
            _, local, remote = await web.path()
            return (local["candidateType"], remote["candidateType"]) == kinds

        await until_so(is_relayed, SOON)
        media = call.security.media
        assert media is not None
        assert media.relayed == ours
        assert media.local_candidate == kinds[1]
        assert media.remote_candidate in (kinds[0], "prflx")
        # And nothing else was told.
        told = [
            entry for entry in await web.statistics() if entry["type"] == f"{'remote' if ours else 'local'}-candidate"
        ]
        assert {entry["candidateType"] for entry in told} == {"relay"}


async def test_both_say_the_same_of_a_call(meeting: Meeting) -> None:
    """What ``getStats`` says (https://www.w3.org/TR/webrtc-stats/), and what openvoice says."""
    await asyncio.gather(*(compare(begin, meeting) for begin in BOTH_WAYS))


async def compare(begin: Begin, meeting: Meeting) -> None:
    async with meeting() as (client, web):
        call = await begin(client, web, source=said("alice", 5))

        async def is_reported() -> bool:
            known = any("roundTripTime" in each for each in await web.statistics())
            return known and call.stats.round_trip is not None

        await until_so(is_reported, SOON)
        before = call.stats
        entries = await web.statistics()
        last = call.stats
        await until(lambda: call.stats is not last, SOON)
        after = call.stats
        received, sent = the(entries, "inbound-rtp", kind="audio"), the(entries, "outbound-rtp", kind="audio")
        on_its_way = 5
        assert before.packets_sent - on_its_way <= received["packetsReceived"] <= after.packets_sent
        assert before.packets_received <= sent["packetsSent"] <= after.packets_received + on_its_way
        assert received["bytesReceived"] / received["packetsReceived"] == pytest.approx(
            after.bytes_sent / after.packets_sent, rel=0.02
        )
        assert sent["bytesSent"] / sent["packetsSent"] == pytest.approx(
            after.bytes_received / after.packets_received, rel=0.1
        )
        codecs = [the(entries, "codec", id=stream["codecId"])["mimeType"] for stream in (received, sent)]
        assert codecs == [f"audio/{after.codec}"] * 2
        assert received["packetsLost"] == after.remote_loss == after.loss == 0
        trips = the(entries, "remote-inbound-rtp")["roundTripTime"] * 1000, after.round_trip
        assert max(trips) < 200, trips
        media, transport = call.security.media, the(entries, "transport")
        assert media is not None
        assert transport["dtlsState"] == "connected"
        assert {"DTLSv1.2": "FEFD"}[media.dtls_version] == transport["tlsVersion"]
        assert words(media.dtls_cipher) == words(transport["dtlsCipher"])
        assert words(media.srtp_profile) == words(transport["srtpCipher"])
        own = the(entries, "certificate", id=transport["localCertificateId"])
        assert (own["fingerprintAlgorithm"], octets(own["fingerprint"])) == (
            media.remote_fingerprint.algorithm,
            media.remote_fingerprint.digest,
        )
        # Of ours Chromium has no entry where it began the handshake. Connected is who has the key that was signalled.
        told = re.findall(r"a=fingerprint:(\S+) (\S+)", (await web.do("descriptions"))["remote"])
        assert [(name, octets(text)) for name, text in told] == [
            (media.local_fingerprint.algorithm, media.local_fingerprint.digest)
        ]
        _, local, remote = chosen_pair(entries)
        assert (local["candidateType"], remote["candidateType"]) == (media.remote_candidate, media.local_candidate)
        assert (local["address"], remote["address"]) == (media.remote_address, media.local_address)


def octets(fingerprint: str) -> bytes:
    return bytes.fromhex(fingerprint.replace(":", ""))


def words(name: str) -> set[str]:
    """What a name of a cipher says, in the spelling of OpenSSL or of IANA."""
    parted = name.upper().replace("-", "_").replace("AES_", "AES").split("_")
    return set(parted) - {"TLS", "WITH", "HMAC"}


@pytest.mark.parametrize("policy", ["balanced", "max-bundle", "max-compat"])
async def test_a_call_with_a_camera_is_taken_without(policy: str, meeting: Meeting) -> None:
    """However its sound and its pictures share a way: in a bundle Chromium drops sound whose source it was not told."""
    async with meeting(bundlePolicy=policy, pictures={}) as (client, web):
        call = await calling(client, web, source=said("alice", 5))

        async def is_heard() -> bool:
            there = [
                each.get("totalAudioEnergy", 0) for each in await web.statistics() if each["type"] == "inbound-rtp"
            ]
            return sum(there) > 0.001 and call.stats.level_received > -50

        await until_so(is_heard, SOON)
        await call.hangup()
