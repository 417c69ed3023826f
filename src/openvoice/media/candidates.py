"""ICE candidates: which local addresses are offered, which remote ones are believed, how they rank (RFC 8445, 5.1)."""

from __future__ import annotations

import hashlib
import ipaddress
import socket
from collections.abc import Sequence

import aioice
from aioice.candidate import candidate_priority
from aioice.ice import get_host_addresses

from openvoice.core.description import Candidate, CandidateType
from openvoice.core.networks import NOBODY

LOCAL_PREFERENCE = 65535
"""Of the best address of a type; each further one ranks one lower (RFC 8445, 5.1.2.1)."""

_HIDDEN = {4: ("0.0.0.0", 9), 6: ("::", 9)}  # noqa: S104
"""A related address that tells nothing (RFC 8839, 5.1)."""


def local_addresses(interfaces: Sequence[str]) -> tuple[str, ...]:
    """The addresses to gather on, the preferred first.

    ``interfaces`` are taken as they are. Without them it is every address of the machine that a peer could reach:
    loopback, link-local and the like are left out, and the families alternate, IPv6 first (RFC 8421, 4). In each family
    the address that the system itself prefers comes first.
    """
    if interfaces:
        return tuple(interfaces)
    reachable = [ipaddress.ip_address(address) for address in get_host_addresses(use_ipv4=True, use_ipv6=True)]
    usable = [a for a in reachable if not (a.is_loopback or a.is_link_local or a.is_multicast or a.is_unspecified)]
    rank = {4: 0, 6: 0}
    ordered = []
    preferred = {source_of_default(4), source_of_default(6)}
    for address in sorted(usable, key=lambda address: str(address) not in preferred):
        ordered.append((rank[address.version], -address.version, str(address)))
        rank[address.version] += 1
    return tuple(text for _, _, text in sorted(ordered))


def source_towards(remote: str) -> str:
    """The local address that packets to ``remote`` leave from. Nothing is sent. Raises ``OSError``: there is none."""
    with socket.socket(socket.AF_INET6 if ":" in remote else socket.AF_INET, socket.SOCK_DGRAM) as unused:
        unused.connect((remote, 9))
        return str(unused.getsockname()[0])


def source_of_default(version: int) -> str:
    """The local address that packets to the rest of the world leave from; empty if nothing leads there."""
    try:
        return source_towards(NOBODY[version])
    except OSError:
        return ""


def bindable(address: str) -> bool:
    """Whether an address is of this machine now."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as unused:
        try:
            unused.bind((address, 0))
        except OSError:
            return False
        return True


def on_loopback(addresses: Sequence[str]) -> bool:
    """Whether a session that gathers on these addresses stays within this machine."""
    return bool(addresses) and all(ipaddress.ip_address(address).is_loopback for address in addresses)


def acceptable(candidate: Candidate, *, loopback: bool) -> bool:
    """Whether to send anything to an address that the peer named.

    A peer may name what it likes, so that our checks knock at doors of its choice (RFC 8445, 19.5.1). Addresses that
    no honest peer can have are left alone; ``loopback`` says that this session itself is on loopback. Component 2
    is RTCP without multiplexing, which is not used.
    """
    if candidate.component != 1 or candidate.type is CandidateType.PEER_REFLEXIVE:
        return False
    address = ipaddress.ip_address(candidate.address)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_multicast or address.is_unspecified or (address.version == 4 and address.is_reserved):
        return False
    return loopback or not (address.is_loopback or address.is_link_local)


def make_local(
    kind: CandidateType,
    address: tuple[str, int],
    *,
    rank: int,
    base: str = "",
    related: tuple[str, int] | None = None,
) -> aioice.Candidate:
    """A local candidate of component 1.

    ``rank`` counts from 0, the preferred first, within one type. ``base`` tells candidates apart that come from
    different sockets or servers: only equal ones share a foundation (RFC 8445, 5.1.1.3).
    """
    return aioice.Candidate(
        foundation=hashlib.sha256(f"{kind}|{base}".encode()).hexdigest()[:12],
        component=1,
        transport="udp",
        priority=candidate_priority(1, kind.value, LOCAL_PREFERENCE - rank),
        host=address[0],
        port=address[1],
        type=kind.value,
        related_address=related[0] if related else None,
        related_port=related[1] if related else None,
        generation=0,
    )


def hidden_address(address: str) -> tuple[str, int]:
    """What stands in for the related address of a candidate when that would tell too much (RFC 8839, 5.1)."""
    return _HIDDEN[ipaddress.ip_address(address).version]


def to_description(candidate: aioice.Candidate) -> Candidate:
    """The candidate as it is told to the peer. Raises ``ValueError`` if a server made it up."""
    return Candidate(
        foundation=candidate.foundation,
        address=candidate.host,
        port=candidate.port,
        priority=candidate.priority,
        type=CandidateType(candidate.type),
        component=candidate.component,
        related_address=candidate.related_address,
        related_port=candidate.related_port,
    )


def from_description(candidate: Candidate) -> aioice.Candidate:
    """The peer's candidate as aioice takes it."""
    return aioice.Candidate(
        foundation=candidate.foundation,
        component=candidate.component,
        transport="udp",
        priority=candidate.priority,
        host=candidate.address,
        port=candidate.port,
        type=candidate.type.value,
        related_address=candidate.related_address,
        related_port=candidate.related_port,
        generation=candidate.generation,
    )
