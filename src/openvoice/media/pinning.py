"""Keeps the packets of a socket on an interface.

Linux sends by the best route, whatever address a socket has. So an interface that comes up with a better one would
pull a living path away from where it was found, with the wrong address as its source; and a second interface could not
be used beside the first.
"""

from __future__ import annotations

import socket
from typing import Any

_BIND_TO_DEVICE: int | None = getattr(socket, "SO_BINDTODEVICE", None)


def pin(pinned: Any, interface: str) -> bool:
    """Keep a socket on an interface (by name; empty: on none). Whether it is."""
    if not interface or _BIND_TO_DEVICE is None:
        return False
    try:
        pinned.setsockopt(socket.SOL_SOCKET, _BIND_TO_DEVICE, interface.encode("utf-8", "surrogateescape") + b"\0")
    except OSError:
        return False
    return True
