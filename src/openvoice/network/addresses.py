"""Which addresses this device can be reached at, as far as the system library tells."""

from __future__ import annotations

import ipaddress
import socket

import ifaddr

Ways = frozenset[str]
"""What can carry a call: addresses with their interface, and which of them speaks to the world."""

_SOMEWHERE = (("192.0.2.1", socket.AF_INET), ("2001:db8::1", socket.AF_INET6))
"""Addresses of nobody (RFC 5737, RFC 3849): they take the default route."""


def current_ways() -> Ways:
    """The ways there are now. Nothing is sent."""
    return frozenset(_local_addresses()) | frozenset(preferred_sources())


def preferred_sources() -> list[str]:
    """By which addresses the default routes leave, one of each family at most."""
    found = []
    for address, family in _SOMEWHERE:
        with socket.socket(family, socket.SOCK_DGRAM) as unused:
            try:
                unused.connect((address, 9))
            except OSError:
                continue
            found.append(f"default {unused.getsockname()[0]}")
    return found


def _local_addresses() -> list[str]:
    found = []
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            text = ip.ip if isinstance(ip.ip, str) else ip.ip[0]
            address = ipaddress.ip_address(text)
            if not (address.is_loopback or address.is_link_local):
                found.append(f"{adapter.name} {text}")
    return found
