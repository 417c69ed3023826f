"""Who is told what a connection hears."""

from __future__ import annotations

from typing import Literal, Protocol
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp.messages import Carbon

RequestKind = Literal["get", "set"]


class ConnectionListener(Protocol):
    """Called on the event loop, in the order in which the server sent. To be quick: the stream waits meanwhile."""

    def message_received(
        self, message: Element, sender: Address, *, carbon: Carbon | None, stamp: float | None
    ) -> None:
        """A message of type ``chat``, ``normal`` or ``error``, unwrapped, each but once however often it was sent.

        ``carbon`` and ``stamp`` are those of :class:`~openvoice.signalling.xmpp.messages.ReceivedMessage`. An
        ``error`` tells that a message of ours came back; it must not be answered (RFC 6120, 8.3.1).
        """
        ...

    def request_received(self, id: str, kind: RequestKind, payload: Element, sender: Address) -> None:  # noqa: A002
        """An IQ of a namespace that the listener serves, from anybody. ``Connection.answer`` or ``refuse`` is owed."""
        ...

    def node_changed(self, owner: Address, node: str, payload: Element) -> None:
        """Somebody in the contact list, or the own account, published something that this device asked to be told of
        (XEP-0163, 4)."""
        ...

    def connection_changed(self, online: bool, reason: str) -> None:
        """``reason`` is one line for a person, empty when online. After a refused login, nothing is tried any more."""
        ...
