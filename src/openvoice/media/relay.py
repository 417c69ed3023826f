"""STUN and TURN servers: what they tell, and how an allocation is let go (RFC 8489, RFC 8656)."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aioice import stun, turn

from openvoice.media.candidates import source_towards
from openvoice.media.guard import GuardedSocket
from openvoice.media.pinning import pin
from openvoice.ports import RelayServer

SERVER_TIMEOUT = 10.0
"""Seconds after which a server is given up. Nothing waits for it meanwhile."""
PERMISSION_REFRESH = 240
"""Seconds. A permission lives 300 (RFC 8656, 9), and a channel binding renews it; aioice by itself renews at 500."""
UNUSABLE = (OSError, ValueError, stun.TransactionError)
"""What the functions here raise when a server is away, misconfigured or unwilling; a timeout is an ``OSError``."""


async def resolve(server: RelayServer, local: str = "") -> tuple[str, int]:
    """The address of a server, of the same family as ``local`` if that is given. Raises one of :data:`UNUSABLE`."""
    family = socket.AF_INET6 if ":" in local else socket.AF_INET if local else socket.AF_UNSPEC
    async with asyncio.timeout(SERVER_TIMEOUT):
        found = await asyncio.get_running_loop().getaddrinfo(
            server.host, server.port, family=family, type=socket.SOCK_DGRAM
        )
    host, port = found[0][4][:2]
    return str(host), int(port)


async def source_address(server: RelayServer) -> str:
    """The local address that packets to a server leave from. Nothing is sent. Raises one of :data:`UNUSABLE`."""
    address, _ = await resolve(server)
    return source_towards(address)


async def mapped_address(address: tuple[str, int], local: GuardedSocket) -> tuple[str, int]:
    """Ask the STUN server at ``address`` how it sees a socket of ours. Raises one of :data:`UNUSABLE`."""
    async with asyncio.timeout(SERVER_TIMEOUT):
        request = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        response, _ = await local.request(request, address)
    mapped: tuple[str, int] | None = response.attributes.get("XOR-MAPPED-ADDRESS")
    if mapped is None:
        raise ConnectionError("the STUN server did not name an address")
    return mapped


async def allocate(
    server: RelayServer,
    make_socket: Callable[[], GuardedSocket],
    ca_file: Path | None = None,
    interface_of: Callable[[str], str] = lambda _: "",
) -> GuardedSocket:
    """Get a relayed address from a TURN server over UDP, TCP or TLS.

    The certificate of TLS must be of an authority of the system, or of one in ``ca_file``: a server with a private
    authority may name a TURN server of its own or one of somebody else's.

    Raises one of :data:`UNUSABLE`.
    """
    async with asyncio.timeout(SERVER_TIMEOUT):
        _, allocation = await turn.create_turn_endpoint(
            make_socket,
            server_addr=(server.host, server.port),
            username=server.username,
            password=server.password,
            channel_refresh_time=PERMISSION_REFRESH,
            ssl=_context(ca_file) if server.transport == "tls" else None,
            transport="udp" if server.transport == "udp" else "tcp",
        )
    client = _client(allocation)
    if client is not None:
        client.error_received = allocation.error_received
        pin(client.transport.get_extra_info("socket"), interface_of(local_address(allocation)))
    return allocation


def local_address(socket: GuardedSocket) -> str:
    """The address of this device that a socket sends from, be it by way of a TURN server."""
    client = _client(socket)
    if client is None:
        return str(socket.local_candidate.host)
    own = client.transport.get_extra_info("sockname")
    return str(own[0]) if own else ""


def _client(socket: GuardedSocket) -> Any:
    """What speaks with the TURN server; ``None`` for a socket without one."""
    transport: Any = socket.transport
    return vars(transport)["_TurnTransport__inner_protocol"] if isinstance(transport, turn.TurnTransport) else None


def _context(ca_file: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(ca_file)
    return context


def abandon(allocation: GuardedSocket) -> None:
    """Let an allocation go at once, without a word to its TURN server: it will expire there by itself."""
    client = _client(allocation)
    if client is None:
        return
    closing: asyncio.Task[None] | None = vars(allocation.transport)["_TurnTransport__close_task"]
    unfinished = {closing, client.refresh_task, *vars(allocation.transport)["_TurnTransport__send_tasks"]} - {None}
    for task in unfinished:
        task.cancel()
    # A task that is cancelled before it began closes nothing.
    client.transport.abort()
