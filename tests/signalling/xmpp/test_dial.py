"""Places where no server is, or another one than was thought, and the way from one to the next."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from openvoice.errors import (
    CertificateRejected,
    HostNotFound,
    InsecureServer,
    LoginRefused,
    ServerUnreachable,
)
from openvoice.server.certificates import CertificateAuthority
from openvoice.signalling.xmpp import dial as dialling
from openvoice.signalling.xmpp.dial import dial
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.trust import OtherWay
from tests.signalling.xmpp.guarded import (
    client,
    good_session,
    upgraded,
)
from tests.signalling.xmpp.scripted import (
    HEADER,
    Peer,
    ScriptedServer,
)

pytestmark = pytest.mark.network


async def test_nothing_answers(ca_file: Path) -> None:
    async with ScriptedServer(good_session) as server:
        address = server.address
    async with client(ca_file) as (guarded, _):
        with pytest.raises(ServerUnreachable, match="nothing answers"):
            await dial(guarded, [Endpoint(*address)])


async def test_no_such_host(ca_file: Path) -> None:
    async with client(ca_file) as (guarded, _):
        with pytest.raises(HostNotFound, match="--server"):
            await guarded.reach(Endpoint("no-such-host.invalid", 5222), Security.UPGRADE, 5, 5)


async def test_a_silent_server_is_given_up(ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.rest(30)

    async with ScriptedServer(script) as server, client(ca_file) as (guarded, _):
        with pytest.raises(ServerUnreachable, match="in time"):
            await guarded.reach(Endpoint(*server.address), Security.UPGRADE, 0.2, 0.2)
        with pytest.raises(OtherWay):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 0.2, 5)


async def test_something_that_is_not_xmpp(ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.rest()

    async with ScriptedServer(script) as server, client(ca_file) as (guarded, _):
        with pytest.raises(InsecureServer):
            await dial(guarded, [Endpoint(*server.address)])


@pytest.mark.parametrize("direct", [True, False])
async def test_dialling_finds_out_how_a_port_speaks_tls(direct: bool, tls: ssl.SSLContext, ca_file: Path) -> None:
    async def plain(peer: Peer) -> None:
        # What Prosody says to a TLS hello on its plain port: an error, and goodbye.
        octets = await peer.reader.readexactly(1)
        if octets == b"\x16":
            await peer.send(HEADER + "<stream:error/></stream:stream>")
            return
        peer.got = octets.decode()
        await upgraded(tls)(peer)

    script = good_session if direct else plain
    async with (
        ScriptedServer(script, context=tls if direct else None) as server,
        client(ca_file) as (guarded, passenger),
    ):
        await dial(guarded, [Endpoint(*server.address)])
        assert passenger.address is not None


async def test_dialling_goes_on_to_the_next_endpoint_but_not_after_a_refused_login(
    tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.scram(password="another")

    async with ScriptedServer(good_session) as gone:
        nothing_there = Endpoint(*gone.address)
    async with (
        ScriptedServer(refusing, context=tls) as refuses,
        ScriptedServer(good_session, context=tls) as good,
        client(ca_file) as (guarded, passenger),
    ):
        with pytest.raises(LoginRefused):
            await dial(guarded, [nothing_there, Endpoint(*refuses.address), Endpoint(*good.address)])
        assert good.connections == 0
        await dial(guarded, [nothing_there, Endpoint(*good.address)])
        assert passenger.address is not None


@contextlib.contextmanager
def black_hole() -> Iterator[tuple[str, int]]:
    """An address that swallows what knocks: its queue is full, and nobody takes from it."""
    with contextlib.ExitStack() as stack:
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            knocking = stack.enter_context(socket.socket())
            knocking.setblocking(False)
            knocking.connect_ex(full.getsockname())
        yield full.getsockname()


async def test_an_address_that_swallows_everything_does_not_hold_up_the_next_one(
    tls: ssl.SSLContext, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As IPv6 does in many networks (RFC 8305)."""
    loop = asyncio.get_running_loop()
    async with ScriptedServer(good_session, context=tls) as good, client(ca_file) as (guarded, passenger):
        with black_hole() as dead:

            async def addresses(*_: object, **__: object) -> list[tuple[object, ...]]:
                return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in (dead, good.address)]

            monkeypatch.setattr(loop, "getaddrinfo", addresses)
            begun = loop.time()
            await guarded.reach(Endpoint("two.example.org", 5223), Security.DIRECT, 5, 5)
        assert loop.time() - begun < 3.0
        assert passenger.address is not None


async def test_a_place_that_swallows_everything_costs_no_more_than_a_handshake(
    tls: ssl.SSLContext, ca_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialling, "HANDSHAKE_TIMEOUT", 0.5)
    loop = asyncio.get_running_loop()
    async with ScriptedServer(good_session, context=tls) as good, client(ca_file) as (guarded, passenger):
        begun = loop.time()
        with black_hole() as dead:
            await dial(guarded, [Endpoint(*dead, (Security.UPGRADE,)), Endpoint(*good.address)])
        assert loop.time() - begun < 5.0
        assert passenger.address is not None


async def test_the_failure_that_came_farthest_is_told(tls: ssl.SSLContext, authority: CertificateAuthority) -> None:
    async with ScriptedServer(good_session) as gone:
        nothing_there = Endpoint(*gone.address)
    async with ScriptedServer(good_session, context=tls) as untrusted, client(None) as (guarded, _):
        with pytest.raises(CertificateRejected):
            await dial(guarded, [nothing_there, Endpoint(*untrusted.address), nothing_there])
