"""Who is told what a transport has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from aiortc.rtp import RtpPacket

from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate
from openvoice.core.types import EndReason

if TYPE_CHECKING:
    from openvoice.media.transport import MediaTransport


class TransportListener(Protocol):
    """Everything is called on the event loop of the transport."""

    def candidate_found(self, transport: MediaTransport, candidate: Candidate) -> None: ...

    def contacted(self, contact: Contact) -> None: ...

    def secured(self, transport: MediaTransport) -> None: ...

    def moved(self, transport: MediaTransport) -> None:
        """A secured transport has another path."""
        ...

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None: ...

    def rtcp_received(self, transport: MediaTransport, packets: list[Any], arrival: float) -> None: ...

    def interrupted(self, transport: MediaTransport) -> None: ...

    def restored(self, transport: MediaTransport) -> None: ...

    def outdated(self, transport: MediaTransport) -> None:
        """A secured transport does not use all networks that there are now."""
        ...

    def closed(self, transport: MediaTransport) -> None:
        """The peer, which was heard before, has ended the association, and nobody said why."""
        ...

    def failed(self, transport: MediaTransport, reason: EndReason, text: str) -> None: ...
