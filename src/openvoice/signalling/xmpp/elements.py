"""Making XML elements, and turning them into the octets of a stream."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element

from slixmpp.xmlstream.tostring import tostring

from openvoice.signalling.xmpp.failures import StanzaRefused
from openvoice.signalling.xmpp.namespaces import CLIENT, STANZA_ERRORS

MAXIMUM_SENT = 250_000
"""Octets of one stanza that is sent. Servers end the whole stream at 256 KiB, and everything in flight with it."""

_MARKUP = re.compile("[<>&\"']")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def element(namespace: str, name: str, /, *content: Element | str, **attributes: str | None) -> Element:
    """``<name xmlns=namespace attributes…>content…</name>``. Attributes that are ``None`` are left out."""
    made = Element(f"{{{namespace}}}{name}", {key: value for key, value in attributes.items() if value is not None})
    for part in content:
        if isinstance(part, str):
            made.text = (made.text or "") + part
        else:
            made.append(part)
    return made


def stanza(name: str, /, *content: Element, **attributes: str | None) -> Element:
    """A ``message``, ``presence`` or ``iq``. ``sender`` and ``to`` are the addresses; ``kind`` is the type."""
    renamed = {{"sender": "from", "kind": "type"}.get(key, key): value for key, value in attributes.items()}
    return element(CLIENT, name, *content, **renamed)


def error(condition: str, kind: str = "cancel", *, application: Element | None = None) -> Element:
    """An ``<error/>`` with a defined condition (RFC 6120, 8.3.3) and, perhaps, one of the application's own."""
    content = [element(STANZA_ERRORS, condition)]
    if application is not None:
        content.append(application)
    return element(CLIENT, "error", *content, type=kind)


def serialize(root: Element) -> bytes:
    """The octets of a first-level element of the stream.

    Raises:
        StanzaRefused: it holds characters that no XML holds (``bad-request``), or is longer than any server takes
            (``policy-violation``). The server would end the stream for either.
    """
    # slixmpp escapes all but namespaces: one that a peer made up would put stanzas of the peer's into our stream.
    if any(_MARKUP.search(namespace_of(item)) for item in root.iter()):
        raise StanzaRefused("bad-request")
    text = tostring(root, xmlns=CLIENT)
    if _NOT_XML.search(text):
        raise StanzaRefused("bad-request")
    octets = text.encode()
    if len(octets) > MAXIMUM_SENT:
        raise StanzaRefused("policy-violation")
    return octets


def local_name(item: Element) -> str:
    return item.tag.rpartition("}")[2]


def namespace_of(item: Element) -> str:
    return item.tag.rpartition("}")[0].removeprefix("{")
