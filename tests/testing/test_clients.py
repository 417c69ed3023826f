from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Audience, Call, CallState, Policy
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import FakeMediaEngine, RecordingSink, ScriptedSource, tone
from openvoice.testing.impairment import Conditions
from openvoice.testing.link import ImpairedLink
from openvoice.testing.nat import Nat

pytestmark = [pytest.mark.live, pytest.mark.network]


async def test_clients_are_online_and_new_each_time(clients: ClientFactory) -> None:
    async with clients("alice", "bob") as (alice, bob):
        first = alice.address.bare, bob.address.bare
        assert alice.address.local.startswith("alice-")
        assert bob.address.local.startswith("bob-")
        assert alice.address.resource
        assert bob.address.resource
    async with clients("alice", "bob") as (alice, bob):
        assert alice.address.bare not in first
        assert bob.address.bare not in first


async def test_policies_and_engines_go_to_who_is_named(clients: ClientFactory) -> None:
    policy = Policy(answer=Audience.ROSTER)
    engine = FakeMediaEngine()
    async with clients("alice", "bob", policies={"bob": policy}, engines={"alice": engine}) as (alice, bob):
        assert bob.policy is policy
        assert alice.policy == Policy()
    assert engine.closed


@pytest.mark.slow
@pytest.mark.parametrize("nat", [Nat.NONE, Nat.PORT_RESTRICTED_CONE, Nat.SYMMETRIC])
async def test_a_call_through_an_impaired_link_feels_it(
    nat: Nat, clients: ClientFactory, impaired_link: Callable[..., ImpairedLink]
) -> None:
    heard = RecordingSink()

    async def answer(call: Call) -> None:
        await call.accept(source=ScriptedSource(tone(frames=3000)), sink=RecordingSink())

    async with impaired_link(nat=nat, up=Conditions(delay=0.03, loss=0.1), down=Conditions(delay=0.03)) as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with clients("alice", "bob", engines={"alice": engine}) as (alice, bob):
            bob.on_call(answer)
            call = await alice.call(bob.address.bare, source=ScriptedSource(tone(frames=3000)), sink=heard)
            await call.wait_for(CallState.ACTIVE, timeout=30)
            async with asyncio.timeout(30):
                while call.stats.round_trip is None or len(heard.frames) < 100 or not call.stats.remote_loss:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert call.stats.round_trip >= 60
            assert link.up.statistics.lost
            assert link.down.statistics.lost == 0
            assert abs(heard.sound).max() > 10_000
