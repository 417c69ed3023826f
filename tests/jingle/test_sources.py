from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Source
from openvoice.jingle import namespaces as ns
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.serialize import serialize_jingle
from openvoice.jingle.sources import MAXIMUM_SOURCES, parse_sources, serialize_sources
from tests.jingle.samples import captured_jingle, content, jingle


def read(inner: str, ssrc: str = "") -> tuple[Source | None, int | None]:
    attribute = f" ssrc='{ssrc}'" if ssrc else ""
    return parse_sources(ElementTree.fromstring(f"<description xmlns='{ns.RTP}'{attribute}>{inner}</description>"))


def named(ssrc: object, cname: str | None = "c") -> str:
    parameter = f"<parameter name='cname' value='{cname}'/>" if cname is not None else ""
    return f"<source xmlns='{ns.SOURCES}' ssrc='{ssrc}'><parameter name='msid' value='a b'/>{parameter}</source>"


def group(*ssrcs: object, semantics: str = "FID") -> str:
    members = "".join(f"<source ssrc='{ssrc}'/>" for ssrc in ssrcs)
    return f"<ssrc-group xmlns='{ns.SOURCES}' semantics='{semantics}'>{members}</ssrc-group>"


@pytest.mark.parametrize(
    ("inner", "ssrc", "found"),
    [
        ("", "", (None, None)),
        ("", "7", (Source(7), None)),
        (named(7), "", (Source(7, "c"), None)),
        (named(7), "7", (Source(7, "c"), None)),
        (named(8) + named(7), "7", (Source(7, "c"), None)),
        (named(7, None) + named(7, "late"), "", (Source(7, "late"), None)),
        (named(7, "no name"), "", (Source(7), None)),
        (named(7) + named(8) + group(7, 8), "", (Source(7, "c"), 8)),
        (group(7, 8) + named(8) + named(7), "", (Source(7, "c"), 8)),
        (named(9) + named(7) + group(7, 8), "9", (Source(9, "c"), None)),
        (named(7) + group(7, 8), "7", (Source(7, "c"), 8)),
        (named(7) + group(7, 8, semantics="SIM"), "", (Source(7, "c"), None)),
        (named(7) + group(7), "", (Source(7, "c"), None)),
        (named(7) + group(7, 8, 9), "", (Source(7, "c"), None)),
        (named(7) + group(7, "x"), "", (Source(7, "c"), None)),
        (named(2**32) + named("-1") + named("x"), "", (None, None)),
        (named(7), str(2**32), (Source(7, "c"), None)),
        ("<source xmlns='urn:other' ssrc='7'/>", "", (None, None)),
    ],
)
def test_the_source_and_its_repair(inner: str, ssrc: str, found: object) -> None:
    assert read(inner, ssrc) == found


def test_sources_without_end_are_not_kept() -> None:
    many = "".join(named(number) for number in range(1, 10_000))
    assert read(many) == (Source(1, "c"), None)
    assert read(many, str(MAXIMUM_SOURCES)) == (Source(MAXIMUM_SOURCES, "c"), None)
    assert read(many, "5000") == (Source(5000), None)
    pairs = "".join(group(number, number + 1) for number in range(1, 10_000))
    assert read(pairs, "5000") == (Source(5000), None)


@given(st.integers(0, 2**32 - 1), st.none() | st.integers(0, 2**32 - 1))
def test_what_is_written_is_read(ssrc: int, repair: int | None) -> None:
    inner = named(ssrc) + (named(repair) + group(ssrc, repair) if repair is not None else "")
    first = parse_jingle(jingle("session-initiate", content("1", media="video", codecs=CODECS + inner)))
    assert parse_jingle(serialize_jingle(first)) == first


def test_a_source_without_a_name_is_only_numbered() -> None:
    assert list(serialize_sources(Source(7), 8)) == []
    assert len(list(serialize_sources(Source(7, "c"), None))) == 1


CODECS = (
    "<payload-type id='97' name='VP8' clockrate='90000'>"
    f"<rtcp-fb xmlns='{ns.RTCP_FEEDBACK}' type='nack' subtype='pli'/></payload-type>"
    f"<rtp-hdrext xmlns='{ns.RTP_HEADER_EXTENSIONS}' id='3' uri='urn:ietf:params:rtp-hdrext:sdes:mid'/>"
    f"<extmap-allow-mixed xmlns='{ns.RTP_HEADER_EXTENSIONS}'/>"
)


def test_feedback_in_the_description_is_of_every_payload_type() -> None:
    everywhere = f"<rtcp-fb xmlns='{ns.RTCP_FEEDBACK}' type='transport-cc'/><rtcp-fb xmlns='{ns.RTCP_FEEDBACK}'/>"
    two = CODECS + "<payload-type id='98' name='H264' clockrate='90000'/>" + everywhere
    (read_content,) = parse_jingle(jingle("session-initiate", content("1", media="video", codecs=two))).contents
    description = read_content.description
    assert description is not None
    assert [[f.type for f in codec.feedback] for codec in getattr(description, "codecs", ())] == [
        ["nack", "transport-cc"],
        ["transport-cc"],
    ]


@pytest.mark.parametrize("element", captured_jingle())
def test_the_sources_of_recorded_calls_survive(element: ElementTree.Element) -> None:
    read_once = parse_jingle(element)
    assert parse_jingle(serialize_jingle(read_once)).contents == read_once.contents
