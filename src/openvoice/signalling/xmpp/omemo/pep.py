"""The network of an OMEMO device: the personal eventing service, by way of the connection."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp import pubsub
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.namespaces import HINTS
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed

WITHIN = 8.0
"""Seconds that a server may take to answer."""

_ABSENT = frozenset({"item-not-found"})
_ABSENT_OR_HIDDEN = _ABSENT | {"forbidden", "not-authorized", "service-unavailable"}
"""How servers say that somebody has no such node, or none for us. Of the own account only the first means that: its
list of devices must not be taken for empty, and written anew, because something went wrong."""


class PepNetwork:
    """The :class:`~openvoice.signalling.xmpp.omemo.network.OmemoNetwork` over a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, owner: Address, node: str) -> Element | None:
        try:
            answer = await self._connection.request(pubsub.fetch_query(node), owner.bare, timeout=WITHIN)
        except StanzaRefused as refusal:
            if refusal.condition in (_ABSENT if owner.bare == self._connection.address.bare else _ABSENT_OR_HIDDEN):
                return None
            raise OmemoFailed(Cause.UNAVAILABLE) from refusal
        except StanzaTimeout as timeout:
            raise OmemoFailed(Cause.UNAVAILABLE) from timeout
        return pubsub.fetched(answer, node)

    async def publish(self, node: str, payload: Element) -> None:
        try:
            try:
                await self._set(pubsub.publish_query(node, payload, options=True))
            except StanzaRefused as refusal:
                if refusal.extra != pubsub.PRECONDITION:
                    raise
                # Somebody made the node for fewer readers: open it, then what was asked for is there already.
                await self._set(pubsub.configure_query(node))
                await self._set(pubsub.publish_query(node, payload, options=False))
        except (StanzaRefused, StanzaTimeout) as failure:
            raise OmemoFailed(Cause.UNAVAILABLE) from failure

    def send(self, peer: Address, encrypted: Element) -> None:
        # Kept by servers like a text, for the device may be offline.
        self._connection.send_message(
            stanza("message", encrypted, element(HINTS, "store"), to=str(peer.bare), kind="chat")
        )

    async def _set(self, query: Element) -> None:
        await self._connection.request(query, kind="set", timeout=WITHIN)
