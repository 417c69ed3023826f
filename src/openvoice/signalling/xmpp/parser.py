"""The incremental parser of one XML stream, strict as RFC 6120 section 11 demands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder, XMLPullParser
from xml.parsers import expat

from openvoice.errors import InsecureServer
from openvoice.signalling.xmpp.namespaces import STREAM
from openvoice.signalling.xmpp.tokens import WholeTokens

MAXIMUM_STANZA = 1 << 20
"""Octets of one stanza that is received whole."""
MAXIMUM_ELEMENTS = 50_000
"""Elements in one stanza: a roster of thousands of people has fewer."""
MAXIMUM_DEPTH = 128
ENDLESS = 8 << 20
"""Octets after which a stanza that does not end is the fault of the server."""

_LONG_VALUE = re.compile(rb"""(=\s*)(?:'[^'<]{65536,}'|"[^"<]{65536,}")""")


class StreamParser(XMLPullParser):  # type: ignore[type-arg] # it cannot be subscripted at run time
    """Cuts the octets of one stream into first-level elements.

    Stands in for the parser that slixmpp makes, and tells it of the stream's root and of whole first-level elements
    only, which is all that it reads.

    A stanza that is too large, too deep or too rich comes hollow, without its contents. Ending the stream over it would
    take the account offline for as long as the server keeps it for us: anybody could send one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._events: list[tuple[str, Any]] = []
        self._root: Element | None = None
        self._depth = 0
        self._builder: TreeBuilder | None = TreeBuilder()
        """``None`` while the contents of a stanza are left out."""
        self._stanza = Element("")
        self._elements = 0
        self._fed = 0
        self._settled = 0
        self._expat = expat.ParserCreate("utf-8", namespace_separator="}")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self._start
        self._expat.EndElementHandler = self._end
        self._expat.CharacterDataHandler = self._text
        self._expat.StartDoctypeDeclHandler = self._restricted
        self._expat.EntityDeclHandler = self._restricted
        self._expat.CommentHandler = self._restricted
        self._expat.ProcessingInstructionHandler = self._restricted
        self._tokens = WholeTokens()

    def feed(self, data: Any) -> None:
        """Take what was read.

        Raises:
            InsecureServer: it is not well-formed, not a stream, restricted XML (a DTD, a comment ...) or endless.
        """
        whole = self._tokens.feed(data)
        if len(whole) > MAXIMUM_STANZA:
            # pyexpat feeds no more than this at once: the rest would be the end of an unfinished tag.
            whole = _LONG_VALUE.sub(rb"\1'-'", whole)
        self._fed += len(whole)
        try:
            self._expat.Parse(whole, False)
        except expat.ExpatError:
            raise InsecureServer("the server sent something that is not well-formed XML") from None
        # An unfinished tag has no depth yet: what counts is how much came since the last thing that was whole.
        unfinished = self._fed + self._tokens.held - self._settled
        if unfinished > ENDLESS:
            raise InsecureServer("the server sent a stanza that is too large")
        if unfinished > MAXIMUM_STANZA and self._depth > 1:
            self._hollow()

    def read_events(self) -> Iterator[tuple[str, Any]]:
        """The starts and ends since the last time."""
        events, self._events = self._events, []
        return iter(events)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1:
            self._root = Element(_qualified(name), {_qualified(key): value for key, value in attributes.items()})
            if self._root.tag != f"{{{STREAM}}}stream":
                raise InsecureServer("what answers there does not speak XMPP")
            self._events.append(("start", self._root))
            return
        self._elements += 1
        if self._elements > MAXIMUM_ELEMENTS or self._depth > MAXIMUM_DEPTH:
            self._hollow()
        if self._builder is None:
            return
        element = self._builder.start(_qualified(name), {_qualified(key): value for key, value in attributes.items()})
        if self._depth == 2:
            self._stanza = element

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._events.append(("end", self._root))
            return
        if self._builder is not None:
            self._builder.end(_qualified(name))
        if self._depth == 1:
            self._builder = TreeBuilder()
            self._elements = 0
            self._settled = self._expat.CurrentByteIndex
            self._events += [("start", self._stanza), ("end", self._stanza)]

    def _hollow(self) -> None:
        """Keep what the stanza is and from whom, and let go of what is in it."""
        if self._builder is not None:
            self._builder = None
            self._stanza = Element(self._stanza.tag, self._stanza.attrib)

    def _text(self, text: str) -> None:
        if self._depth > 1:
            if self._builder is not None:
                self._builder.data(text)
        else:
            self._settled = self._expat.CurrentByteIndex

    def _restricted(self, *_declaration: Any) -> None:
        raise InsecureServer("the server sent XML that XMPP forbids")


def _qualified(name: str) -> str:
    return "{" + name if "}" in name else name
