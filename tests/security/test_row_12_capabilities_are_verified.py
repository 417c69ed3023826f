"""Row 12: a lie about capabilities, told under the hash of somebody else's client (XEP-0115, 8)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest

from openvoice import Client, PeerUnavailable
from openvoice.jingle import capabilities as calls
from openvoice.signalling.xmpp import capabilities
from openvoice.signalling.xmpp.adapter import XmppSignalling
from openvoice.signalling.xmpp.reception import OWN_FEATURES

from .attacker import SOON, Attacker
from .scene import Scene, rings

pytestmark = pytest.mark.live


def lie(attacker: Attacker, *, hash_of: frozenset[str], answer: frozenset[str]) -> None:
    """Announce the hash of some features, and name others when asked."""
    reception = attacker.connection._reception

    def inform(item: Element, node: str | None) -> None:
        reception._reply(item, capabilities.information(answer, node))

    reception._inform = inform  # type: ignore[method-assign]
    attacker.connection._announcement = lambda: capabilities.announcement(hash_of)  # type: ignore[method-assign]


GENUINE = OWN_FEATURES.union(calls.FEATURES)


async def test_a_lie_hides_nobody_else(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "bob", "mallory"))
    mallory = cast.attacker("mallory")
    lie(mallory, hash_of=GENUINE, answer=OWN_FEATURES)
    async with cast.client("alice") as alice, mallory, cast.client("bob") as bob:
        await sees(alice, mallory, bob)
        with pytest.raises(PeerUnavailable):
            await alice.call(mallory.address.bare)
        ringing = rings(bob)
        await alice.call(bob.address.bare)
        assert (await asyncio.wait_for(ringing, SOON)).peer == alice.address


async def test_a_lie_is_asked_again_and_gives_nobody_else_calls(scene: Callable[..., Scene]) -> None:
    """Under the hash of a client without calls: the friend who has that client is still known for what it is."""
    cast = scene(friends=("alice", "bob", "mallory"))
    mallory, bob = cast.attacker("mallory"), cast.attacker("bob")
    lie(mallory, hash_of=OWN_FEATURES, answer=GENUINE)
    lie(bob, hash_of=OWN_FEATURES, answer=OWN_FEATURES)
    async with cast.client("alice") as alice, mallory, bob:
        await sees(alice, mallory, bob)
        await (await alice.call(mallory.address.bare)).hangup()
        with pytest.raises(PeerUnavailable):
            await alice.call(bob.address.bare)


async def sees(client: Client, *others: Attacker | Client) -> None:
    """Wait until ``client`` knows that the others are online."""
    assert isinstance(client._signalling, XmppSignalling)
    async with asyncio.timeout(SOON):
        while not all(  # noqa: ASYNC110 - presence has no event here
            client._signalling._connection.presence_of(other.address) for other in others
        ):
            await asyncio.sleep(0.01)
