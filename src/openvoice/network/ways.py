"""What of interfaces and addresses matters to a call. Pure.

A way into the network is an interface with a network that it is part of. What changes without changing a way is noise:
IPv6 addresses that are replaced for privacy within their network (RFC 8981), interfaces of containers, routes that
are announced anew.
"""

from __future__ import annotations

from collections.abc import Iterable

from openvoice.core.networks import network_of
from openvoice.network.netlink import DefaultRoute, Link, LocalAddress, Message

Ways = frozenset[tuple[str, str]]
"""(interface, network); under the name ``default`` those that lead to the rest of the world."""

DEFAULT = "default"
INNER = frozenset({"bridge"})
"""Kinds of interfaces that lead into this machine (to containers, say), unless a default route says otherwise."""
TUNNELS = frozenset({"tun", "gretap", "ip6gretap", "vxlan", "geneve"})
"""Kinds of interfaces with frames of Ethernet that may carry a VPN."""


def ways_of(addresses: Iterable[tuple[str, str]], sources: Iterable[str]) -> Ways:
    """Of addresses as (interface, address), and those that default routes leave by."""
    found = [(interface, network_of(address)) for interface, address in addresses]
    found += [(DEFAULT, network_of(source)) for source in sources]
    return frozenset(way for way in found if way[1])


def usable_addresses(messages: Iterable[Message]) -> list[tuple[str, str]]:
    """The (interface, address) pairs of a whole answer of the kernel that something can be sent from now."""
    known = list(messages)
    outward = {
        link.index
        for link in known
        if isinstance(link, Link) and link.running and not link.loopback and link.kind not in INNER
    }
    return [
        (str(address.index), address.address)
        for address in known
        if isinstance(address, LocalAddress) and address.index in outward and not address.tentative
    ]


def interface_to_keep(messages: Iterable[Message], address: str, preferred: str) -> str:
    """The name of the interface that a socket with ``address`` may be kept on, whatever becomes the best way.

    It must lead to the rest of the world by itself. Empty where that could lead around a tunnel: the system now sends
    by the address ``preferred`` (empty: nowhere), and what a VPN carries no path may carry past it.
    """
    known = list(messages)
    version = 6 if ":" in address else 4
    outward = {route.index for route in known if isinstance(route, DefaultRoute) and route.version == version}
    links = {link.index: link for link in known if isinstance(link, Link)}

    def link_of(wanted: str) -> Link | None:
        return next(
            (links.get(each.index) for each in known if isinstance(each, LocalAddress) and each.address == wanted), None
        )

    own, best = link_of(address), link_of(preferred)
    if own is None or own.index not in outward or (preferred and (best is None or _may_be_tunnel(best))):
        return ""
    return own.name


def _may_be_tunnel(link: Link) -> bool:
    return not link.ethernet or link.kind in TUNNELS
