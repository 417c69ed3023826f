"""The stream's parser: strict, bounded, and never behind."""

from __future__ import annotations

import contextlib
from itertools import pairwise
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import InsecureServer
from openvoice.signalling.xmpp.parser import ENDLESS, MAXIMUM_ELEMENTS, MAXIMUM_STANZA, StreamParser
from tests.signalling.xmpp.scripted import HEADER

STANZAS = (
    b"<message id='1'><body>a &amp; b</body></message> \n<iq id='2' xml:lang='en'/><presence id='3'>\xc3\xa9</presence>"
)


def opened() -> StreamParser:
    parser = StreamParser()
    parser.feed(HEADER.encode())
    assert [kind for kind, _ in parser.read_events()] == ["start"]
    return parser


def stanzas(parser: StreamParser) -> list[Element]:
    return [item for kind, item in parser.read_events() if kind == "end"]


@given(st.lists(st.integers(0, len(STANZAS)), max_size=12))
def test_cuts_make_no_difference(cuts: list[int]) -> None:
    parser = opened()
    places = [0, *sorted(cuts), len(STANZAS)]
    for begin, end in pairwise(places):
        parser.feed(STANZAS[begin:end])
    message, iq, presence = stanzas(parser)
    assert message.tag == "{jabber:client}message"
    assert message.findtext("{jabber:client}body") == "a & b"
    assert iq.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
    assert presence.text == "é"


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_stanza_is_there_with_its_last_octet(cut: int) -> None:
    whole = b"<message from='somebody@example.org/a' id='a-long-one'><body>x</body></message>"
    parser = opened()
    parser.feed(whole[:cut])
    assert stanzas(parser) == []
    parser.feed(whole[cut:])
    assert len(stanzas(parser)) == 1


def test_the_end_of_the_stream_is_told() -> None:
    parser = opened()
    parser.feed(b"<presence/></stream:stream>")
    assert [kind for kind, _ in parser.read_events()] == ["start", "end", "end"]


@pytest.mark.parametrize(
    "octets",
    [
        b"<!DOCTYPE stream [<!ENTITY a 'b'>]>",
        b"<!-- hello -->",
        b"<?target data?>",
        b"<html/>",
        b"<stream/>",
        b"HTTP/1.1 400",
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE a>".encode("utf-16"),
    ],
)
def test_the_prolog(octets: bytes) -> None:
    with pytest.raises(InsecureServer):
        StreamParser().feed(octets)


@pytest.mark.parametrize(
    "octets",
    [
        b"<!-- -->",
        b"<?a b?>",
        b"<a></b>",
        b"<a>&b;</a>",
        b"<a>\xff</a>",
        b"<a>\x01</a>",
        b"<!DOCTYPE a>",
        b"<" + b"a" * 10 + b" b='",
    ],
)
def test_restricted_xml_in_the_stream(octets: bytes) -> None:
    parser = opened()
    if octets.endswith(b"'"):
        parser.feed(octets)
        octets = b"c" * (ENDLESS + 1)
    with pytest.raises(InsecureServer):
        parser.feed(octets)


@pytest.mark.parametrize(
    "contents",
    [
        b"x" * (2 * MAXIMUM_STANZA),
        b"<a>" * 200 + b"</a>" * 200,
        b"<b>x</b>" * (MAXIMUM_ELEMENTS + 1),
        b"<b c='" + b"x" * (2 * MAXIMUM_STANZA) + b"'/>",
    ],
    ids=["large", "deep", "rich", "one large attribute"],
)
@pytest.mark.parametrize("piece", [1000, 1 << 16])
def test_a_stanza_beyond_the_bounds_comes_hollow_and_the_next_one_whole(contents: bytes, piece: int) -> None:
    """Anybody could send one, and a server would send it again after each login."""
    parser = opened()
    octets = b"<message from='eve'><body>first</body>" + contents + b"</message><message><body>next</body></message>"
    for begin in range(0, len(octets), piece):
        parser.feed(octets[begin : begin + piece])
    hollow, whole = stanzas(parser)
    assert (hollow.tag, hollow.attrib, len(hollow), hollow.text) == (
        "{jabber:client}message",
        {"from": "eve"},
        0,
        None,
    )
    assert whole.findtext("{jabber:client}body") == "next"


@pytest.mark.parametrize("octets", [b"<a>" + b"x" * ENDLESS, b"<a " + b" " * ENDLESS, b"<a><b c='" + b"x" * ENDLESS])
def test_a_stanza_without_end_ends_the_stream(octets: bytes) -> None:
    with pytest.raises(InsecureServer, match="too large"):
        opened().feed(octets)


def test_many_stanzas_and_much_white_space_are_no_large_stanza() -> None:
    parser = opened()
    for _ in range(5):
        parser.feed(b"<a>" + b"x" * 1000 + b"</a>" + b" " * (MAXIMUM_STANZA // 2))
    assert len(stanzas(parser)) == 5


@given(st.binary(max_size=200))
def test_anything_else_is_refused_or_read(octets: bytes) -> None:
    parser = opened()
    with contextlib.suppress(InsecureServer):
        parser.feed(octets)
    stanzas(parser)
