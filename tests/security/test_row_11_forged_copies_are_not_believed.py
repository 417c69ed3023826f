"""Row 11: carbons and archive results of others (CVE-2017-5589 and its family, CVE-2019-16235, CVE-2020-26547)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Address, CallState
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import MessageKind
from tests.jingle import samples

from .attacker import SOON, Attacker
from .scene import Scene, rings

pytestmark = pytest.mark.live

WRAPPERS = (
    "<sent xmlns='urn:xmpp:carbons:2'>{}</sent>",
    "<received xmlns='urn:xmpp:carbons:2'>{}</received>",
    "<sent xmlns='urn:xmpp:carbons:1'>{}</sent>",
    "<result xmlns='urn:xmpp:mam:2' id='1' queryid='1'>{}</result>",
    "<delegation xmlns='urn:xmpp:delegation:1'>{}</delegation>",
    "{}",
)


def forge(attacker: Attacker, victim: Address, kind: MessageKind, sid: str, *, sender: Address, to: Address) -> None:
    """Every kind of copy of a message that ``sender`` never sent, to the victim's account and to its device."""
    media = samples.VOICE if kind is MessageKind.PROPOSE else ""
    said = f"<{kind} xmlns='{ns.JINGLE_MESSAGE}' id='{sid}'>{media}</{kind}>"
    inner = f"<message xmlns='jabber:client' from='{sender}' to='{to}' type='chat'>{said}</message>"
    for wrapper in WRAPPERS:
        copy = wrapper.format(f"<forwarded xmlns='urn:xmpp:forward:0'>{inner}</forwarded>")
        for place in (victim, victim.bare):
            attacker.send(f"<message xmlns='jabber:client' to='{place}' type='chat'>{copy}</message>")


async def test_it_rings_on_whatever_other_devices_are_said_to_have_done(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "bob", "mallory"), strangers=("eve",))
    async with (
        cast.client("alice") as alice,
        cast.attacker("bob") as bob,
        cast.attacker("mallory") as mallory,
        cast.attacker("eve") as eve,
    ):
        ringing = rings(alice)
        bob.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        own_phone = Address.parse(f"{alice.address.bare}/phone")
        for attacker in (mallory, eve):
            for kind in (MessageKind.ACCEPT, MessageKind.REJECT, MessageKind.PROCEED):
                forge(attacker, alice.address, kind, "sid", sender=own_phone, to=alice.address.bare)
                forge(attacker, alice.address, kind, "sid", sender=own_phone, to=bob.address)
            for kind in (MessageKind.RETRACT, MessageKind.FINISH):
                forge(attacker, alice.address, kind, "sid", sender=bob.address, to=alice.address.bare)
            await attacker.ping(alice.address)
        assert call.state is CallState.RINGING
        assert set(bob.said) == {MessageKind.RINGING}


async def test_no_copy_starts_or_answers_a_call(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "bob", "mallory"), strangers=("eve",))
    async with (
        cast.client("alice") as alice,
        cast.attacker("bob") as bob,
        cast.attacker("mallory") as mallory,
        cast.attacker("eve") as eve,
    ):
        call = await alice.call(bob.address.bare)
        await bob.hears(MessageKind.PROPOSE)
        for attacker in (mallory, eve):
            for kind in (MessageKind.PROCEED, MessageKind.RINGING, MessageKind.REJECT):
                forge(attacker, alice.address, kind, call.id, sender=bob.address, to=alice.address)
                forge(attacker, alice.address, kind, call.id, sender=attacker.address, to=alice.address)
            await attacker.ping(alice.address)
        assert call.state is CallState.PROPOSED
        assert bob.requests == mallory.requests == eve.requests == []
        await call.hangup()

        rang = rings(alice)
        missed = alice.events()
        for attacker in (mallory, eve):
            forge(attacker, alice.address, MessageKind.PROPOSE, "new", sender=bob.address, to=alice.address.bare)
            await attacker.ping(alice.address)
        assert not rang.done()
        await alice._signalling.close()
        alice._happenings.close()
        assert [happening.name async for happening in missed] == []


async def test_the_true_copy_of_the_own_device_is_believed(scene: Callable[..., Scene]) -> None:
    """The other half: were all copies dropped, the tests above would prove nothing."""
    cast = scene(friends=("alice", "bob"))
    async with (
        cast.client("alice") as alice,
        cast.attacker("alice") as phone,
        cast.attacker("bob") as bob,
    ):
        ringing = rings(alice)
        bob.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        call = await asyncio.wait_for(ringing, SOON)
        phone.say(MessageKind.PROCEED, bob.address, "sid")
        ended = await asyncio.wait_for(call.wait_closed(), SOON)
        assert ended.origin.value == "elsewhere"
