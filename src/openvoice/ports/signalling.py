"""The connection of one account, and who is told what it heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from openvoice.core.address import Address
from openvoice.core.effects import SignallingEffect
from openvoice.core.inputs import Invitation, PeerInput
from openvoice.core.security import SignallingFacts
from openvoice.core.types import CallId
from openvoice.ports.media import RelayServer


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingCall:
    """Somebody wants to call: what the policy decides about."""

    call: CallId
    peer: Address
    media: frozenset[str]
    age: float = 0.0
    """Seconds since it was sent; a server may have kept it."""


class SignallingListener(Protocol):
    """Who is told what the signalling heard."""

    def call_incoming(self, incoming: IncomingCall, first: PeerInput) -> None:
        """A call that the policy lets ring; ``first`` is its first input."""
        ...

    def call_input(self, call: CallId, message: PeerInput) -> None: ...

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None:
        """A call that never rang here: ``missed``, ``busy``, ``answered-elsewhere`` or ``declined-elsewhere``."""
        ...

    def connection_changed(self, online: bool, reason: str) -> None: ...


class Signalling(Protocol):
    """One account's connection."""

    @property
    def address(self) -> Address:
        """The full JID once online, the bare one before."""
        ...

    @property
    def facts(self) -> SignallingFacts | None: ...

    async def open(self) -> None:
        """Log in. Raises a :class:`~openvoice.errors.ConnectionFailed`."""
        ...

    async def close(self) -> None:
        """Send what waits, say goodbye, let go; within two seconds."""
        ...

    async def invitation(self, peer: Address, *, video: bool = False) -> tuple[Address, Invitation]:
        """Whom to call, and how (XEP-0353 or directly), by what its devices say they can.

        Raises:
            PeerUnavailable: none of the devices that are online can be called, or not with ``video``.
        """
        ...

    def begin(self, call: CallId, peer: Address, media: frozenset[str]) -> None:
        """Make an outgoing call known, before its first effect."""
        ...

    async def perform(self, call: CallId, effect: SignallingEffect) -> None: ...

    async def relays(self) -> tuple[RelayServer, ...]:
        """What the own server offers (XEP-0215); empty when it offers nothing."""
        ...

    def in_roster(self, peer: Address) -> bool: ...

    def network_changed(self) -> None:
        """The ways of this device into the network changed: see at once whether the server is still there."""
        ...
