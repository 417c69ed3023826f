"""VP8 in packets: RFC 7741."""

from __future__ import annotations

import contextlib

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor, vp8_depayload
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.vp8 import Vp8Depayloader, Vp8Payloader


def encoded(data: bytes) -> EncodedPicture:
    return EncodedPicture(data=data, key=not data[0] & 1, time=1.0, width=64, height=48)


@given(st.binary(min_size=1, max_size=5000), st.integers(100, 1500))
def test_what_is_cut_is_put_together_again(data: bytes, maximum: int) -> None:
    payloads = Vp8Payloader().packets(encoded(data), maximum)
    assert all(0 < len(payload) <= maximum for payload in payloads)
    depayloader = Vp8Depayloader()
    fragments = [depayloader.fragment(payload) for payload in payloads]
    assert [fragment.begins for fragment in fragments] == [True] + [False] * (len(fragments) - 1)
    assert fragments[0].key == (not data[0] & 1)
    assert depayloader.join(fragments) == data
    assert b"".join(vp8_depayload(payload) for payload in payloads) == data


def test_pictures_are_numbered_and_the_numbers_come_again() -> None:
    payloader = Vp8Payloader()
    payloader._picture_id = (1 << 15) - 1
    numbers = []
    for _ in range(2):
        for payload in payloader.packets(encoded(bytes(300)), 200):
            descriptor, _ = VpxPayloadDescriptor.parse(payload)
            numbers.append((descriptor.picture_id, descriptor.partition_start))
    assert numbers == [(32767, 1), (32767, 0), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("descriptor", "begins"),
    [
        ("10", True),
        ("00", False),
        ("11", False),  # a second partition
        ("9080 11", True),
        ("9080 9234", True),
        ("90f0 9234 07 e1", True),
        ("9040 07", True),
        ("9020 c0", True),
        ("9010 03", True),
        ("9000", True),
    ],
)
@pytest.mark.parametrize("frame", ["00", "01"])
def test_each_descriptor_is_skipped(descriptor: str, begins: bool, frame: str) -> None:
    found = Vp8Depayloader().fragment(bytes.fromhex(descriptor) + bytes.fromhex(frame) + b"rest")
    assert found == Fragment(data=bytes.fromhex(frame) + b"rest", begins=begins, key=begins and frame == "00")


@pytest.mark.parametrize("payload", ["", "10", "90", "9080", "9080 92", "90f0 9234 07", "90f0 9234 07 e1"])
def test_a_payload_without_a_picture_is_malformed(payload: str) -> None:
    with pytest.raises(MalformedPayload):
        Vp8Depayloader().fragment(bytes.fromhex(payload))


@given(st.binary(max_size=40))
def test_reading_is_total(payload: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        assert Vp8Depayloader().fragment(payload).data
