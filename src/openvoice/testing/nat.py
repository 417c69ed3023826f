"""The kinds of network address translation (RFC 4787, by the names of RFC 3489, 5), as pure rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

Endpoint = tuple[str, int]
"""IPv4 address and UDP port."""


class Nat(StrEnum):
    """What stands between a device and the network."""

    NONE = "none"
    """No translation to speak of: the device can be reached before it sent anything."""
    FULL_CONE = "full-cone"
    """Once the device sent anything to anybody, everybody can reach it."""
    RESTRICTED_CONE = "restricted-cone"
    """Hosts that it sent something to can reach it, from any port."""
    PORT_RESTRICTED_CONE = "port-restricted-cone"
    """Ports that it sent something to can reach it."""
    SYMMETRIC = "symmetric"
    """The same, and every destination sees it at another port."""

    @property
    def maps_by_destination(self) -> bool:
        """Whether the outside port depends on whom the device speaks to (RFC 4787, 4.1)."""
        return self is Nat.SYMMETRIC


@dataclass(slots=True)
class Permissions:
    """Who may send to one outside port (RFC 4787, 5)."""

    nat: Nat
    sent_to: set[Endpoint] = field(default_factory=set)

    def admits(self, sender: Endpoint) -> bool:
        if self.nat is Nat.NONE:
            return True
        if self.nat is Nat.FULL_CONE:
            return bool(self.sent_to)
        if self.nat is Nat.RESTRICTED_CONE:
            return any(host == sender[0] for host, _ in self.sent_to)
        return sender in self.sent_to
