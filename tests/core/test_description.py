from __future__ import annotations

import dataclasses

import pytest

from openvoice.core.description import (
    Candidate,
    Codec,
    Fingerprint,
    HeaderExtension,
    SessionDescription,
    Source,
    TransportDescription,
)
from openvoice.core.types import Vouching

from .descriptions import CANDIDATE, OPUS, description, voucher


def test_a_fingerprint_compares_its_bytes_and_not_who_vouches() -> None:
    one = Fingerprint("sha-256", bytes(32))
    assert one.matches(Fingerprint("sha-256", bytes(32), voucher()))
    assert not one.matches(Fingerprint("sha-256", b"\1" + bytes(31)))
    assert not one.matches(Fingerprint("sha-512", bytes(64)))
    assert str(one) == ":".join(["00"] * 32)


@pytest.mark.parametrize(("algorithm", "length"), [("sha-1", 20), ("md5", 16), ("sha-256", 31), ("", 0)])
def test_weak_or_broken_fingerprints_do_not_exist(algorithm: str, length: int) -> None:
    with pytest.raises(ValueError, match="protects"):
        Fingerprint(algorithm, bytes(length))


@pytest.mark.parametrize(
    "change",
    [
        {"address": "host.local"},
        {"port": 0},
        {"port": 65536},
        {"priority": -1},
        {"component": 0},
        {"foundation": ""},
        {"foundation": "x" * 33},
    ],
)
def test_candidates_out_of_range_do_not_exist(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        dataclasses.replace(CANDIDATE, **change)  # type: ignore[arg-type]


def test_other_values_out_of_range_do_not_exist() -> None:
    with pytest.raises(ValueError, match="codec"):
        Codec(payload_type=128, name="x", clock_rate=8000)
    with pytest.raises(ValueError, match="extension"):
        HeaderExtension(0, "x")
    with pytest.raises(ValueError, match="ICE"):
        TransportDescription(ufrag="", pwd="x")
    with pytest.raises(ValueError, match="contents"):
        SessionDescription(contents=())
    with pytest.raises(ValueError, match="bundle"):
        dataclasses.replace(description(), bundle=("1",))
    one = description().contents[0]
    with pytest.raises(ValueError, match="names"):
        SessionDescription(contents=(one, one))


def test_codecs_have_parameters() -> None:
    assert Codec(payload_type=0, name="x", clock_rate=8000, parameters=(("a", "1"),)).parameter("a") == "1"
    assert OPUS.parameter("a") is None


def test_looking_things_up() -> None:
    session = description(vouched_by=voucher())
    assert session.content("0") is session.contents[0]
    assert session.content("1") is None
    assert HeaderExtension(1, "urn:ietf:params:rtp-hdrext:sdes:mid").id == 1
    assert session.contents[0].codec(111) == OPUS
    assert session.contents[0].codec(0) is None
    assert {media.value for media in session.media} == {"audio"}
    assert session.vouching is Vouching.OMEMO_TRUSTED
    assert session.voucher == voucher()
    assert session.contents[0].transport.credentials == ("abcd", "x" * 22)
    assert "x" * 22 not in repr(session)
    bare = dataclasses.replace(
        session.contents[0], transport=dataclasses.replace(session.contents[0].transport, fingerprint=None)
    )
    assert SessionDescription(contents=(bare,)).vouching is Vouching.NONE
    assert SessionDescription(contents=(bare,)).voucher is None
    assert isinstance(CANDIDATE, Candidate)


def test_a_source_has_32_bits() -> None:
    for ssrc in (-1, 2**32):
        with pytest.raises(ValueError, match="32 bits"):
            Source(ssrc)
