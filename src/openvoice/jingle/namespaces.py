"""The XML namespaces of calls, and how to write and read qualified names."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from openvoice.core.words import PROTOCOL

CLIENT = "jabber:client"
STANZA_ERRORS = "urn:ietf:params:xml:ns:xmpp-stanzas"
RECEIPTS = "urn:xmpp:receipts"
HINTS = "urn:xmpp:hints"
MUC_USER = "http://jabber.org/protocol/muc#user"

JINGLE = "urn:xmpp:jingle:1"
JINGLE_ERRORS = "urn:xmpp:jingle:errors:1"
JINGLE_MESSAGE = "urn:xmpp:jingle-message:0"
RTP = "urn:xmpp:jingle:apps:rtp:1"
RTP_AUDIO = "urn:xmpp:jingle:apps:rtp:audio"
RTP_VIDEO = "urn:xmpp:jingle:apps:rtp:video"
RTP_INFORMATION = "urn:xmpp:jingle:apps:rtp:info:1"
RTCP_FEEDBACK = "urn:xmpp:jingle:apps:rtp:rtcp-fb:0"
RTP_HEADER_EXTENSIONS = "urn:xmpp:jingle:apps:rtp:rtp-hdrext:0"
SOURCES = "urn:xmpp:jingle:apps:rtp:ssma:0"
CATEGORY = "urn:xmpp:jingle:apps:category:0"
GROUPING = "urn:xmpp:jingle:apps:grouping:0"
ICE_UDP = "urn:xmpp:jingle:transports:ice-udp:1"
DTLS = "urn:xmpp:jingle:apps:dtls:0"
OMEMO_DTLS = "http://gultsch.de/xmpp/drafts/omemo/dlts-srtp-verification"
"""Spelt ``dlts`` by its author, and therefore by everybody."""
OMEMO = "eu.siacs.conversations.axolotl"
"""The OMEMO that every client with calls speaks (XEP-0384, 0.3)."""
VERIFICATION_WORDS = PROTOCOL
EXTERNAL_SERVICES = "urn:xmpp:extdisco:2"

OFFER_ANSWER_FEATURE = "urn:ietf:rfc:3264"
"""Announced by clients that want all candidates in the offer and in the answer (XEP-0176, 5.3)."""
GROUPING_FEATURE = "urn:ietf:rfc:5888"
SOURCES_FEATURE = "urn:ietf:rfc:5576"


def qualified(namespace: str, name: str) -> str:
    """The name as :mod:`xml.etree.ElementTree` writes it."""
    return f"{{{namespace}}}{name}"


def split(tag: str) -> tuple[str, str]:
    """Undo :func:`qualified`: (namespace, name), with an empty namespace where there is none."""
    if tag.startswith("{"):
        namespace, _, name = tag[1:].partition("}")
        return namespace, name
    return "", tag


def children(element: Element) -> Iterator[tuple[str, str, Element]]:
    """(namespace, name, child) of each child element; comments and processing instructions are none."""
    for child in element:
        if isinstance(child.tag, str):
            yield *split(child.tag), child


def child(element: Element, namespace: str, name: str) -> Element | None:
    """The first child of that name."""
    return element.find(qualified(namespace, name))
