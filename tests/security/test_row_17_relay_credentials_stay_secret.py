"""Row 17: credentials of the relay, and a relay as a door to somewhere else (ES2021-01)."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from openvoice import CallState, Policy
from openvoice.jingle.model import MessageKind
from openvoice.server.turn import Turn
from openvoice.testing.clients import ClientFactory

from .scene import Scene, talk
from .wire import Wire

pytestmark = pytest.mark.live


async def test_nobody_but_the_relay_learns_them(
    clients: ClientFactory, turn: Turn, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    relayed = Policy(relay_only=True)
    async with clients("alice", "bob", policies={"alice": relayed, "bob": relayed}) as (alice, bob):
        call, _ = await talk(alice, bob)
        services = [*await alice._signalling.relays(), *await bob._signalling.relays()]
        assert call.state is CallState.ACTIVE
        assert call.security.media is not None
        assert call.security.media.relayed
    secrets = {service.password for service in services} - {None}
    assert secrets
    logged = "\n".join(record.getMessage() for record in caplog.records)
    sent = b"".join(datagram.data for datagram in wire.sent)
    for secret in secrets:
        assert secret is not None
        assert secret not in logged
        assert secret.encode() not in sent
    for service in services:
        if service.password:
            assert service.password not in repr(service)
            assert service.expires is None or service.expires < time.time() + 24 * 3600
    assert {datagram.destination[0] for datagram in wire.sent} <= {turn.host}


async def test_the_peer_is_told_addresses_and_never_how_to_use_the_relay(
    scene: Callable[..., Scene], turn: Turn
) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice", policy=Policy(relay_only=True)) as alice, cast.attacker("mallory") as mallory:
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.PROCEED, alice.address, call.id)
        await mallory.is_asked("session-initiate")
        told = "".join(ElementTree.tostring(heard, "unicode") for heard in (*mallory.requests, *mallory.messages))
        for service in await alice._signalling.relays():
            for secret in (service.username, service.password):
                assert secret is None or secret not in told


async def test_only_the_own_server_names_servers(scene: Callable[..., Scene], wire: Wire) -> None:
    """A push of a friend (XEP-0215, 3.3) would send all packets of all calls past a relay of the friend's choice."""
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        before = await alice._signalling.relays()
        push = ElementTree.fromstring(
            "<services xmlns='urn:xmpp:extdisco:2'><service action='add' type='turn' host='127.0.0.66' port='6666' "
            "transport='udp' username='u' password='p'/></services>"
        )
        assert await mallory.ask(push, alice.address) == "service-unavailable"
        assert await alice._signalling.relays() == before
        call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.PROCEED, alice.address, call.id)
        await mallory.is_asked("session-initiate")
        assert "127.0.0.66" not in {datagram.destination[0] for datagram in wire.sent}
