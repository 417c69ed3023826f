"""The messages of the exchange of verification words, as elements of a session-info (docs/verification-words.md)."""

from __future__ import annotations

import base64
import binascii
from xml.etree.ElementTree import Element

from openvoice.core.words import VALUE_OCTETS, Step, WordsMessage
from openvoice.jingle import namespaces as ns

_LENGTH = 4 * (-(-VALUE_OCTETS // 3))
"""Characters of a value in base64 (RFC 4648, 4)."""


def parse_words(element: Element) -> WordsMessage:
    """Read an element of the namespace. What cannot be read is a message too: it ends the exchange."""
    _, name = ns.split(element.tag)
    text = element.text or ""
    if name not in Step.__members__.values() or len(text) != _LENGTH or len(element):
        return WordsMessage(None)
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return WordsMessage(None)
    return WordsMessage(Step(name), value) if len(value) == VALUE_OCTETS else WordsMessage(None)


def serialize_words(message: WordsMessage) -> Element:
    """Write the element of a message that can be read."""
    assert message.step is not None
    element = Element(ns.qualified(ns.VERIFICATION_WORDS, message.step))
    element.text = base64.b64encode(message.value).decode("ascii")
    return element
