"""What stands between this device and a login, step by step, for a person who looks for the fault."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from openvoice.core.address import Address
from openvoice.core.security import SignallingFacts
from openvoice.jingle.services import parse_services
from openvoice.ports import RelayServer
from openvoice.signalling.xmpp.authentication import Password
from openvoice.signalling.xmpp.dial import dial
from openvoice.signalling.xmpp.endpoints import Endpoint, Lookup, find_endpoints
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.namespaces import ARCHIVE, CARBONS
from openvoice.signalling.xmpp.trust import client_context
from openvoice.signalling.xmpp.visit import visit


@dataclass(frozen=True, slots=True)
class EndpointsFound:
    """The names are known: where the server may be, in the order in which it is tried."""

    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class ChannelSecured:
    """Something answered there, with a certificate that proves it to be the server."""

    facts: SignallingFacts


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Name and password are right, and the server proved that it knows them too."""

    facts: SignallingFacts
    address: Address


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerExamined:
    """What the server has that calls are the better for."""

    relays: tuple[RelayServer, ...]
    """The STUN and TURN servers that it names (XEP-0215)."""
    archive: bool
    """Missed calls are known after a time offline (XEP-0313)."""
    carbons: bool
    """Other devices stop ringing when one answers (XEP-0280)."""


Step = EndpointsFound | ChannelSecured | LoggedIn | ServerExamined


async def probe(
    account: Address,
    password: Password | None = None,
    *,
    server: tuple[str, int] | None = None,
    ca_file: Path | None = None,
    lookup: Lookup | None = None,
) -> AsyncIterator[Step]:
    """Go as far as it goes: one step is given for each thing that works, and the first that does not raises.

    Without ``password`` the login and what follows are left out.

    Raises:
        ConnectionFailed: what is wrong, in words for a person.
    """
    endpoints = await find_endpoints(account.domain, server, lookup)
    yield EndpointsFound(tuple(endpoints))
    client = GuardedClient(account, client_context(ca_file))
    try:
        await dial(client, endpoints)
    finally:
        await client.close(1.0)
    assert client.facts is not None, "secured without facts"
    yield ChannelSecured(client.facts)
    if password is None:
        return
    async with visit(account, password, server=server, ca_file=ca_file, lookup=lookup) as connection:
        assert connection.facts is not None, "open without facts"
        yield LoggedIn(connection.facts, connection.address)
        services = await connection.services()
        yield ServerExamined(
            relays=() if services is None else parse_services(services, time.time()).relays,
            archive=ARCHIVE in connection.features,
            carbons=CARBONS in connection.features,
        )
