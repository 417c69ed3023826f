"""AV1 in packets: the format of the Alliance for Open Media."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.codec import EncodedPicture, MalformedPayload
from openvoice.media.video.payload.av1 import Av1Depayloader, Av1Payloader, units

DELIMITER = b"\x12\x00"
SEQUENCE, FRAME = b"\x0a\x03abc", b"\x32\x05frame"


def encoded(data: bytes, *, key: bool = True) -> EncodedPicture:
    return EncodedPicture(data=data, key=key, time=1.0, width=64, height=48)


def sized(size: int) -> bytes:
    return bytes((size,)) if size < 128 else bytes((size & 127 | 128, size >> 7))


obus = st.builds(
    lambda kind, body, layer: (
        bytes((kind << 3 | 2 | (0 if layer is None else 4),))
        + (b"" if layer is None else bytes((layer << 3,)))
        + sized(len(body))
        + body
    ),
    st.sampled_from([1, 3, 4, 5, 6]),
    st.binary(max_size=3000),
    st.none() | st.integers(0, 31),
)


@given(st.lists(obus, min_size=1, max_size=6), st.booleans(), st.integers(100, 1300))
def test_what_is_cut_is_put_together_again(found: list[bytes], key: bool, maximum: int) -> None:
    stream = DELIMITER + b"".join(found)
    payloads = Av1Payloader().packets(encoded(stream, key=key), maximum)
    assert all(1 < len(payload) <= maximum for payload in payloads)
    depayloader = Av1Depayloader()
    fragments = [depayloader.fragment(payload) for payload in payloads]
    assert fragments[0].begins
    assert [fragment.key for fragment in fragments] == [key] + [False] * (len(fragments) - 1)
    assert depayloader.join(fragments) == stream


def test_what_no_receiver_needs_is_left_out_and_the_rest_has_no_size() -> None:
    stream = DELIMITER + SEQUENCE + FRAME + b"\x7a\x02pp"
    assert list(units(stream)) == [b"\x08abc", b"\x30frame"]
    assert Av1Payloader().packets(encoded(stream), 100) == [b"\x08\x04\x08abc\x06\x30frame"]
    assert list(units(b"\x30frame")) == [b"\x30frame"]


@pytest.mark.parametrize(
    "payload",
    [
        b"\x20\x04\x08abc\x30frame",  # two elements, the last without a size
        b"\x10\x30frame",
        b"\x10\x32\x05frame",  # with the size that it should not have
        b"\x00\x06\x30frame",
    ],
)
def test_each_way_to_count_elements_is_read(payload: bytes) -> None:
    depayloader = Av1Depayloader()
    assert depayloader.join([depayloader.fragment(payload)]).endswith(FRAME)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x00",
        b"\x20\x04\x08abc",
        b"\x10",
        b"\x00\x00",
        b"\x00\x07\x30frame",
        b"\x00" + b"\xff" * 9,
        b"\x88\x06\x30frame",
    ],
)
def test_what_the_format_does_not_allow_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedPayload):
        Av1Depayloader().fragment(payload)


def test_fragments_that_do_not_fit_together_are_refused() -> None:
    depayloader = Av1Depayloader()
    whole = depayloader.fragment(b"\x10\x30frame")
    begun, ended = depayloader.fragment(b"\x50\x30fra"), depayloader.fragment(b"\x90me")
    assert depayloader.join([begun, ended]) == DELIMITER + FRAME
    for wrong in ([], [ended], [begun], [begun, whole], [whole, ended], [begun, ended, ended]):
        with pytest.raises(MalformedPayload):
            depayloader.join(wrong)
    with pytest.raises(MalformedPayload):
        depayloader.join([depayloader.fragment(b"\x10\x34")])


@given(st.lists(st.binary(max_size=30), max_size=3))
def test_reading_is_total(payloads: list[bytes]) -> None:
    depayloader = Av1Depayloader()
    with contextlib.suppress(MalformedPayload):
        assert depayloader.join([depayloader.fragment(payload) for payload in payloads])


@pytest.mark.parametrize("stream", [DELIMITER, b"\x32\x09frame", b"\x32" + b"\xff" * 9])
def test_data_that_is_no_temporal_unit_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"AV1|OBU"):
        Av1Payloader().packets(encoded(stream), 100)
