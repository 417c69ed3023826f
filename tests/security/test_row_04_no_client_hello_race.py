"""Row 4: one ClientHello of a stranger, earlier than the peer's, breaks a handshake (EnableSecurity 2024)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator

import pytest

from openvoice import CallState
from openvoice.core.description import SessionDescription
from openvoice.testing.clients import ClientFactory
from tests.media.test_session import client_hello

from .scene import Scene, talk
from .tampering import tampering
from .wire import Kind, Wire

pytestmark = pytest.mark.live


@pytest.fixture
def stranger() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.bind(("127.0.0.1", 0))
        made.setblocking(False)
        yield made


@pytest.mark.parametrize("flood", [1, 200])
async def test_a_call_connects_through_foreign_hellos(
    scene: Callable[..., Scene], wire: Wire, stranger: socket.socket, flood: int
) -> None:
    """They come the moment the ports are known, to both sides, before the peer knows them."""
    hello = client_hello()

    def attack(description: SessionDescription) -> SessionDescription:
        for candidate in description.contents[0].transport.candidates:
            for _ in range(flood):
                stranger.sendto(hello, (candidate.address, candidate.port))
        return description

    cast = scene(friends=("alice", "bob"))
    async with (
        cast.client("alice", signalling=tampering(attack)) as alice,
        cast.client("bob", signalling=tampering(attack)) as bob,
    ):
        await talk(alice, bob)
        # Not even an answer: whoever spoofs the source cannot use this device to send DTLS flights to a victim.
        there = stranger.getsockname()
        attacks = [datagram for datagram in wire.of(Kind.DTLS) if datagram.source == there]
        assert len(attacks) >= 2 * flood
        assert [datagram for datagram in wire.sent if datagram.destination == there] == []


async def test_a_flood_during_the_call_changes_nothing(
    clients: ClientFactory, wire: Wire, stranger: socket.socket
) -> None:
    hello = client_hello()
    async with clients("alice", "bob") as (alice, bob):
        call, other = await talk(alice, bob)
        ports = {datagram.source for datagram in wire.of(Kind.DTLS)}
        assert len(ports) == 2
        for port in ports:
            for _ in range(200):
                stranger.sendto(hello, port)
        heard = (call.stats.packets_received, other.stats.packets_received)
        await asyncio.sleep(1.0)
        assert call.state is other.state is CallState.ACTIVE
        assert call.stats.packets_received > heard[0]
        assert other.stats.packets_received > heard[1]
        assert [datagram for datagram in wire.sent if datagram.destination == stranger.getsockname()] == []
