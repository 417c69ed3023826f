"""A guarded client at a scripted server, and what becomes of it."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import (
    ConnectionFailed,
)
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.trust import client_context
from tests.signalling.xmpp.scripted import (
    ALICE,
    PASSWORD,
    Peer,
    Script,
    ScriptedServer,
)

MESSAGE = "<message from='bob@openvoice.test' to='alice@openvoice.test'><body>forged</body></message>"


class Passenger:
    """Takes what comes, and remembers it."""

    def __init__(self) -> None:
        self.taken: list[Element] = []
        self.given: list[Element] = []
        self.address: Address | None = None
        self.arrived = asyncio.Event()

    async def resume(self, features: Element) -> bool:
        return False

    async def begin(self, features: Element, address: Address) -> None:
        self.address = address

    def take(self, item: Element) -> bool:
        if item.tag.endswith("iq"):
            return False
        self.taken.append(item)
        self.arrived.set()
        return True

    def give(self, item: Element) -> None:
        self.given.append(item)
        self.arrived.set()


@contextlib.asynccontextmanager
async def client(ca_file: Path | None) -> AsyncIterator[tuple[GuardedClient, Passenger]]:
    passenger = Passenger()
    guarded = GuardedClient(ALICE, client_context(ca_file), PASSWORD, passenger)
    try:
        yield guarded, passenger
    finally:
        await guarded.close(0.02)


async def attempt(server: ScriptedServer, ca_file: Path | None, way: Security, timeout: float = 5.0) -> Passenger:
    async with client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), way, timeout, timeout)
        assert passenger.address is not None
        return passenger


async def good_session(peer: Peer) -> None:
    await peer.scram()
    await peer.bind()
    await peer.rest()


def upgraded(context: ssl.SSLContext) -> Script:
    async def script(peer: Peer) -> None:
        await peer.start_tls(context)
        await good_session(peer)

    return script


async def outcome(guarded: GuardedClient, server: ScriptedServer) -> ConnectionFailed:
    """How it ends, be it before or after the session is known to have begun."""
    try:
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
    except ConnectionFailed as error:
        return error
    async with asyncio.timeout(10):
        return await guarded.lost()


async def after_login(tls: ssl.SSLContext, ca_file: Path, *octets: bytes) -> tuple[ConnectionFailed, Passenger]:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        for part in octets:
            await peer.send(part)
        assert "not-well-formed" not in await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        return await outcome(guarded, server), passenger
