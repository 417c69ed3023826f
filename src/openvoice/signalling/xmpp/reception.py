"""What becomes of each stanza that comes in, by the standard rules, with nothing given away to strangers."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp import capabilities, namespaces, pubsub
from openvoice.signalling.xmpp.archive import Archive
from openvoice.signalling.xmpp.contacts import Contacts
from openvoice.signalling.xmpp.elements import error, local_name, namespace_of, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused
from openvoice.signalling.xmpp.listener import ConnectionListener, RequestKind
from openvoice.signalling.xmpp.messages import ArchiveResult, ReceivedMessage, sender_of, unwrap
from openvoice.signalling.xmpp.requests import Requests

OWN_FEATURES = frozenset({namespaces.CAPS, namespaces.DISCO_INFO, namespaces.PING})
"""What is answered here, whatever the listener serves."""

_REMEMBERED = 1024
"""Messages whose origin ids are remembered, to notice one that is sent again."""


class Reception:
    """Routes stanzas to whom they concern, and answers the requests that need no thought.

    ``send`` takes the answers.
    """

    def __init__(
        self,
        account: Address,
        features: Iterable[str],
        listener: ConnectionListener,
        send: Callable[[Element], None],
        *,
        requests: Requests,
        contacts: Contacts,
        archive: Archive,
        program: capabilities.Program = capabilities.OPENVOICE,
    ) -> None:
        self._account = account.bare
        self._server = Address("", account.domain)
        self._listener = listener
        self._send = send
        self._requests = requests
        self._contacts = contacts
        self._archive = archive
        self._seen: OrderedDict[tuple[Address, str | None, str], None] = OrderedDict()
        self.features = OWN_FEATURES.union(features)
        self._program = program

    def announcement(self) -> Element:
        """What this device can, for its presence (XEP-0115)."""
        return capabilities.announcement(self.features, self._program)

    def receive(self, item: Element) -> bool:
        """Take one stanza; whether it concerned anybody here. Errors are never answered: two that do so never stop."""
        sender = sender_of(item, self._account)
        if sender is None:
            return True
        match local_name(item), item.get("type"):
            case "iq", "result" | "error":
                return self._requests.receive(item, sender)
            case "iq", "get":
                self._request(item, "get", sender)
            case "iq", "set":
                self._request(item, "set", sender)
            case "message", "headline":
                return self._notification(item, sender)
            case "message", _:
                self._message(item)
            case "presence", _:
                self._contacts.update_presence(item, sender)
        return True

    def _message(self, item: Element) -> None:
        found = unwrap(item, self._account)
        if isinstance(found, ArchiveResult):
            self._archive.receive(found)
        elif found is not None and self._is_new(found):
            self._listener.message_received(found.message, found.sender, carbon=found.carbon, stamp=found.stamp)

    def _notification(self, item: Element, sender: Address) -> bool:
        found = pubsub.notified(item)
        if found is None or not (sender == self._account or sender in self._contacts.roster):
            return False
        self._listener.node_changed(sender, *found)
        return True

    def _is_new(self, found: ReceivedMessage) -> bool:
        """A sender that lost its session cannot know what arrived, and says it again under the same origin id."""
        if found.origin_id is None or found.message.get("type") == "error":
            return True
        key = (found.sender.bare, found.carbon, found.origin_id)
        new = key not in self._seen
        self._seen[key] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return new

    def _request(self, item: Element, kind: RequestKind, sender: Address) -> None:
        identifier = item.get("id")
        if not identifier:
            return
        payload = next(iter(item), None)
        namespace = "" if payload is None else namespace_of(payload)
        if payload is None or not self._serves(namespace, kind, sender):
            # The same words as a server's for somebody who is offline.
            self._reply(item, error("service-unavailable"), kind="error")
        elif namespace in (namespaces.JINGLE, namespaces.EXTERNAL_SERVICES):
            self._listener.request_received(identifier, kind, payload, sender)
        elif namespace == namespaces.ROSTER:
            self._contacts.update_roster(payload)
            self._reply(item)
        elif namespace == namespaces.DISCO_INFO:
            self._inform(item, payload.get("node"))
        else:
            self._reply(item)

    def _serves(self, namespace: str, kind: RequestKind, sender: Address) -> bool:
        match kind, namespace:
            case "set", namespaces.JINGLE:
                return True
            case "set", namespaces.EXTERNAL_SERVICES:
                return sender in (self._account, self._server)
            case "set", namespaces.ROSTER:
                # Anybody's push would put anybody on the list (RFC 6121, 2.1.6).
                return sender == self._account
            case "get", namespaces.DISCO_INFO | namespaces.PING:
                return self._contacts.may_see_us(sender)
        return False

    def _inform(self, item: Element, node: str | None) -> None:
        version = self.announcement().get("ver")
        if node in (None, f"{self._program.node}#{version}"):
            self._reply(item, capabilities.information(self.features, node, self._program))
        else:
            self._reply(item, error("item-not-found"), kind="error")

    def _reply(self, item: Element, *content: Element, kind: str = "result") -> None:
        # Who asks faster than the server takes the answers does without some.
        with contextlib.suppress(StanzaRefused):
            self._send(stanza("iq", *content, kind=kind, id=item.get("id"), to=item.get("from")))
