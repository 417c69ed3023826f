"""Row 16: a peer that names a thousand addresses makes neither a port scanner nor an amplifier of this device."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from openvoice import Call, Client
from openvoice.jingle.model import MessageKind
from openvoice.media.ice import CHECK_INTERVAL, MAXIMUM_REMOTE_CANDIDATES
from tests.jingle import samples

from .attacker import SOON, Attacker
from .scene import Scene, rings
from .wire import Wire

pytestmark = pytest.mark.live


def candidate(address: str, port: int, kind: str = "host") -> str:
    return (
        f"<candidate component='1' foundation='{port}' generation='0' id='{address}-{port}' ip='{address}' "
        f"network='0' port='{port}' priority='{port}' protocol='udp' type='{kind}'/>"
    )


async def answered(alice: Client, mallory: Attacker) -> Call:
    """A call of Mallory's that Alice accepts."""
    ringing = rings(alice)
    mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
    call = await asyncio.wait_for(ringing, SOON)
    await call.accept()
    await mallory.hears(MessageKind.PROCEED)
    return call


async def test_a_flood_leads_to_few_packets_to_few_places(scene: Callable[..., Scene], wire: Wire) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        await answered(alice, mallory)
        first = "".join(candidate(f"127.1.{number // 250}.{number % 250 + 1}", 9) for number in range(500))
        offer = samples.content(inner=samples.transport(samples.fingerprint() + first))
        await mallory.jingle("session-initiate", alice.address, "sid", offer)
        for batch in range(20):
            more = "".join(candidate("127.0.0.77", 1000 + 25 * batch + number) for number in range(25))
            await mallory.jingle("transport-info", alice.address, "sid", samples.trickled(more))
        begun = asyncio.get_running_loop().time()
        await asyncio.sleep(1.5)
        took = asyncio.get_running_loop().time() - begun
        relay = {service.port for service in await alice._signalling.relays()}
        checks = [datagram for datagram in wire.sent if datagram.destination[1] not in relay]
        places = Counter(datagram.destination for datagram in checks)
        assert 1 < len(places) <= MAXIMUM_REMOTE_CANDIDATES
        # Each place gets one check and its few retransmissions, never a stream.
        assert max(places.values()) <= 4
        assert len(checks) <= 4 * (took + 5) / CHECK_INTERVAL
        assert sum(len(datagram.data) for datagram in checks) < 60_000


@pytest.mark.parametrize(
    "address",
    ["224.0.0.1", "239.255.255.250", "255.255.255.255", "0.0.0.0", "::ffff:224.0.0.1", "ff02::1", "240.0.0.1"],
)
async def test_no_packet_goes_where_no_peer_can_be(scene: Callable[..., Scene], wire: Wire, address: str) -> None:
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        await answered(alice, mallory)
        places = candidate(address, 9) + candidate(address, 1900, "srflx") + candidate("127.0.0.88", 9)
        offer = samples.content(inner=samples.transport(samples.fingerprint() + places))
        await mallory.jingle("session-initiate", alice.address, "sid", offer)
        await mallory.jingle("transport-info", alice.address, "sid", samples.trickled(candidate(address, 53)))
        await asyncio.sleep(0.4)
        peers = {datagram.destination for datagram in wire.sent if datagram.destination[1] in (9, 53, 1900)}
        assert peers == {("127.0.0.88", 9)}


async def test_names_are_not_looked_up(
    scene: Callable[..., Scene], wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name would make this device ask a DNS server of the peer's choice, and tell it where it is."""
    asked: list[object] = []
    resolve = socket.getaddrinfo

    def note(*question: Any, **more: Any) -> Any:
        asked.append(question)
        return resolve(*question, **more)

    monkeypatch.setattr(socket, "getaddrinfo", note)
    cast = scene(friends=("alice", "mallory"))
    async with cast.client("alice") as alice, cast.attacker("mallory") as mallory:
        await answered(alice, mallory)
        before = len(asked)
        names = candidate("attacker.invalid", 9) + candidate("f3b1.local", 9) + candidate("127.0.0.88", 9)
        offer = samples.content(inner=samples.transport(samples.fingerprint() + names))
        await mallory.jingle("session-initiate", alice.address, "sid", offer)
        await asyncio.sleep(0.4)
        assert [question for question in asked[before:] if "invalid" in str(question) or "local" in str(question)] == []
        assert 53 not in {datagram.destination[1] for datagram in wire.sent}
