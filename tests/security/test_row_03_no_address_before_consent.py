"""Row 3: ICE tells strangers where somebody is, before that person has said yes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from openvoice import Address, CallState, Policy
from openvoice.jingle.model import MessageKind
from tests.jingle import samples
from tests.waiting import until

from .attacker import SOON
from .scene import Scene, rings
from .wire import Wire

pytestmark = pytest.mark.live

CHECKED = samples.content(inner=samples.transport(samples.fingerprint() + samples.CANDIDATE))


async def test_a_stranger_learns_no_more_than_from_a_device_that_is_off(
    scene: Callable[..., Scene], wire: Wire
) -> None:
    cast = scene(friends=("alice",), strangers=("eve",))
    async with cast.client("alice") as alice, cast.attacker("eve") as eve:
        rang = rings(alice)
        absent = Address.parse(f"{alice.address.bare}/nobody-has-this-device")
        # Also with the full address, which a stranger cannot know.
        for action in ("session-initiate", "session-accept", "session-info", "session-terminate", "transport-info"):
            offer = CHECKED if action.startswith("session-") else samples.trickled(samples.CANDIDATE)
            here = await eve.jingle(action, alice.address, "sid", offer)
            assert here == await eve.jingle(action, absent, "sid", offer) == "service-unavailable"
        for kind in MessageKind:
            eve.say(kind, alice.address.bare, f"sid-{kind}")
            eve.say(kind, alice.address, f"sid-{kind}")
        for query in ("http://jabber.org/protocol/disco#info", "jabber:iq:version", "urn:xmpp:time"):
            payload = ElementTree.fromstring(f"<query xmlns='{query}'/>")
            assert await eve.ask(payload, alice.address, "get") == "service-unavailable"
        await eve.ping(alice.address)
        assert eve.messages == eve.requests == []
        assert eve.connection.presence_of(alice.address) == ()
        assert not rang.done()
        assert (wire.sent, wire.bound) == ([], [])


async def test_a_friend_learns_addresses_only_by_the_yes(scene: Callable[..., Scene], wire: Wire) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        for end in (MessageKind.RETRACT, None):
            ringing = rings(alice)
            sid = f"sid-{end}"
            mallory.say(MessageKind.PROPOSE, alice.address.bare, sid)
            call = await asyncio.wait_for(ringing, SOON)
            await mallory.hears(MessageKind.RINGING)
            if end is None:
                await call.reject()
            else:
                mallory.say(end, alice.address.bare, sid)
            await asyncio.wait_for(call.wait_closed(), SOON)
        await mallory.hears(MessageKind.REJECT)
        assert mallory.candidates == []
        assert (wire.sent, wire.bound) == ([], [])


async def test_a_called_one_learns_addresses_only_by_its_own_yes(scene: Callable[..., Scene], wire: Wire) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.RINGING, alice.address, call.id)
        await call.wait_for(CallState.RINGING, SOON)
        assert mallory.candidates == []
        assert (wire.sent, wire.bound) == ([], [])
        mallory.say(MessageKind.PROCEED, alice.address, call.id)
        await mallory.is_asked("session-initiate")
        assert mallory.candidates


@pytest.mark.parametrize("known", [True, False], ids=["relay-only", "stranger"])
async def test_relay_only_tells_relays_alone(scene: Callable[..., Scene], wire: Wire, known: bool) -> None:
    """Whom the user wrote ``relay_only`` for, and, without a word of the user, whoever is in no contact list."""
    cast = scene(friends=("alice", "mallory")) if known else scene(friends=("alice",), strangers=("mallory",))
    policy = Policy(relay_only=known)
    async with cast.client("alice", policy=policy) as alice, cast.attacker("mallory") as mallory:
        services = await alice._signalling.relays()
        if not services:
            pytest.skip("turnserver is not installed: install it with 'sudo apt-get install coturn'")
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.PROCEED, alice.address, call.id)
        offer = await mallory.is_asked("session-initiate")
        address = "<candidate component='1' foundation='1' generation='0' id='a' ip='127.0.0.1' network='0' "
        there = address + "port='9' priority='100' protocol='udp' type='host'/>"
        answer = samples.content(inner=samples.transport(samples.fingerprint(setup="active") + there))
        assert offer.get("sid") == call.id
        assert await mallory.jingle("session-accept", alice.address, call.id, answer) == "result"
        await until(lambda: mallory.candidates, SOON)
        await asyncio.sleep(0.5)
        assert {candidate.get("type") for candidate in mallory.candidates} == {"relay"}
        assert {candidate.get("rel-addr") for candidate in mallory.candidates} <= {None, "0.0.0.0"}
        # Not one packet goes from this device to the peer: all go to the servers that the own server named.
        assert {datagram.destination[1] for datagram in wire.sent} <= {service.port for service in services}
