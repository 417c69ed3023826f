"""Which streams of packets belong to a content (XEP-0339, RFC 5576): read and written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from openvoice.core.description import Source
from openvoice.jingle import namespaces as ns

MAXIMUM_SOURCES = 16
"""Of one content. Browsers name one for the pictures, and one for their repair."""

_SSRC = re.compile(r"[0-9]{1,10}", re.ASCII)
_CNAME = re.compile(r"[!-~]{1,256}", re.ASCII)


def parse_sources(description: Element) -> tuple[Source | None, int | None]:
    """The source of a ``description``, and the ssrc of the packets that repeat its own (RFC 4588).

    The first of a group ``FID`` is the source, else what the description itself names, else the first that is named.
    """
    named: dict[int, str] = {}
    pairs: list[tuple[int, int]] = []
    for namespace, name, child in ns.children(description):
        match namespace, name:
            case ns.SOURCES, "source":
                ssrc = _ssrc(child)
                if ssrc is not None and (ssrc in named or len(named) < MAXIMUM_SOURCES):
                    named[ssrc] = named.get(ssrc) or _cname(child)
            case ns.SOURCES, "ssrc-group" if child.get("semantics") == "FID" and len(pairs) < MAXIMUM_SOURCES:
                members = [_ssrc(member) for member in child.iterfind(ns.qualified(ns.SOURCES, "source"))]
                match members:
                    case [int(source), int(repair)]:
                        pairs.append((source, repair))
    own = _ssrc(description)
    first = next(iter(named), None)
    ssrc = pairs[0][0] if pairs and own in (None, pairs[0][0]) else first if own is None else own
    if ssrc is None:
        return None, None
    return Source(ssrc, named.get(ssrc, "")), dict(pairs).get(ssrc)


def serialize_sources(source: Source, repair: int | None) -> Iterator[Element]:
    """What names them in a ``description``. A source without a canonical name is not named."""
    if not source.cname:
        return
    ssrcs = [source.ssrc] if repair is None else [source.ssrc, repair]
    for ssrc in ssrcs:
        # In a bundle, browsers and Conversations drop the packets of a source that is not named so.
        named = Element(ns.qualified(ns.SOURCES, "source"), ssrc=str(ssrc))
        SubElement(named, ns.qualified(ns.SOURCES, "parameter"), name="cname", value=source.cname)
        yield named
    if repair is not None:
        group = Element(ns.qualified(ns.SOURCES, "ssrc-group"), semantics="FID")
        for ssrc in ssrcs:
            SubElement(group, ns.qualified(ns.SOURCES, "source"), ssrc=str(ssrc))
        yield group


def _ssrc(element: Element) -> int | None:
    text = element.get("ssrc", "")
    return int(text) if _SSRC.fullmatch(text) and int(text) < 2**32 else None


def _cname(element: Element) -> str:
    parameters = element.iterfind(ns.qualified(ns.SOURCES, "parameter"))
    cname = next((found.get("value", "") for found in parameters if found.get("name") == "cname"), "")
    return cname if _CNAME.fullmatch(cname) else ""
