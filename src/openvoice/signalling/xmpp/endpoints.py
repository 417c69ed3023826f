"""Where a server is: SRV records (RFC 6120, 3.2; XEP-0368), or what the user said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum

from slixmpp.xmlstream.resolver import default_resolver, get_SRV

DEFAULT_PORT = 5222

Lookup = Callable[[str, str], Awaitable[list[tuple[str, int]]]]
"""Of a service (``xmpps-client``) and a domain: the hosts and ports, the first to be tried first."""


class Security(Enum):
    """When TLS begins."""

    DIRECT = "direct TLS"
    UPGRADE = "STARTTLS"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A place to connect to, and the ways to try there, in this order."""

    host: str
    port: int
    ways: tuple[Security, ...] = (Security.DIRECT, Security.UPGRADE)


async def find_endpoints(domain: str, server: tuple[str, int] | None, lookup: Lookup | None = None) -> list[Endpoint]:
    """All places where the server of ``domain`` may be, the first to be tried first. Direct TLS goes before STARTTLS:
    somebody on the way can then change nothing at all unnoticed.

    ``server`` is the user's word, and the only place if given.
    """
    if server is not None:
        return [Endpoint(*server)]
    look = lookup or srv_lookup
    direct, upgrade = await asyncio.gather(look("xmpps-client", domain), look("xmpp-client", domain))
    found = [Endpoint(host, port, (Security.DIRECT,)) for host, port in direct]
    found += [Endpoint(host, port, (Security.UPGRADE,)) for host, port in upgrade]
    return found or [Endpoint(domain, DEFAULT_PORT, (Security.UPGRADE, Security.DIRECT))]


async def srv_lookup(service: str, domain: str) -> list[tuple[str, int]]:
    """Ask the DNS, in the order of RFC 2782. Empty without records, and for the record that says "not here"."""
    loop = asyncio.get_running_loop()
    records = await get_SRV(domain, DEFAULT_PORT, [service], resolver=default_resolver(loop))
    return [(host, port) for _, host, port in records if host]
