"""Who, beside the XMPP servers, got packets of this device for the sake of a call, and from which address of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.description import CandidateType


class ContactKind(StrEnum):
    """What somebody that was contacted is to the call."""

    STUN = "stun"
    """A STUN server, asked how it sees this device."""
    TURN = "turn"
    """A TURN server, asked for an address to lend."""
    PEER = "peer"
    """An address of the peer."""
    PEER_RELAY = "peer-relay"
    """An address that a TURN server lends to the peer."""


SERVERS = frozenset({ContactKind.STUN, ContactKind.TURN})
"""Those that the own XMPP server named: a peer may say what it likes about how it sees this device."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """Somebody that packets of this device were sent to, noted before the first one leaves.

    ``host`` is the name of a server as the own XMPP server gives it, or the address of the peer or its relay.
    """

    kind: ContactKind
    host: str
    address: str
    """Where the packets came from, as this device knows it: its own address, or one that a TURN server lends it."""
    type: CandidateType = CandidateType.HOST
    """What ``address`` is: ``host`` or ``relay``."""
    mapped: str = ""
    """Where they came from as the other end said that it saw them; empty as long as it said nothing."""


@dataclass(frozen=True, slots=True)
class SeenAddress:
    """An address that leads to this device: its own, how a router shows it, or one that a TURN server lends."""

    address: str
    type: CandidateType
