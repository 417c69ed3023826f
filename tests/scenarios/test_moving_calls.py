"""Whole calls that lose their path: ICE restarts, or the call moves, and neither user does anything."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from openvoice import Account, Call, CallState, Client, temporary_keys
from openvoice.core import events
from openvoice.core.remedies import Renewal
from openvoice.core.types import EndReason
from openvoice.jingle.peers import PeerProfile, Restarts
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.server.prosody import Prosody
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import RecordingSink, ScriptedSource, tone
from openvoice.testing.link import ImpairedLink
from tests.signalling.xmpp.scripted import Relay
from tests.waiting import until

from .answering import answered_by

pytestmark = [pytest.mark.live, pytest.mark.network, pytest.mark.slow]

SOON = 20.0
LONG = 3000


@pytest.fixture
async def server() -> AsyncIterator[Prosody]:
    """Without a relay: over TCP that would be a way around the links of these tests."""
    async with Prosody() as running:
        yield running


def named(call: Call) -> list[str]:
    return [moment.name for moment in call.timeline]


def speaking() -> ScriptedSource:
    return ScriptedSource(tone(frames=LONG))


@asynccontextmanager
async def in_a_call(alice: Client, bob: Client) -> AsyncIterator[tuple[Call, Call]]:
    taken = answered_by(bob, source=speaking(), sink=RecordingSink())
    call = await alice.call(bob.address.bare, source=speaking(), sink=RecordingSink())
    other = await asyncio.wait_for(taken, SOON)
    await asyncio.gather(call.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
    yield call, other
    assert {call.state, other.state} == {CallState.ACTIVE}
    await call.hangup()
    await other.wait_closed()
    assert call.ended is not None
    assert call.ended.reason is EndReason.SUCCESS


async def did(call: Call, name: str) -> None:
    """Wait until it is in the timeline."""
    await until(lambda: name in named(call), SOON)


def hears(call: Call) -> Callable[[], bool]:
    """Whether more is heard than now."""
    before = call.stats.packets_received
    return lambda: call.stats.packets_received > before + 50


async def test_a_path_that_is_lost_for_a_moment_is_restarted(
    server: Prosody, impaired_link: Callable[..., ImpairedLink]
) -> None:
    async with impaired_link() as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with (
            ClientFactory(server)("alice", "bob", engines={"alice": engine}) as (alice, bob),
            in_a_call(alice, bob) as sides,
        ):
            link.cut()
            for side in sides:
                await did(side, "interrupted")
            link.cut(False)
            for side in sides:
                await did(side, "restored")
                assert "ice-restart" in named(side)
                assert "moved" not in named(side)
            await asyncio.gather(*(until(hears(side), SOON) for side in sides))


async def test_a_call_moves_where_no_restart_is_understood(
    monkeypatch: pytest.MonkeyPatch, server: Prosody, impaired_link: Callable[..., ImpairedLink]
) -> None:
    """As with Monal. Both sides notice at once, so that one of their proposals gives way."""
    monkeypatch.setattr(
        "openvoice.jingle.peers._PROFILES",
        (("openvoice", PeerProfile(restarts=Restarts.NOBODY, renewal=Renewal.SILENT)),),
    )
    async with impaired_link() as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with (
            ClientFactory(server)("alice", "bob", engines={"alice": engine}) as (alice, bob),
            in_a_call(alice, bob) as sides,
        ):
            happened = [alice.events(), bob.events()]
            link.cut()
            for side in sides:
                await did(side, "moved")
            link.cut(False)
            for client, side in zip(happened, sides, strict=True):
                await side.wait_for(CallState.ACTIVE, SOON)
                told = []
                async for happening in client:
                    if happening.event is not None and not isinstance(happening.event, events.StatisticsMeasured):
                        told.append(happening.name)
                    if happening.name == "restored":
                        break
                assert [name for name in told if name != "words-failed"][-3:] == ["moved", "secured", "restored"]
                assert named(side).count("gate-opened") == 2
                assert any("The call moved once" in finding.text for finding in side.security.findings)
            await asyncio.gather(*(until(hears(side), SOON) for side in sides))


async def test_a_restart_waits_for_the_own_stream(server: Prosody, impaired_link: Callable[..., ImpairedLink]) -> None:
    """The whole network of one side is gone for some seconds, and comes back."""
    names = [f"{name}-{secrets.token_hex(4)}" for name in ("alice", "bob")]
    for name in names:
        server.add_account(name, secrets.token_urlsafe())
    server.acquaint(*names)

    def client(name: str, at: tuple[str, int], engine: EngineBehindLink | None = None) -> Client:
        account = Account(
            address=server.address(name), password=server.accounts[name], server=at, ca_file=server.ca_file
        )
        return Client(account, engine=engine, interfaces=(server.host,), keys=temporary_keys())

    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(impaired_link())
        relay = await stack.enter_async_context(Relay((server.host, server.port)))
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        alice = await stack.enter_async_context(client(names[0], relay.address, engine))
        bob = await stack.enter_async_context(client(names[1], (server.host, server.port)))
        call, other = await stack.enter_async_context(in_a_call(alice, bob))
        connection = alice.events()
        link.cut()
        relay.freeze()
        alice._network_changed()
        await did(call, "interrupted")
        async for happening in connection:
            if happening.name == "offline":
                break
        await asyncio.sleep(3.0)
        assert call.state is other.state is CallState.ACTIVE
        link.cut(False)
        relay.thaw()
        alice._network_changed()
        for side in (call, other):
            await did(side, "restored")
            await until(hears(side), SOON)
