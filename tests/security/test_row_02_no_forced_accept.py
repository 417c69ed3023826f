"""Row 2: the other side cannot answer for this one, nor play its part (``connect``, session-accept from the caller)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Call, CallState, Policy
from openvoice.jingle.model import JingleAction, MessageKind
from tests.jingle import samples

from .attacker import SOON
from .scene import Scene, rings, talk
from .wire import Wire

pytestmark = pytest.mark.live

ANSWER = samples.content(inner=samples.transport(samples.fingerprint(setup="active")))


def states(*calls: Call) -> list[str]:
    return [str(call.state) for call in calls]


async def test_the_caller_cannot_accept_its_own_call(scene: Callable[..., Scene], wire: Wire) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        for said in (MessageKind.ACCEPT, MessageKind.PROCEED):
            mallory.say(said, alice.address, "sid")
        await mallory.ping(alice.address)
        assert states(call) == ["ringing"]
        await call.accept()
        await mallory.hears(MessageKind.PROCEED)
        # Accepted, but not offered: an answer by the one who has to offer is out of order.
        assert await mallory.jingle("session-accept", alice.address, "sid", ANSWER) == "unexpected-request"
        assert states(call) == ["negotiating"]
        assert wire.bound == []
        assert await mallory.jingle("session-initiate", alice.address, "sid", samples.content()) == "result"
        await mallory.is_asked("session-accept")
        for _ in range(2):
            assert await mallory.jingle("session-accept", alice.address, "sid", ANSWER) == "unexpected-request"
        assert states(call) == ["connecting"]
        assert call.security.media is None


async def test_the_called_one_cannot_offer_within_our_call(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        sid = call.id
        # Before it said yes, by whatever road.
        offer = samples.content()
        assert await mallory.jingle("session-initiate", alice.address, sid, offer) != "result"
        assert await mallory.jingle("session-accept", alice.address, sid, ANSWER) != "result"
        assert states(call) == ["proposed"]
        mallory.say(MessageKind.PROCEED, alice.address, sid)
        await mallory.is_asked("session-initiate")
        assert await mallory.jingle("session-initiate", alice.address, sid, offer) != "result"
        assert states(call) == ["negotiating"]


async def test_only_the_first_of_two_devices_gets_the_offer(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as one, cast.attacker("mallory") as other:
        call = await alice.call(one.address.bare)
        await one.hears(MessageKind.PROPOSE)
        await other.hears(MessageKind.PROPOSE)
        for _ in range(2):
            one.say(MessageKind.PROCEED, alice.address, call.id)
        await one.is_asked("session-initiate")
        other.say(MessageKind.PROCEED, alice.address, call.id)
        assert await other.jingle("session-accept", alice.address, call.id, ANSWER) == "item-not-found"
        await other.jingle("session-terminate", alice.address, call.id)
        assert len(one.asked("session-initiate")) == 1
        assert other.asked("session-initiate") == []
        assert other.candidates == []
        assert call.state is CallState.NEGOTIATING


@pytest.mark.parametrize("action", ["connect", "session-connect", "", "SESSION-ACCEPT"])
async def test_an_unknown_action_is_an_error_and_changes_nothing(scene: Callable[..., Scene], action: str) -> None:
    assert action not in set(JingleAction)
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        assert await mallory.jingle(action, alice.address, "sid", ANSWER) == "bad-request"
        assert call.state is CallState.RINGING


async def test_a_second_friend_cannot_end_or_join_a_call(scene: Callable[..., Scene]) -> None:
    """The id of a call is no secret: every device of both people has seen it, and so have the servers."""
    cast = scene(friends=("alice", "bob", "mallory"))
    policy = Policy(maximum_calls=3)
    async with (
        cast.client("alice", policy=policy) as alice,
        cast.client("bob") as bob,
        cast.attacker("mallory") as mallory,
    ):
        call, other = await talk(alice, bob)
        for victim, live in ((alice, call), (bob, other)):
            for kind in (MessageKind.FINISH, MessageKind.RETRACT, MessageKind.REJECT, MessageKind.PROCEED):
                mallory.say(kind, victim.address, live.id)
            for action in ("session-terminate", "session-info", "transport-info", "session-accept", "content-remove"):
                await mallory.jingle(action, victim.address, live.id, "")
        await asyncio.gather(mallory.ping(alice.address), mallory.ping(bob.address))
        assert call.state is other.state is CallState.ACTIVE
