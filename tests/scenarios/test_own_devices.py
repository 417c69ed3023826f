"""Several devices of one person, and a device that was away: carbons and the archive of a real server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from openvoice import Account, Call, CallState, Client, NoAnswer, Policy
from openvoice.core.types import Origin
from openvoice.server.prosody import Prosody
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import MemoryCallStore

from .answering import answered_by

pytestmark = pytest.mark.live

SOON = 10.0


def another_device(prosody: Prosody, of: Client, store: MemoryCallStore | None = None) -> Client:
    """One more client of the same account."""
    name = of.address.local
    return Client(
        Account(
            address=of.address.bare,
            password=prosody.accounts[name],
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        ),
        interfaces=(prosody.host,),
        store=store,
    )


def take_together(phone: Client, laptop: Client, answer: Callable[[Call], Awaitable[None]]) -> asyncio.Future[Call]:
    """Have ``phone`` answer once both ring; gives the call as ``laptop`` sees it."""
    rang: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    @laptop.on_call
    async def ring(call: Call) -> None:
        rang.set_result(call)

    @phone.on_call
    async def answer_when_both_ring(call: Call) -> None:
        await rang
        await answer(call)

    return rang


async def test_all_devices_ring_and_stop_when_one_answers(clients: ClientFactory, prosody: Prosody) -> None:
    async with clients("alice", "bob") as (alice, phone), another_device(prosody, phone) as laptop:
        rang = take_together(phone, laptop, Call.accept)
        call = await alice.call(phone.address.bare)
        await call.wait_for(CallState.ACTIVE, SOON)
        ended = await asyncio.wait_for((await rang).wait_closed(), SOON)
        assert ended.origin is Origin.ELSEWHERE
        assert "another of your devices" in str((await rang).failure)
        assert call.state is CallState.ACTIVE


async def test_one_device_declines_for_all(clients: ClientFactory, prosody: Prosody) -> None:
    async with clients("alice", "bob") as (alice, phone), another_device(prosody, phone) as laptop:
        rang = take_together(phone, laptop, Call.reject)
        call = await alice.call(phone.address.bare)
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert ended.reason.value == "decline"
        elsewhere = await asyncio.wait_for((await rang).wait_closed(), SOON)
        assert elsewhere.origin is Origin.ELSEWHERE


async def test_a_call_that_was_missed_while_away_is_in_the_history(clients: ClientFactory, prosody: Prosody) -> None:
    policies = {"alice": Policy(ring_timeout=0.5)}
    async with clients("alice", "bob", policies=policies) as (alice, bob):
        await bob.__aexit__(None, None, None)
        call = await alice.call(bob.address.bare)
        with pytest.raises(NoAnswer):
            await call.wait_for(CallState.ACTIVE, SOON)
        store = MemoryCallStore()
        later = another_device(prosody, bob, store)
        happenings = later.events()
        async with later, asyncio.timeout(SOON):
            async for happening in happenings:
                assert happening.name != "incoming", "it is over: nobody is there any more"
                if happening.name == "missed":
                    break
        assert store.list(1)[0]["outcome"] == "missed"
        assert store.list(1)[0]["peer"] == str(alice.address.bare)


async def test_a_call_that_still_rings_rings_at_the_device_that_comes_online(
    clients: ClientFactory, prosody: Prosody
) -> None:
    async with clients("alice", "bob") as (alice, bob):
        await bob.__aexit__(None, None, None)
        call = await alice.call(bob.address.bare)
        await asyncio.sleep(0.5)
        later = another_device(prosody, bob)
        answered_by(later)
        async with later:
            await call.wait_for(CallState.ACTIVE, SOON)
