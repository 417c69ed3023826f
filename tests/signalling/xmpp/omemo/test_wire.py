"""Elements of OMEMO: what is written is read back, and nothing that comes in raises anything but its own failure."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.signalling.xmpp.elements import element, serialize
from openvoice.signalling.xmpp.omemo import wire
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed

NS = wire.NAMESPACE
NUMBER = st.integers(0, 2**32 - 1)
DEVICE = st.integers(1, 2**32 - 1)
KEY = st.integers(0, 2**255 - 20).map(lambda number: number.to_bytes(32, "little"))
BUNDLE = st.builds(
    wire.Bundle,
    identity_key=KEY,
    signed_pre_key_id=NUMBER,
    signed_pre_key=KEY,
    signature=st.binary(min_size=64, max_size=64),
    pre_keys=st.dictionaries(NUMBER, KEY, min_size=1, max_size=5),
)
TEXT = st.sampled_from(
    ["", "AA==", "BQ==", "A" * 44, "A" * 5000, "not base64!", "\n AAAA \t", "ÄÖ", "-1", "7", "4294967296"]
)
NAMES = st.sampled_from(
    [
        "encrypted",
        "header",
        "key",
        "iv",
        "payload",
        "list",
        "device",
        "bundle",
        "prekeys",
        "preKeyPublic",
        "signedPreKeyPublic",
        "signedPreKeySignature",
        "identityKey",
    ]
)
ATTRIBUTES = st.dictionaries(st.sampled_from(["sid", "rid", "id", "prekey", "preKeyId", "signedPreKeyId"]), TEXT)


@st.composite
def junk(draw: st.DrawFn, depth: int = 3) -> Element:
    """Elements of the right names in wrong places, with wrong content."""
    made = Element(f"{{{draw(st.sampled_from([NS, 'urn:xmpp:omemo:2']))}}}{draw(NAMES)}", draw(ATTRIBUTES))
    made.text = draw(st.none() | TEXT)
    if depth:
        made.extend(draw(st.lists(junk(depth - 1), max_size=3)))
    return made


@given(BUNDLE)
def test_a_bundle_is_read_as_it_was_written(bundle: wire.Bundle) -> None:
    assert wire.read_bundle(fromstring(serialize(wire.write_bundle(bundle)))) == bundle


@given(DEVICE, DEVICE, st.binary(min_size=1, max_size=wire.MAXIMUM_KEY), st.booleans(), st.binary(max_size=300))
def test_an_element_is_read_as_it_was_written(
    sender: int, recipient: int, data: bytes, exchange: bool, ciphertext: bytes
) -> None:
    key, payload = wire.SealedKey(data, exchange), wire.Payload(bytes(12), ciphertext)
    message = element("jabber:client", "message", wire.write_encrypted(sender, recipient, key, payload))
    encrypted = wire.find_encrypted(fromstring(serialize(message)))
    assert encrypted is not None
    assert wire.read_header(encrypted, recipient) == wire.Header(sender, key)
    assert wire.read_header(encrypted, recipient % (2**32 - 1) + 1) == wire.Header(sender, None)
    if ciphertext:
        assert wire.read_payload(encrypted) == payload
    else:
        assert "payload" not in tostring(encrypted, encoding="unicode")


@given(st.lists(DEVICE, unique=True, max_size=wire.MAXIMUM_DEVICES))
def test_a_list_is_read_as_it_was_written(devices: list[int]) -> None:
    assert wire.read_device_list(fromstring(serialize(wire.write_device_list(devices)))) == tuple(devices)


@given(junk())
def test_junk_fails_in_one_way_only(item: Element) -> None:
    assert len(wire.read_device_list(item)) <= wire.MAXIMUM_DEVICES
    for read in (lambda: wire.read_header(item, 7), lambda: wire.read_payload(item)):
        try:
            read()
        except OmemoFailed as failure:
            assert failure.cause is Cause.JUNK  # noqa: PT017
    try:
        wire.read_bundle(item)
    except OmemoFailed as failure:
        assert failure.cause is Cause.NO_BUNDLE  # noqa: PT017


def test_a_list_is_bounded_and_names_each_device_once() -> None:
    thousand = wire.write_device_list([*range(1, 1001), 1, 2])
    assert wire.read_device_list(thousand) == tuple(range(1, 33))
    assert len(wire.read_device_list(thousand, 1000)) == 1000
    assert wire.read_device_list(wire.write_device_list([5, 5, 6])) == (5, 6)
    assert wire.read_device_list(None) == wire.read_device_list(Element("{urn:xmpp:omemo:2}devices")) == ()


@pytest.mark.parametrize("number", ["", "0", "-1", "4294967296", "1e3", "٣", "0x7", " 7", "99999999999"])
def test_numbers_that_are_none(number: str) -> None:
    assert wire.read_device_list(element(NS, "list", element(NS, "device", id=number))) == ()
    header = element(NS, "header", sid=number)
    with pytest.raises(OmemoFailed):
        wire.read_header(element(NS, "encrypted", header), 7)


def bundle_element(**changes: Element | None) -> Element:
    made = wire.write_bundle(
        wire.Bundle(
            identity_key=bytes(32),
            signed_pre_key_id=1,
            signed_pre_key=bytes(32),
            signature=bytes(64),
            pre_keys={1: bytes(32)},
        )
    )
    for name, changed in changes.items():
        found = made.find(f"{{{NS}}}{name}")
        assert found is not None
        made.remove(found)
        if changed is not None:
            made.append(changed)
    return made


@pytest.mark.parametrize("name", ["signedPreKeyPublic", "signedPreKeySignature", "identityKey", "prekeys"])
def test_a_bundle_without_a_part_is_none(name: str) -> None:
    wire.read_bundle(bundle_element())
    with pytest.raises(OmemoFailed):
        wire.read_bundle(bundle_element(**{name: None}))


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x05", bytes(33), b"\x05" + bytes(31), b"\x05" + bytes(33), bytes(32), b"\x05" + bytes(31) + b"\x80"],
)
def test_public_keys_that_are_none(octets: bytes) -> None:
    text = wire._text(octets)
    with pytest.raises(OmemoFailed):
        wire.read_bundle(bundle_element(identityKey=element(NS, "identityKey", text)))
    pre_key = element(NS, "preKeyPublic", text, preKeyId="2")
    with pytest.raises(OmemoFailed):
        wire.read_bundle(bundle_element(prekeys=element(NS, "prekeys", pre_key)))
    good = element(NS, "preKeyPublic", wire._text(b"\x05" + bytes(32)), preKeyId="3")
    assert list(wire.read_bundle(bundle_element(prekeys=element(NS, "prekeys", pre_key, good))).pre_keys) == [3]


def test_only_so_many_pre_keys_are_looked_at() -> None:
    text = wire._text(b"\x05" + bytes(32))
    many = [element(NS, "preKeyPublic", text, preKeyId=str(number)) for number in range(5000)]
    assert len(wire.read_bundle(bundle_element(prekeys=element(NS, "prekeys", *many))).pre_keys) == 200


def test_only_so_many_recipients_are_looked_at() -> None:
    keys = [element(NS, "key", "AAAA", rid=str(number)) for number in range(1, 2000)]
    encrypted = element(NS, "encrypted", element(NS, "header", *keys, sid="1"))
    assert wire.read_header(encrypted, 1000).key is not None
    assert wire.read_header(encrypted, 1001).key is None


@pytest.mark.parametrize(
    ("length", "fits"), [(0, False), (11, False), (12, True), (13, False), (16, True), (17, False)]
)
def test_the_length_of_the_vector(length: int, fits: bool) -> None:
    encrypted = wire.write_encrypted(1, 2, wire.SealedKey(b"k", exchange=False), wire.Payload(bytes(length), b"text"))
    if fits:
        assert len(wire.read_payload(encrypted).vector) == length
    else:
        with pytest.raises(OmemoFailed):
            wire.read_payload(encrypted)


def test_line_breaks_within_base64_are_read_over() -> None:
    encrypted = wire.write_encrypted(1, 2, wire.SealedKey(b"key" * 20, exchange=True), wire.Payload(bytes(12), b"text"))
    key = encrypted.find(f".//{{{NS}}}key")
    assert key is not None
    assert key.text
    key.text = "\n" + key.text[:40] + "\r\n" + key.text[40:] + " "
    assert wire.read_header(encrypted, 2).key == wire.SealedKey(b"key" * 20, exchange=True)


@pytest.mark.parametrize(
    "changes",
    [
        {"identity_key": bytes(31)},
        {"signed_pre_key": bytes(33)},
        {"signature": bytes(63)},
        {"pre_keys": {}},
        {"pre_keys": {-1: bytes(32)}},
        {"signed_pre_key_id": 2**32},
    ],
)
def test_a_bundle_checks_itself(changes: dict[str, object]) -> None:
    good: dict[str, object] = {
        "identity_key": bytes(32),
        "signed_pre_key_id": 1,
        "signed_pre_key": bytes(32),
        "signature": bytes(64),
        "pre_keys": {1: bytes(32)},
    }
    with pytest.raises(ValueError, match="key"):
        wire.Bundle(**{**good, **changes})  # type: ignore[arg-type]
