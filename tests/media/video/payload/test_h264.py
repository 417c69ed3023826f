"""H.264 in packets: RFC 6184, modes 0 and 1."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.codecs.h264 import H264PayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.h264 import START_CODE, H264Depayloader, H264Payloader, units

SPS, PPS = b"\x67\x42\xc0\x1f\x01", b"\x68\xce\x01"
IDR, FIRST, LATER = b"\x65\x88" + b"i" * 50, b"\x41\x9a" + b"f" * 30, b"\x41\x10" + b"l" * 30


def encoded(*found: bytes) -> EncodedPicture:
    return EncodedPicture(data=b"".join(START_CODE + unit for unit in found), key=True, time=1.0, width=64, height=48)


bodies = st.binary(max_size=900).filter(lambda body: b"\x00\x00" not in body and not body.endswith(b"\x00"))
nal_units = st.builds(
    lambda kind, body: bytes((0x60 | kind,)) + b"\x88" + body + b"\x80", st.sampled_from([1, 5, 6, 7, 8]), bodies
)


@given(st.lists(nal_units, min_size=1, max_size=6), st.integers(100, 1300))
def test_what_is_cut_is_put_together_again(found: list[bytes], maximum: int) -> None:
    payloads = H264Payloader(1).packets(encoded(*found), maximum)
    assert all(0 < len(payload) <= maximum for payload in payloads)
    depayloader = H264Depayloader()
    fragments = [depayloader.fragment(payload) for payload in payloads]
    assert units(depayloader.join(fragments)) == found
    assert b"".join(H264PayloadDescriptor.parse(payload)[1] for payload in payloads) == encoded(*found).data


def test_small_units_share_a_packet_and_long_ones_have_several() -> None:
    payloads = H264Payloader(1).packets(encoded(SPS, PPS, IDR, b"\x65\x20" + b"s" * 500), 200)
    assert [payload[0] & 0x1F for payload in payloads] == [24, 28, 28, 28]
    assert payloads[0][0] == 0x78  # as important as a parameter set
    assert [payload[1] for payload in payloads[1:]] == [0x85, 0x05, 0x45]


def test_mode_0_knows_neither_and_what_does_not_fit_is_refused() -> None:
    assert H264Payloader(0).packets(encoded(SPS, PPS, IDR), 100) == [SPS, PPS, IDR]
    with pytest.raises(ValueError, match="longer than a packet"):
        H264Payloader(0).packets(encoded(b"\x65" + b"s" * 100), 100)


@pytest.mark.parametrize("mode", [0, 1])
def test_data_without_units_is_refused(mode: int) -> None:
    nothing = EncodedPicture(data=b"\x00\x00\x01", key=False, time=0, width=2, height=2)
    with pytest.raises(ValueError, match="has NAL units"):
        H264Payloader(mode).packets(nothing, 1000)


@pytest.mark.parametrize(
    ("payload", "begins", "key"),
    [
        (SPS, True, True),
        (PPS, True, False),
        (b"\x09\x10", True, False),
        (IDR, True, True),
        (FIRST, True, False),
        (LATER, False, False),
        (b"\x41", False, False),
        (b"\x78\x00\x05" + SPS + b"\x00\x03" + PPS, True, True),
        (b"\x7c\x85\x88aa", True, True),
        (b"\x7c\x85\x18aa", False, True),
        (b"\x7c\x05\x88aa", False, True),
        (b"\x7c\x81\x88aa", True, False),
        (b"\x7c\x41\x88aa", False, False),
    ],
)
def test_where_a_picture_can_begin_and_what_is_of_a_key_picture(payload: bytes, begins: bool, key: bool) -> None:
    found = H264Depayloader().fragment(payload)
    assert (found.begins, found.key) == (begins, key)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x60",
        b"\x7e\x00",
        b"\x79\x00",
        b"\x7d\x85aa",
        b"\x78",
        b"\x78\x00",
        b"\x78\x00\x00",
        b"\x78\x00\x05abc",
        b"\x7c",
        b"\x7c\x85",
    ],
)
def test_what_neither_mode_allows_is_malformed(payload: bytes) -> None:
    with pytest.raises(MalformedPayload):
        H264Depayloader().fragment(payload)


@given(st.binary(max_size=60))
def test_reading_is_total(payload: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        assert H264Depayloader().fragment(payload).data


def test_fragments_that_begin_nothing_are_refused() -> None:
    for wrong in ([], [Fragment(data=b"b", begins=False, key=False)]):
        with pytest.raises(MalformedPayload):
            H264Depayloader().join(wrong)


def test_both_start_codes_are_known() -> None:
    assert units(b"\x00\x00\x00\x01" + SPS + b"\x00\x00\x01" + PPS + b"\x00\x00\x00\x01" + IDR) == [SPS, PPS, IDR]
