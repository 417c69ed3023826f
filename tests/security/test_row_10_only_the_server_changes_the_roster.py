"""Row 10: roster pushes and presence of others do not make friends, nor unmake them (RFC 6121, 2.1.6)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from openvoice import Address
from openvoice.jingle.model import MessageKind
from openvoice.signalling.xmpp.elements import stanza

from .attacker import SOON, Attacker
from .scene import Scene, rings

pytestmark = pytest.mark.live


def push(person: Address, subscription: str) -> ElementTree.Element:
    item = f"<item jid='{person.bare}' subscription='{subscription}'/>"
    return ElementTree.fromstring(f"<query xmlns='jabber:iq:roster'>{item}</query>")


async def test_a_stranger_cannot_push_itself_onto_the_roster(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice",), strangers=("eve",))
    async with cast.client("alice") as alice, cast.attacker("eve") as eve:
        rang = rings(alice)
        for to in (alice.address, alice.address.bare):
            for subscription in ("both", "from", "to", "none"):
                assert await eve.ask(push(eve.address, subscription), to) != "result"
        eve.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await eve.ping(alice.address)
        assert not rang.done()
        assert eve.messages == []


async def test_a_friend_cannot_take_another_off_the_roster(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "bob", "mallory"))
    async with (
        cast.client("alice") as alice,
        cast.attacker("bob") as bob,
        cast.attacker("mallory") as mallory,
    ):
        assert await mallory.ask(push(bob.address, "remove"), alice.address) == "service-unavailable"
        ringing = rings(alice)
        bob.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        assert call.peer == bob.address


async def test_presence_makes_no_friends_and_tells_no_more_than_that_of_somebody_offline(
    scene: Callable[..., Scene],
) -> None:
    cast = scene(friends=("alice", "offline"), strangers=("eve",))
    offline = cast.account("offline").address
    async with cast.client("alice") as alice, cast.attacker("eve") as eve:
        rang = rings(alice)
        seen = presences(eve)
        for person in (alice.address.bare, offline):
            eve.connection.send_presence(person)
            for kind in ("subscribe", "subscribed", "probe"):
                eve.connection._session.send(stanza("presence", to=str(person), kind=kind))
        eve.connection.send_presence(alice.address)
        eve.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await eve.ping(alice.address)
        assert not rang.done()
        of_alice, of_nobody = ([kind for kind, sender in seen if sender == p] for p in (alice.address.bare, offline))
        assert of_alice == of_nobody
        assert eve.connection.presence_of(alice.address) == ()


def presences(attacker: Attacker) -> list[tuple[str | None, Address]]:
    """The types of the presence that the attacker gets, and whose it is."""
    seen: list[tuple[str | None, Address]] = []
    contacts = attacker.connection._contacts
    update = contacts.update_presence

    def note(presence: ElementTree.Element, sender: Address) -> None:
        seen.append((presence.get("type"), sender.bare))
        update(presence, sender)

    contacts.update_presence = note  # type: ignore[method-assign]
    return seen
