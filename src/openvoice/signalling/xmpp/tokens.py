"""Octets of XML, held back until the tag or the reference that they begin has come whole."""

from __future__ import annotations

import re

_TEXT = re.compile(rb"[<&]")
_TAG = re.compile(rb"[<>'\"]")
_QUOTED = {b"'": re.compile(rb"[<']"), b'"': re.compile(rb'[<"]')}
_REFERENCE = re.compile(rb"[^#0-9A-Za-z]")
_SECTION = re.compile(rb"\]\]>")
_SECTION_BEGIN = b"<![CDATA["


class WholeTokens:
    """Gives the octets of a stream on, in their order, and none of an unfinished tag or reference.

    expat, since 2.6 and as distributions mended older ones (CVE-2023-52425), looks at an unfinished tag again only when
    twice as much of it is there, and keeps all that came with its end until then: a call would ring minutes late.
    Python before 3.11.9 cannot tell it otherwise. This looks at each octet once. What is not well-formed goes on as
    soon as that shows.
    """

    def __init__(self) -> None:
        self._held = bytearray()
        self._seen = 0
        self._awaited = _TEXT
        """What ends what was begun."""

    @property
    def held(self) -> int:
        """Octets that came and did not go on yet."""
        return len(self._held)

    def feed(self, data: bytes) -> bytes:
        """What is whole now."""
        held = self._held
        held += data
        whole = 0
        while True:
            if self._awaited is _TAG and self._may_begin_section(whole):
                if len(held) - whole < len(_SECTION_BEGIN):
                    break
                self._awaited = _SECTION
            found = self._awaited.search(held, self._seen)
            if found is None:
                # The end of a section may have come in part.
                self._seen = len(held) - 2 if self._awaited is _SECTION else len(held)
                break
            self._seen = found.end()
            whole = self._after(found.group(), found.start(), whole)
        if self._awaited is _TEXT:
            whole = len(held)
        given = bytes(held[:whole])
        del held[:whole]
        self._seen = max(self._seen - whole, 0)
        return given

    def _may_begin_section(self, begin: int) -> bool:
        return _SECTION_BEGIN.startswith(bytes(self._held[begin : begin + len(_SECTION_BEGIN)]))

    def _after(self, mark: bytes, at: int, whole: int) -> int:
        """Go on behind this mark. Gives where that begins of which the end has not come."""
        if self._awaited is _TEXT:
            self._awaited = _TAG if mark == b"<" else _REFERENCE
            return at
        if self._awaited is _TAG and mark in _QUOTED:
            self._awaited = _QUOTED[mark]
            return whole
        if self._awaited in _QUOTED.values() and mark != b"<":
            self._awaited = _TAG
            return whole
        self._awaited = _TEXT
        return self._seen
