"""Numbers of contents that share a transport."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Codec, Content, HeaderExtension
from openvoice.errors import VideoFailed
from openvoice.media.bundling import numbered, without_clashes
from openvoice.media.video.negotiation import MID, offered_extensions, offered_video_codecs
from openvoice.testing.fakes import video_content

VP8 = Codec(payload_type=96, name="VP8", clock_rate=90_000)
RTX = Codec(payload_type=97, name="rtx", clock_rate=90_000, parameters=(("apt", "96"),))
OPUS = Codec(payload_type=96, name="opus", clock_rate=48_000, channels=2)


def content(*codecs: Codec, extensions: tuple[HeaderExtension, ...] = ()) -> Content:
    return video_content("1", codecs=codecs, header_extensions=extensions)


def numbers(of: Content) -> list[tuple[str, int, str | None]]:
    return [(codec.name, codec.payload_type, codec.parameter("apt")) for codec in of.codecs]


def test_numbers_that_are_free_stay() -> None:
    made = content(VP8, RTX, extensions=(HeaderExtension(4, MID),))
    assert numbered(made, []) == made


def test_numbers_that_are_taken_are_replaced_and_what_repeats_follows() -> None:
    assert numbers(numbered(content(VP8, RTX), [content(OPUS)])) == [("VP8", 97, None), ("rtx", 98, "97")]
    assert numbers(numbered(content(RTX, VP8), [content(OPUS, replace(OPUS, payload_type=97))])) == [
        ("rtx", 99, "98"),
        ("VP8", 98, None),
    ]


def test_the_same_codec_has_the_same_number_everywhere() -> None:
    theirs = content(replace(VP8, payload_type=120), replace(RTX, payload_type=121, parameters=(("apt", "120"),)), OPUS)
    assert numbers(numbered(content(VP8, RTX), [theirs])) == [("VP8", 120, None), ("rtx", 121, "120")]


def test_a_call_without_free_numbers_takes_no_more_pictures() -> None:
    full = content(*(replace(OPUS, payload_type=number) for number in (*range(96, 128), *range(35, 64))))
    with pytest.raises(VideoFailed):
        numbered(content(VP8), [full])


def test_extensions_keep_one_meaning_for_each_id() -> None:
    ours = content(VP8, extensions=(HeaderExtension(1, "a"), HeaderExtension(2, "b"), HeaderExtension(3, "c")))
    theirs = content(OPUS, extensions=(HeaderExtension(1, "z"), HeaderExtension(9, "b")))
    assert numbered(ours, [theirs]).header_extensions == (
        HeaderExtension(2, "a"),
        HeaderExtension(9, "b"),
        HeaderExtension(3, "c"),
    )
    full = content(OPUS, extensions=tuple(HeaderExtension(number, f"taken {number}") for number in range(1, 15)))
    assert numbered(ours, [full]).header_extensions == ()


@given(st.lists(st.integers(0, 127), unique=True, max_size=40), st.lists(st.integers(1, 14), unique=True))
def test_what_is_offered_never_clashes(payload_types: list[int], ids: list[int]) -> None:
    taken = content(
        *(replace(OPUS, payload_type=number) for number in payload_types),
        extensions=tuple(HeaderExtension(number, f"taken {number}") for number in ids),
    )
    ours = numbered(content(*offered_video_codecs(), extensions=offered_extensions()), [taken])
    used = [codec.payload_type for codec in ours.codecs]
    assert len(set(used)) == len(used)
    assert not set(used) & set(payload_types)
    assert all(codec.parameter("apt") in (None, *map(str, used)) for codec in ours.codecs)
    assert not {extension.id for extension in ours.header_extensions} & set(ids)
    assert [codec.name for codec in ours.codecs] == [codec.name for codec in offered_video_codecs()]


def test_an_answer_leaves_out_payload_types_that_nobody_could_tell_apart() -> None:
    answer = content(VP8, RTX, replace(VP8, payload_type=98))
    assert numbers(without_clashes(answer, [content(OPUS)])) == [("VP8", 98, None)]
    assert without_clashes(answer, [content(VP8)]) == answer
    told_apart = content(VP8, RTX, extensions=(HeaderExtension(4, MID),))
    assert without_clashes(told_apart, [content(OPUS)]) == told_apart


def test_an_answer_leaves_out_an_extension_whose_id_is_taken() -> None:
    answer = content(VP8, extensions=(HeaderExtension(1, "a"), HeaderExtension(2, "b")))
    others = [content(OPUS, extensions=(HeaderExtension(1, "z"), HeaderExtension(2, "b")))]
    assert without_clashes(answer, others).header_extensions == (HeaderExtension(2, "b"),)
