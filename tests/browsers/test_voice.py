"""Calls with live browsers: libwebrtc, in sound."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from openvoice import Call, CallState, Client, EndReason, Vouching
from openvoice.core.address import Address
from openvoice.testing.fakes import RecordingSink
from tests.scenarios.answering import answered_by

from .conftest import Meeting
from .peer import SOON, WebPeer
from .speech import heard, said

pytestmark = [pytest.mark.live, pytest.mark.once, pytest.mark.asyncio(loop_scope="session")]


async def called_by(client: Client, web: WebPeer, **how: Any) -> Call:
    """An active call from ``client``."""
    call = await client.call(Address.parse(web.device).bare, **how)
    await call.wait_for(CallState.ACTIVE, SOON)
    return call


async def calling(client: Client, web: WebPeer, **how: Any) -> Call:
    """An active call from the browser."""
    taken = answered_by(client, **how)
    await web.do("call", str(client.address.bare))
    call = await asyncio.wait_for(taken, SOON)
    await call.wait_for(CallState.ACTIVE, SOON)
    return call


@pytest.mark.parametrize("begin", [called_by, calling])
async def test_speech_arrives_in_both_directions(begin: Any, meeting: Meeting) -> None:
    async with meeting() as (client, web):
        sink = RecordingSink()
        call = await begin(client, web, source=said("alice", 5), sink=sink)
        ours, theirs = await asyncio.gather(heard("bob", lambda: sink.sound), heard("alice", web.heard))
        assert ours.passed, ours
        assert theirs.passed, theirs
        assert call.security.vouching is Vouching.SIGNALLED
        await call.hangup()
        assert (await web.until("terminated"))["condition"] == EndReason.SUCCESS


async def test_the_browser_hangs_up(meeting: Meeting) -> None:
    async with meeting() as (client, web):
        call = await called_by(client, web)
        await web.do("hangUp")
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert (ended.reason, ended.origin.value) == (EndReason.SUCCESS, "remote")
