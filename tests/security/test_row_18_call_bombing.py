"""Row 18: thousands of calls, of strangers or of a friend: one trace, little work, and true calls come through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Client, Happening
from openvoice.core.policy import Policy, Screening
from openvoice.jingle.model import MessageKind
from openvoice.jingle.screening import CALLS_OF_A_CONTACT, CALLS_OF_STRANGERS
from openvoice.testing.fakes import MemoryCallStore
from tests.waiting import until

from .attacker import SOON
from .scene import Scene, rings

BOMBS = 1000


class CountingPolicy(Policy):
    """Counts how often it is bothered."""

    __slots__ = ()
    asked: list[object] = []  # noqa: RUF012 - one for the test

    def screen(self, *question: object, **more: object) -> Screening:
        self.asked.append(question)
        return super().screen(*question, **more)  # type: ignore[arg-type]


@pytest.fixture
def policy() -> CountingPolicy:
    CountingPolicy.asked.clear()
    return CountingPolicy()


@pytest.mark.live
@pytest.mark.slow
async def test_a_thousand_calls_of_strangers(scene: Callable[..., Scene], policy: CountingPolicy) -> None:
    cast = scene(friends=("alice", "bob"), strangers=("eve", "mallory"))
    store = MemoryCallStore()
    async with (
        cast.client("alice", policy=policy, store=store) as alice,
        cast.attacker("eve") as eve,
        cast.attacker("mallory") as mallory,
        cast.attacker("bob") as bob,
    ):
        heard: list[Happening] = []
        listening = asyncio.ensure_future(collect(alice, heard))
        rang = rings(alice)
        for number in range(BOMBS // 2):
            eve.say(MessageKind.PROPOSE, alice.address.bare, f"sid-{number}")
            mallory.say(MessageKind.PROPOSE, alice.address, f"sid-{number}")
        await asyncio.gather(eve.ping(alice.address), mallory.ping(alice.address))
        assert not rang.done()
        assert eve.messages == mallory.messages == []
        assert [(happening.name, happening.details["outcome"]) for happening in heard] == [("missed", "missed")]
        assert len(store.list(100)) == 1
        assert len(policy.asked) == CALLS_OF_STRANGERS
        bob.say(MessageKind.PROPOSE, alice.address.bare, "true")
        assert (await asyncio.wait_for(rang, SOON)).peer == bob.address
        listening.cancel()


@pytest.mark.live
@pytest.mark.slow
async def test_a_friend_who_went_mad(scene: Callable[..., Scene], policy: CountingPolicy) -> None:
    """Each call is retracted before the next, so that each would ring."""
    cast = scene(friends=("alice", "mallory", "bob"))
    async with (
        cast.client("alice", policy=policy) as alice,
        cast.attacker("mallory") as mallory,
        cast.attacker("bob") as bob,
    ):
        heard: list[Happening] = []
        listening = asyncio.ensure_future(collect(alice, heard))
        for number in range(BOMBS // 2):
            mallory.say(MessageKind.PROPOSE, alice.address.bare, f"sid-{number}")
            mallory.say(MessageKind.RETRACT, alice.address.bare, f"sid-{number}")
        await mallory.ping(alice.address)
        await until(lambda: not alice.calls, SOON)
        names = [happening.name for happening in heard]
        assert names.count("incoming") <= CALLS_OF_A_CONTACT
        assert len(names) <= 3 * CALLS_OF_A_CONTACT
        assert len(policy.asked) == CALLS_OF_A_CONTACT
        ringing = rings(alice)
        bob.say(MessageKind.PROPOSE, alice.address.bare, "true")
        assert (await asyncio.wait_for(ringing, SOON)).peer == bob.address
        listening.cancel()


async def collect(client: Client, into: list[Happening]) -> None:
    async for happening in client.events():
        into.append(happening)  # noqa: PERF401 - it is read while it grows
