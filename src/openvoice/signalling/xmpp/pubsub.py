"""Nodes of the personal eventing service (XEP-0060, XEP-0163), pure: what is asked, and what the answers hold."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.namespaces import DATA_FORM, PUBSUB, PUBSUB_ERRORS, PUBSUB_EVENT, PUBSUB_OWNER

PRECONDITION = f"{{{PUBSUB_ERRORS}}}precondition-not-met"
"""The condition of a publication whose node is configured otherwise (XEP-0060, 7.1.5)."""

_CURRENT = "current"
"""The id of the one item of a node (XEP-0060, 12.20)."""
_OPEN = {"pubsub#access_model": "open", "pubsub#persist_items": "true"}
"""How a node is configured that everybody may read, and that outlives the session."""


def fetch_query(node: str) -> Element:
    """Asks for the newest item of a node."""
    return element(PUBSUB, "pubsub", element(PUBSUB, "items", node=node, max_items="1"))


def publish_query(node: str, payload: Element, *, options: bool) -> Element:
    """Makes ``payload`` the one item of an own node. With ``options``, only if the node is open to everybody."""
    item = element(PUBSUB, "item", payload, id=_CURRENT)
    content = [element(PUBSUB, "publish", item, node=node)]
    if options:
        content.append(element(PUBSUB, "publish-options", _form("publish-options")))
    return element(PUBSUB, "pubsub", *content)


def configure_query(node: str) -> Element:
    """Opens an own node to everybody."""
    return element(PUBSUB_OWNER, "pubsub", element(PUBSUB_OWNER, "configure", _form("node_config"), node=node))


def delete_query(node: str) -> Element:
    """Removes an own node and all in it (XEP-0060, 8.4)."""
    return element(PUBSUB_OWNER, "pubsub", element(PUBSUB_OWNER, "delete", node=node))


def fetched(answer: Element, node: str) -> Element | None:
    """The payload of the newest item in the IQ that answers :func:`fetch_query`, if there is one."""
    return _payload(answer.find(f"{{{PUBSUB}}}pubsub/{{{PUBSUB}}}items"), PUBSUB, node)


def notified(message: Element) -> tuple[str, Element] | None:
    """The node whose item changed, and its payload, if ``message`` tells of one (XEP-0163, 4.3)."""
    items = message.find(f"{{{PUBSUB_EVENT}}}event/{{{PUBSUB_EVENT}}}items")
    node = "" if items is None else items.get("node", "")
    payload = _payload(items, PUBSUB_EVENT, node)
    return None if payload is None else (node, payload)


def _payload(items: Element | None, namespace: str, node: str) -> Element | None:
    if items is None or items.get("node") != node:
        return None
    found = items.findall(f"{{{namespace}}}item")
    item = next((item for item in found if item.get("id") == _CURRENT), found[-1] if found else None)
    return None if item is None else next(iter(item), None)


def _form(kind: str) -> Element:
    fields = [_field("FORM_TYPE", f"{PUBSUB}#{kind}", kind="hidden")]
    fields += [_field(name, value) for name, value in _OPEN.items()]
    return element(DATA_FORM, "x", *fields, type="submit")


def _field(name: str, value: str, kind: str | None = None) -> Element:
    return element(DATA_FORM, "field", element(DATA_FORM, "value", value), var=name, type=kind)
