"""Packets of several contents on one transport."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Codec, Content, Source
from openvoice.media.demultiplexing import MAXIMUM_LEARNT, Demultiplexer
from openvoice.testing.fakes import video_content


def content(name: str, *numbers: int, source: int | None = None, repair: int | None = None) -> tuple[Content, Content]:
    """Both halves; the peer's names its sources."""
    codecs = tuple(Codec(payload_type=number, name="VP8", clock_rate=90_000) for number in numbers)
    made = video_content(name, codecs=codecs)
    return made, video_content(name, source=None if source is None else Source(source), repair=repair)


def demultiplexer(*contents: tuple[Content, Content]) -> Demultiplexer:
    made = Demultiplexer()
    made.agree(contents)
    return made


def test_a_content_alone_gets_everything() -> None:
    alone = demultiplexer(content("0", 111))
    assert alone.route(1, 5, "elsewhere") == "0"
    assert demultiplexer().route(1, 5, None) is None


def test_described_sources_and_their_repairs_are_known() -> None:
    both = demultiplexer(content("0", 111, source=1), content("1", 96, source=2, repair=3))
    assert [both.route(ssrc, 50, None) for ssrc in (1, 2, 3, 4)] == ["0", "1", "1", None]


def test_a_source_that_nobody_named_is_known_by_its_payload_type_from_then_on() -> None:
    both = demultiplexer(content("0", 111), content("1", 96))
    assert both.route(7, 13, None) is None
    assert both.route(7, 96, None) == "1"
    assert both.route(7, 13, None) == "1"


def test_a_payload_type_of_two_contents_tells_nothing() -> None:
    both = demultiplexer(content("1", 96), content("2", 96))
    assert both.route(7, 96, None) is None
    assert both.route(7, 96, "2") == "2"
    assert both.route(7, 96, None) == "2"
    assert both.route(8, 96, None) is None


def test_what_a_packet_says_itself_counts_most() -> None:
    both = demultiplexer(content("1", 96, source=1), content("2", 98))
    assert both.route(1, 96, "2") == "2"
    assert both.route(1, 96, None) == "2"
    assert both.route(1, 96, "3") is None


def test_what_is_learnt_goes_with_its_content() -> None:
    both = demultiplexer(content("1", 96), content("2", 98))
    assert both.route(5, 98, None) == "2"
    both.agree([content("1", 96), content("3", 100)])
    assert both.route(5, 50, None) is None


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 127), st.none() | st.sampled_from("012x"))))
def test_whatever_comes_memory_is_bounded_and_only_contents_are_named(
    packets: list[tuple[int, int, str | None]],
) -> None:
    several = demultiplexer(content("0", 111), content("1", 96, 97), content("2", 96))
    for packet in packets:
        assert several.route(*packet) in ("0", "1", "2", None)
    for ssrc in range(3 * MAXIMUM_LEARNT):
        several.route(ssrc, 97, None)
    assert len(several._learnt) <= MAXIMUM_LEARNT
