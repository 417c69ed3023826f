"""XEP-0353 messages, receipts (XEP-0184) and bounces: between ``message`` elements and what they say."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from openvoice.core.address import Address
from openvoice.core.description import MAXIMUM_CONTENTS
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.jingle.parse import identifier, parse_reason
from openvoice.jingle.serialize import serialize_reason

_KNOWN_MEDIA = frozenset({"audio", "video"})


def parse_message(message: Element) -> JingleMessage | None:
    """What a ``message`` says about a call, or ``None`` if it is about something else.

    Messages of rooms are about something else: whoever is in a room could speak for everybody.

    Raises:
        MalformedStanza: it is about a call and cannot be understood.
    """
    if message.get("type", "normal") not in ("chat", "normal") or ns.child(message, ns.MUC_USER, "x") is not None:
        return None
    for namespace, name, child in ns.children(message):
        if namespace == ns.JINGLE_MESSAGE and name in MessageKind.__members__.values():
            return _message(MessageKind(name), child)
    return None


def parse_receipt(message: Element) -> str | None:
    """The id of the message whose arrival a device confirms (XEP-0184)."""
    received = ns.child(message, ns.RECEIPTS, "received")
    return None if received is None else received.get("id")


def wants_receipt(message: Element) -> bool:
    return ns.child(message, ns.RECEIPTS, "request") is not None


def serialize_message(
    said: JingleMessage, to: Address, *, message_id: str = "", request_receipt: bool = False
) -> Element:
    """Write a ``message`` for ``to``. Bounces and receipts come back with ``message_id``.

    The hint asks the server to keep it: a device that comes online later must learn how the call ended.
    """
    message = _envelope(to, message_id)
    element = SubElement(message, ns.qualified(ns.JINGLE_MESSAGE, said.kind), id=said.id)
    for media in sorted(said.media):
        SubElement(element, ns.qualified(ns.RTP, "description"), media=media)
    if said.device is not None:
        SubElement(element, ns.qualified(ns.OMEMO_DTLS, "device"), id=str(said.device))
    if said.reason is not None:
        element.append(serialize_reason(said.reason, said.text))
    if said.tie_break:
        SubElement(element, ns.qualified(ns.JINGLE_MESSAGE, "tie-break"))
    if said.migrated:
        SubElement(element, ns.qualified(ns.JINGLE_MESSAGE, "migrated"), to=said.migrated)
    if request_receipt:
        SubElement(message, ns.qualified(ns.RECEIPTS, "request"))
    SubElement(message, ns.qualified(ns.HINTS, "store"))
    return message


def serialize_receipt(received: str, to: Address) -> Element:
    """Write the receipt for the message with the id ``received``: what older clients show as ringing."""
    message = _envelope(to, "")
    SubElement(message, ns.qualified(ns.RECEIPTS, "received"), id=received)
    SubElement(message, ns.qualified(ns.HINTS, "store"))
    return message


def serialize_unknown_session(to: Address, message_id: str) -> Element:
    """Write the bounce for a ``proceed`` that answers nothing."""
    message = Element(ns.qualified(ns.CLIENT, "message"), to=str(to), type="error")
    if message_id:
        message.set("id", message_id)
    error = SubElement(message, ns.qualified(ns.CLIENT, "error"), type="cancel", code="404")
    SubElement(error, ns.qualified(ns.STANZA_ERRORS, "item-not-found"))
    return message


def _envelope(to: Address, message_id: str) -> Element:
    message = Element(ns.qualified(ns.CLIENT, "message"), to=str(to), type="chat")
    if message_id:
        message.set("id", message_id)
    return message


def _message(kind: MessageKind, element: Element) -> JingleMessage:
    reason, text = parse_reason(element)
    device: int | None = None
    tie_break = False
    migrated = ""
    for namespace, name, child in ns.children(element):
        match namespace, name:
            case ns.OMEMO_DTLS, "device":
                number = child.get("id", "")
                named = int(number) if number.isascii() and number.isdigit() and len(number) <= 10 else 0
                device = named if 0 < named < 2**32 else None
            case _, "tie-break":
                tie_break = True
            case _, "migrated":
                # Monal writes it in the namespace of Jingle itself.
                migrated = identifier(child.get("to", ""), "the id of the new session")
    return JingleMessage(
        kind=kind,
        id=identifier(element.get("id", ""), "the session id"),
        media=_media(element) if kind is MessageKind.PROPOSE else frozenset(),
        reason=reason,
        text=text,
        device=device,
        tie_break=tie_break,
        migrated=migrated,
    )


def _media(element: Element) -> frozenset[str]:
    descriptions = [
        (namespace, child.get("media", "")) for namespace, name, child in ns.children(element) if name == "description"
    ]
    media = frozenset(medium for _, medium in descriptions)
    foreign = any(namespace != ns.RTP for namespace, _ in descriptions)
    if foreign or not media or not media <= _KNOWN_MEDIA or len(descriptions) > MAXIMUM_CONTENTS:
        raise MalformedStanza("a proposal of something that is not a call")
    return media
