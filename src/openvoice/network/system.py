"""What the system says of its interfaces: by netlink on Linux, by the system library elsewhere. Nothing is sent."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator

import ifaddr

from openvoice.core.networks import NOBODY
from openvoice.network import netlink
from openvoice.network.ways import Ways, interface_to_keep, usable_addresses, ways_of

_GROUPS = 0x1 | 0x10 | 0x100 | 0x40 | 0x400
"""Links, and the addresses and routes of both families (rtnetlink(7))."""
_DATAGRAM = 65536
_PATIENCE = 0.5
"""Seconds. The kernel answers before the question returns, or never."""


def current_ways() -> Ways:
    """The ways there are now."""
    try:
        addresses = usable_addresses([*_ask(netlink.GET_LINKS), *_ask(netlink.GET_ADDRESSES)])
    except OSError:
        addresses = list(_listed_addresses())
    return ways_of(addresses, _preferred_sources())


def interface_of(address: str) -> str:
    """See :class:`~openvoice.ports.NetworkWatch`."""
    preferred = [source for source in _preferred_sources() if (":" in source) == (":" in address)]
    try:
        known = [*_ask(netlink.GET_LINKS), *_ask(netlink.GET_ADDRESSES), *_ask(netlink.GET_ROUTES)]
    except OSError:
        return ""
    return interface_to_keep(known, address, preferred[0] if preferred else "")


def change_socket() -> socket.socket:
    """A socket that becomes readable when something may have changed. Raises ``OSError`` where there is none."""
    opened = _netlink_socket()
    try:
        opened.bind((0, _GROUPS))
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


def elapsed() -> float:
    """Seconds of a clock that goes on while this device sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if sys.platform == "linux" else time.time()


def _netlink_socket() -> socket.socket:
    if sys.platform != "linux":
        raise OSError("only Linux tells of its interfaces by a socket")
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)


def _ask(kind: int) -> Iterator[netlink.Message]:
    with _netlink_socket() as asked:
        asked.settimeout(_PATIENCE)
        asked.send(netlink.request(kind, 1))
        while True:
            for message in netlink.parse(asked.recv(_DATAGRAM)):
                if isinstance(message, netlink.Done):
                    return
                yield message


def _listed_addresses() -> Iterator[tuple[str, str]]:
    for adapter in ifaddr.get_adapters():
        for ip in adapter.ips:
            yield adapter.name, ip.ip if isinstance(ip.ip, str) else ip.ip[0]


def _preferred_sources() -> Iterator[str]:
    for version, address in NOBODY.items():
        try:
            with socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as unused:
                unused.connect((address, 9))
                yield str(unused.getsockname()[0])
        except OSError:
            continue
