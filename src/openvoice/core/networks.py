"""When two addresses of a device are of the same network, as far as a call can tell."""

from __future__ import annotations

import ipaddress

NOBODY = {4: "192.0.2.1", 6: "2001:db8::1"}
"""Addresses that nobody has, by the version of IP (RFC 5737, RFC 3849): they take the default route."""
_PREFIX = 64
"""Bits of an IPv6 address that name the network. Behind them addresses change at will (RFC 8981)."""


def network_of(address: str) -> str:
    """The network that an address of this device is in; empty if nobody else can be reached from there.

    An IPv4 address stands for itself: another lease is another way, since what lies behind it is not known.
    """
    parsed = ipaddress.ip_address(address)
    if parsed.is_loopback or parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
        return ""
    return address if parsed.version == 4 else str(ipaddress.ip_network((parsed, _PREFIX), strict=False))
