from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media import rtcp
from openvoice.media.feedback.arrivals import MAXIMUM_STATUSES, ArrivalReport, parse

DELTAS = st.none() | st.integers(0, 300) | st.integers(-32768, 32767)
RUNS = st.lists(st.tuples(DELTAS, st.integers(1, 40)), min_size=1, max_size=30)


def report(deltas: tuple[int | None, ...], base: int = 0, reference: int = 0) -> ArrivalReport:
    return ArrivalReport(ssrc=1, media_ssrc=2, number=3, base=base, reference=reference, deltas=deltas)


@given(RUNS, st.integers(0, 65535), st.integers(-(2**23), 2**23 - 1))
def test_what_is_written_is_read(runs: list[tuple[int | None, int]], base: int, reference: int) -> None:
    written = report(tuple(delta for delta, count in runs for _ in range(count)), base, reference)
    data = bytes(written)
    assert len(data) % 4 == 0
    assert rtcp.parse(data) == [written]


def test_a_message_as_the_draft_draws_it() -> None:
    # A run of two that came quickly, then a vector: missing, late, missing; and one octet of padding.
    body = bytes.fromhex("00000001 00000002 fffe 0005 000010 03") + bytes.fromhex("2002 c800 04 08 0190")
    read = parse(body)
    assert read == report((4, 8, None, 400, None), base=0xFFFE, reference=16)
    times = dict(read.arrivals)
    assert times == {0xFFFE: 1.025, 0xFFFF: 1.027, 0: None, 1: 1.127, 2: None}


def test_vectors_of_one_bit_are_read() -> None:
    body = bytes.fromhex("00000001 00000002 0007 0003 000000 00") + bytes.fromhex("a800 04 08")
    assert parse(body).deltas == (4, None, 8)


@given(st.binary(max_size=200))
def test_whatever_octets_come_they_are_read_or_refused(data: bytes) -> None:
    try:
        read = parse(data)
    except ValueError:
        return
    assert len(read.deltas) <= MAXIMUM_STATUSES
    assert parse(bytes(read)[4 : len(bytes(read)) - (bytes(read)[-1] if bytes(read)[0] & 0x20 else 0)]) == read


def test_a_message_about_everything_is_refused() -> None:
    with pytest.raises(ValueError, match="too many"):
        parse(bytes.fromhex("00000001 00000002 0000 ffff 000000 00") + bytes.fromhex("1fff") * 9)
    with pytest.raises(ValueError, match="run of nothing"):
        parse(bytes.fromhex("00000001 00000002 0000 0fff 000000 00 0000 0000"))


@pytest.mark.parametrize("deltas", [(), (None,) * (MAXIMUM_STATUSES + 1), (40_000,)])
def test_what_cannot_be_written_cannot_be_made(deltas: tuple[int | None, ...]) -> None:
    with pytest.raises(ValueError, match="arriv"):
        report(deltas)
