"""Row 8: spoofed STUN neither moves, splits nor ends a call, and this device is no mirror for it (RFC 7675)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from itertools import product

import pytest
from aioice import stun

from openvoice import Call, CallState, Client
from openvoice.testing.clients import ClientFactory

from .scene import talk
from .wire import Endpoint, Kind, Wire

pytestmark = pytest.mark.live

KEYS = (None, b"", b"password", b"a guess of twenty-four c")


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        yield made


def forged(kind: stun.Class, username: str, key: bytes | None, transaction: bytes) -> stun.Message:
    """A check, an answer or a role conflict, of somebody who saw a check pass by but does not know the password."""
    message = stun.Message(stun.Method.BINDING, kind, transaction)
    if kind is stun.Class.REQUEST:
        message.attributes["USERNAME"] = username
        message.attributes["PRIORITY"] = 2**31 - 1
        message.attributes["ICE-CONTROLLING"] = 2**64 - 1
        message.attributes["USE-CANDIDATE"] = None
    elif kind is stun.Class.RESPONSE:
        message.attributes["XOR-MAPPED-ADDRESS"] = ("127.0.0.66", 6666)
    else:
        message.attributes["ERROR-CODE"] = (487, "Role Conflict")
    if key is not None:
        message.add_message_integrity(key)
        message.add_fingerprint()
    return message


async def storm(wire: Wire, stranger: socket.socket) -> int:
    """Send every kind of forgery to every port of the call; how many octets that were."""
    seen = [(datagram, stun.parse_message(datagram.data)) for datagram in wire.of(Kind.STUN)]
    # Requests without a name are for the STUN server.
    requests = [(datagram, message) for datagram, message in seen if "USERNAME" in message.attributes]
    assert requests
    octets = 0
    for (datagram, request), kind, key in product(requests[:20], stun.Class, KEYS):
        message = forged(kind, request.attributes["USERNAME"], key, request.transaction_id)
        for victim in (datagram.source, datagram.destination):
            octets += stranger.sendto(bytes(message), victim)
    await asyncio.sleep(0.5)
    return octets


def path(client: Client, call: Call) -> tuple[Endpoint, bool]:
    """Where packets go, and the ICE role."""
    media = client._drivers[call.id]._media._media  # type: ignore[union-attr]
    agent = media._voice_transport._agent
    return agent.selected_pair.remote_addr, agent.ice_controlling


async def test_a_storm_of_forgeries_changes_nothing(
    clients: ClientFactory, wire: Wire, stranger: socket.socket
) -> None:
    async with clients("alice", "bob") as (alice, bob):
        call, other = await talk(alice, bob)
        before = path(alice, call), path(bob, other)
        octets = await storm(wire, stranger)
        heard = (call.stats.packets_received, other.stats.packets_received)
        await asyncio.sleep(0.7)
        assert call.state is other.state is CallState.ACTIVE
        assert (path(alice, call), path(bob, other)) == before
        assert call.stats.packets_received > heard[0]
        assert other.stats.packets_received > heard[1]
        mirrored = [d for d in wire.sent if d.destination == stranger.getsockname()]
        assert {d.kind for d in mirrored} <= {Kind.STUN}
        assert sum(len(d.data) for d in mirrored) <= octets, "what comes back must not be more than what was sent"


async def test_transactions_cannot_be_guessed(clients: ClientFactory, wire: Wire) -> None:
    async with clients("alice", "bob") as (alice, bob):
        await talk(alice, bob)
    ids = {stun.parse_message(datagram.data).transaction_id for datagram in wire.of(Kind.STUN)}
    assert len(ids) > 1
    assert all(len(identifier) == 12 and len(set(identifier)) > 4 for identifier in ids)
