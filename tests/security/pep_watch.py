"""What passes through a server of personal events (XEP-0163): who published what, and who asks for what."""

from __future__ import annotations

import copy
from xml.etree.ElementTree import Element, SubElement

from openvoice import Address

from .hostile_server import Toward

CLIENT = "jabber:client"
PUBSUB = "http://jabber.org/protocol/pubsub"
EVENT = f"{PUBSUB}#event"

Subject = tuple[Address, str]
"""The owner of a node, a bare address, and its name."""


class PepWatch:
    """A hook that changes nothing, and remembers: what is published, and what the answers to come are about."""

    def __init__(self) -> None:
        self.published: dict[Subject, Element] = {}
        self._asked: dict[tuple[Address, str], Subject] = {}

    async def __call__(self, toward: Toward, account: Address, stanza: Element) -> list[Element]:
        if toward is Toward.SERVER and stanza.tag == f"{{{CLIENT}}}iq":
            self._remember(account, stanza)
        return [stanza]

    def nodes(self, owner: Address) -> list[str]:
        return [node for account, node in self.published if account == owner.bare]

    def subject(self, account: Address, stanza: Element) -> Subject | None:
        """What a stanza for ``account`` tells of, if it is an answer to a fetch, good or bad, or a notification."""
        if stanza.tag == f"{{{CLIENT}}}iq":
            return self._asked.get((account.bare, stanza.get("id", "")))
        items = stanza.find(f"{{{EVENT}}}event/{{{EVENT}}}items")
        sender = stanza.get("from")
        return None if items is None or sender is None else (Address.parse(sender).bare, items.get("node", ""))

    def _remember(self, account: Address, stanza: Element) -> None:
        items = stanza.find(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}items")
        if items is not None:
            owner = Address.parse(stanza.get("to") or str(account)).bare
            self._asked[account.bare, stanza.get("id", "")] = (owner, items.get("node", ""))
        for publish in stanza.findall(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}publish"):
            for item in publish:
                for payload in item:
                    self.published[account.bare, publish.get("node", "")] = copy.deepcopy(payload)


def payload_of(stanza: Element) -> Element | None:
    """What a node holds, by an answer or a notification."""
    found = stanza.find(f".//{{{PUBSUB}}}item/*")
    return found if found is not None else stanza.find(f".//{{{EVENT}}}item/*")


def with_payload(stanza: Element, node: str, payload: Element) -> Element:
    """The answer, or the notification, that the node holds ``payload``."""
    if stanza.tag != f"{{{CLIENT}}}iq":
        changed = copy.deepcopy(stanza)
        for item in changed.iter(f"{{{EVENT}}}item"):
            item[:] = [payload]
        return changed
    answer = Element(stanza.tag, {**stanza.attrib, "type": "result"})
    items = SubElement(SubElement(answer, f"{{{PUBSUB}}}pubsub"), f"{{{PUBSUB}}}items", {"node": node})
    SubElement(items, f"{{{PUBSUB}}}item", {"id": "current"}).append(payload)
    return answer
