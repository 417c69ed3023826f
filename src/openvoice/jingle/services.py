"""The STUN and TURN servers that the own server names (XEP-0215)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from xml.etree.ElementTree import Element, SubElement

from openvoice.core.address import Address
from openvoice.jingle import namespaces as ns
from openvoice.ports import RelayServer

MAXIMUM_SERVICES = 32
MAXIMUM_FIELD = 512
"""Characters of a host name, a user name, a password."""

_TRANSPORTS = {("stun", "udp"): "udp", ("turn", "udp"): "udp", ("turn", "tcp"): "tcp", ("turns", "tcp"): "tls"}
"""(type, transport) of the services that can be used -> ``RelayServer.transport``."""
_DEFAULT_TRANSPORTS = {"stun": "udp", "turn": "udp", "turns": "tcp"}
_ACTIONS = {"add": True, "modify": True, "remove": False, "delete": False}
"""XEP-0215 says ``remove`` in its text and ``delete`` in its example."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """What can be used at once, and what can be used once its credentials were asked for."""

    relays: tuple[RelayServer, ...] = ()
    without_credentials: tuple[RelayServer, ...] = ()


def credentials_request(relay: RelayServer) -> Element:
    """The payload of the IQ ``get`` for the credentials of one relay (XEP-0215, 3.3)."""
    element = Element(ns.qualified(ns.EXTERNAL_SERVICES, "credentials"))
    kind = "turns" if relay.transport == "tls" else relay.kind
    service = SubElement(element, ns.qualified(ns.EXTERNAL_SERVICES, "service"), type=kind, host=relay.host)
    service.set("port", str(relay.port))
    return element


def parse_services(element: Element, now: float) -> Services:
    """Read a ``services`` or ``credentials`` element; what cannot be used is left out.

    ``now`` is Unix time: credentials that are void by then count as missing.
    """
    found = [relay for _, relay in _services(element)]
    return Services(
        relays=tuple(relay for relay in found if _usable(relay, now)),
        without_credentials=tuple(relay for relay in found if not _usable(relay, now)),
    )


def apply_push(
    relays: tuple[RelayServer, ...], element: Element, *, sender: Address, own: Address, now: float
) -> tuple[RelayServer, ...] | None:
    """The relays after a push (XEP-0215, 3.2), or ``None`` if ``sender`` is not the own server."""
    if sender not in (Address("", own.domain), own.bare):
        return None
    known = {(relay.kind, relay.host, relay.port, relay.transport): relay for relay in relays}
    for stays, relay in _services(element):
        known.pop((relay.kind, relay.host, relay.port, relay.transport), None)
        if stays and _usable(relay, now):
            known[relay.kind, relay.host, relay.port, relay.transport] = relay
    return tuple(known.values())


def _usable(relay: RelayServer, now: float) -> bool:
    if relay.kind == "stun":
        return True
    return relay.password is not None and (relay.expires is None or relay.expires > now)


def _services(element: Element) -> list[tuple[bool, RelayServer]]:
    """(whether it stays, the service) of each that can be read."""
    services = element.findall(ns.qualified(ns.EXTERNAL_SERVICES, "service"))[:MAXIMUM_SERVICES]
    return [
        (_ACTIONS.get(service.get("action", "add"), False), relay)
        for service in services
        if (relay := _relay(service)) is not None
    ]


def _relay(service: Element) -> RelayServer | None:
    kind, host = service.get("type", ""), service.get("host", "")
    transport = _TRANSPORTS.get((kind, service.get("transport") or _DEFAULT_TRANSPORTS.get(kind, "")))
    port = service.get("port") or ("5349" if kind == "turns" else "3478")
    username, password = service.get("username"), service.get("password")
    fields = (host, username or "", password or "")
    if transport is None or not host or any(len(text) > MAXIMUM_FIELD for text in fields):
        return None
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and 0 < int(port) < 65536):
        return None
    complete = bool(username and password)
    return RelayServer(
        kind="stun" if kind == "stun" else "turn",
        host=host,
        port=int(port),
        transport=transport,
        username=username if complete else None,
        password=password if complete else None,
        expires=_expiry(service.get("expires", "")),
    )


def _expiry(text: str) -> float | None:
    """Unix time of a XEP-0082 date; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.timestamp() if moment.tzinfo else datetime.fromisoformat(f"{text}Z").timestamp()
    except (ValueError, OverflowError):
        return None
