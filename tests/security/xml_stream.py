"""Cutting an XML stream (RFC 6120, 4) into its first-level elements, without losing an octet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from openvoice.signalling.xmpp.tokens import WholeTokens

_FILLING = re.compile(rb"""(?:\s|<(?:[^<>"']|"[^"]*"|'[^']*')*>)*""")


@dataclass(frozen=True, slots=True)
class Piece:
    """Octets of the stream, and the first-level element that they are; ``None`` for what stands between elements."""

    octets: bytes
    element: Element | None = None


class StreamCutter:
    """Takes octets as they come; gives whole pieces, which put together are the octets again."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """A new stream begins (RFC 6120, 4.3.3): after STARTTLS, and after the login."""
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        self._parser = parser
        self._tokens = WholeTokens()
        self._broken = False
        self._depth = 0
        self._kept = bytearray()
        self._offset = 0
        self._begin = 0
        self._just_started = False
        self._builder = TreeBuilder()
        self._pieces: list[Piece] = []

    def feed(self, octets: bytes) -> list[Piece]:
        """What is no XML, as TLS is where it is not spoken, is one piece; and so is all that follows it."""
        self._kept += octets
        try:
            if not self._broken:
                self._parser.Parse(self._tokens.feed(octets), False)
        except expat.ExpatError:
            self._broken = True
        if self._broken:
            self._cut(self._offset + len(self._kept))
        elif self._depth <= 1:
            self._cut(self._offset + self._end_of_filling())
        pieces, self._pieces = self._pieces, []
        return pieces

    def _end_of_filling(self) -> int:
        """How much of what is kept is not the beginning of an element: the header, the footer, spaces."""
        filling = _FILLING.match(self._kept)
        return filling.end() if filling else 0

    def _cut(self, end: int, element: Element | None = None) -> None:
        length = end - self._offset
        if length:
            self._pieces.append(Piece(bytes(self._kept[:length]), element))
        del self._kept[:length]
        self._offset = end

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth == 1:
            self._cut(self._parser.CurrentByteIndex)
            self._builder = TreeBuilder()
        if self._depth >= 1:
            self._builder.start(_tag(name), {_tag(key): value for key, value in attributes.items()})
        self._depth += 1
        self._just_started = self._depth == 2

    def _text(self, text: str) -> None:
        if self._depth > 1:
            self._builder.data(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth >= 1:
            self._builder.end(_tag(name))
        if self._depth == 1:
            self._cut(self._end_of_element(), self._builder.close())
        self._just_started = False

    def _end_of_element(self) -> int:
        # expat names the end of an empty tag, but the beginning of an end tag.
        at = self._parser.CurrentByteIndex
        before = at - self._offset
        if self._just_started and self._kept[before - 2 : before] == b"/>":
            return at
        return self._offset + self._kept.index(b">", before) + 1


def _tag(name: str) -> str:
    return "{" + name if "}" in name else name
