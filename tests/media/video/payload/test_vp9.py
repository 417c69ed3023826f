"""VP9 in packets: RFC 9628."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.codec import EncodedPicture, Fragment, MalformedPayload
from openvoice.media.video.payload.vp9 import Vp9Depayloader, Vp9Payloader


def encoded(data: bytes, *, key: bool) -> EncodedPicture:
    return EncodedPicture(data=data, key=key, time=1.0, width=640, height=360)


@given(st.binary(min_size=1, max_size=5000), st.booleans(), st.integers(100, 1500))
def test_what_is_cut_is_put_together_again(data: bytes, key: bool, maximum: int) -> None:
    payloads = Vp9Payloader().packets(encoded(data, key=key), maximum)
    assert all(0 < len(payload) <= maximum for payload in payloads)
    depayloader = Vp9Depayloader()
    fragments = [depayloader.fragment(payload) for payload in payloads]
    assert [fragment.begins for fragment in fragments] == [True] + [False] * (len(fragments) - 1)
    assert fragments[0].key == key
    assert depayloader.join(fragments) == data


def test_descriptors_say_what_libwebrtc_wants_to_know() -> None:
    payloader = Vp9Payloader()
    first, last = payloader.packets(encoded(bytes(150), key=True), 100)
    assert first[:9].hex() == "9a8000" + "10" + "02800168" + "00"
    assert last[:4].hex() == "94800000"
    (only,) = payloader.packets(encoded(b"abc", key=False), 100)
    assert only.hex() == "dc800102" + b"abc".hex()


@pytest.mark.parametrize(
    ("descriptor", "begins", "key"),
    [
        ("08", True, True),
        ("48", True, False),
        ("04", False, False),
        ("88 07", True, True),
        ("88 8007", True, True),
        ("a8 07 00 01", True, True),  # layers, not flexible: with TL0PICIDX
        ("b8 07 00", True, True),
        ("b8 07 02", False, False),  # the second spatial layer
        ("d8 07 02", True, False),
        ("d8 07 03 05 02", True, False),
        ("0a 00", True, True),
        ("0a 10 02800168", True, True),
        ("0a 30 02800168 050002d0", True, True),
        ("0a 08 02 04 01 08 01 02", True, True),
    ],
)
def test_each_descriptor_is_skipped(descriptor: str, begins: bool, key: bool) -> None:
    found = Vp9Depayloader().fragment(bytes.fromhex(descriptor) + b"frame")
    assert found == Fragment(data=b"frame", begins=begins, key=key)


@pytest.mark.parametrize(
    "payload", ["", "08", "88", "8880", "d8 07 03 03 03 01", "d8 07", "0a", "0a 10 0280", "0a 08 ff", "0a 08 01 0c 01"]
)
def test_a_payload_without_a_picture_is_malformed(payload: str) -> None:
    with pytest.raises(MalformedPayload):
        Vp9Depayloader().fragment(bytes.fromhex(payload))


@given(st.binary(max_size=60))
def test_reading_is_total(payload: bytes) -> None:
    with contextlib.suppress(MalformedPayload):
        assert Vp9Depayloader().fragment(payload).data


def test_picture_ids_come_again() -> None:
    payloader = Vp9Payloader()
    payloader._picture_id = (1 << 15) - 1
    numbers = [payloader.packets(encoded(b"a", key=True), 100)[0][1:3].hex() for _ in range(2)]
    assert numbers == ["ffff", "8000"]
