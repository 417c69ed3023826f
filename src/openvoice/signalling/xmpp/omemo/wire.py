"""How OMEMO is written in XML (XEP-0384 0.3), pure: bounded, and total in what it reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.signalling.xmpp.elements import element
from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed

NAMESPACE = "eu.siacs.conversations.axolotl"
DEVICE_LIST = f"{NAMESPACE}.devicelist"
"""The node that holds the list of somebody's devices."""
OMEMO_2_DEVICE_LIST = "urn:xmpp:omemo:2:devices"
"""The node that the newer OMEMO has for the same; no client uses that OMEMO for calls."""

MAXIMUM_DEVICES = 32
"""Devices of one person that are looked at."""
MAXIMUM_OWN_DEVICES = 1000
"""Devices in the own list that are kept in it when it is written anew."""
MAXIMUM_PRE_KEYS = 200
"""Pre keys of one bundle that are looked at; clients publish a hundred."""
MAXIMUM_RECIPIENTS = 1000
"""Keys of one message among which the own one is looked for."""
MAXIMUM_KEY = 1024
"""Octets of an encrypted message key; a key exchange has about 200."""
MAXIMUM_PAYLOAD = 1024
"""Octets of an encrypted text; the longest fingerprint has 191."""

_PUBLIC_KEY = 32
_CURVE25519 = b"\x05"
"""What stands before a public key (libsignal's type byte)."""
_SIGNATURE = 64
_VECTORS = (12, 16)
"""Octets of an initialization vector; old clients use 16."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A message key, encrypted for one device; ``exchange`` says that it also begins a session."""

    data: bytes
    exchange: bool


@dataclass(frozen=True, slots=True)
class Header:
    """Which device wrote an element, and the message key in it for the own device, if there is one."""

    sender: int
    key: SealedKey | None


@dataclass(frozen=True, slots=True)
class Payload:
    """A text under a message key, AES-128-GCM, without the tag."""

    vector: bytes
    ciphertext: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """The public keys of a device, all in their Curve25519 form, 32 octets. Raises ``ValueError`` for others.

    ``signature`` is libsignal's, 64 octets: its highest bit is the sign of the identity key.
    """

    identity_key: bytes
    signed_pre_key_id: int
    signed_pre_key: bytes
    signature: bytes
    pre_keys: Mapping[int, bytes]

    def __post_init__(self) -> None:
        keys = (self.identity_key, self.signed_pre_key, *self.pre_keys.values())
        numbers = (self.signed_pre_key_id, *self.pre_keys)
        if {len(key) for key in keys} != {_PUBLIC_KEY} or len(self.signature) != _SIGNATURE:
            raise ValueError("a key of the wrong length")
        if not self.pre_keys or not all(0 <= number < 2**32 for number in numbers):
            raise ValueError("no pre keys, or keys with numbers out of range")


def bundle_node(device: int) -> str:
    """The node that holds the keys of a device."""
    return f"{NAMESPACE}.bundles:{device}"


def find_encrypted(message: Element) -> Element | None:
    """The OMEMO element of a message, if it has one."""
    return message.find(_tag("encrypted"))


def read_header(encrypted: Element, own_device: int) -> Header:
    """Raises :class:`OmemoFailed` (``junk``) for what is no ``<encrypted/>`` of a device."""
    header = encrypted.find(_tag("header")) if encrypted.tag == _tag("encrypted") else None
    sender = None if header is None else _number(header.get("sid"))
    if header is None or not sender:
        raise OmemoFailed(Cause.JUNK)
    for key in header.findall(_tag("key"))[:MAXIMUM_RECIPIENTS]:
        if _number(key.get("rid")) == own_device:
            data = _octets(key, MAXIMUM_KEY)
            if data is None:
                raise OmemoFailed(Cause.JUNK)
            return Header(sender, SealedKey(data, key.get("prekey") in ("true", "1")))
    return Header(sender, None)


def read_payload(encrypted: Element) -> Payload:
    """Raises :class:`OmemoFailed` (``junk``) if there is no payload that could hold a fingerprint."""
    vector = _octets(encrypted.find(f"{_tag('header')}/{_tag('iv')}"), max(_VECTORS))
    ciphertext = _octets(encrypted.find(_tag("payload")), MAXIMUM_PAYLOAD)
    if vector is None or len(vector) not in _VECTORS or not ciphertext:
        raise OmemoFailed(Cause.JUNK)
    return Payload(vector, ciphertext)


def write_encrypted(own_device: int, device: int, key: SealedKey, payload: Payload) -> Element:
    """``<encrypted/>`` for one device; without a ciphertext it carries a key alone."""
    sealed = element(NAMESPACE, "key", _text(key.data), rid=str(device), prekey="true" if key.exchange else None)
    header = element(NAMESPACE, "header", sealed, element(NAMESPACE, "iv", _text(payload.vector)), sid=str(own_device))
    content = [element(NAMESPACE, "payload", _text(payload.ciphertext))] if payload.ciphertext else []
    return element(NAMESPACE, "encrypted", header, *content)


def read_device_list(payload: Element | None, maximum: int = MAXIMUM_DEVICES) -> tuple[int, ...]:
    """The devices that a list names, each once, the first ``maximum`` of them; none if it is no list."""
    if payload is None or payload.tag != _tag("list"):
        return ()
    found: dict[int, None] = {}
    for item in payload.iterfind(_tag("device")):
        number = _number(item.get("id"))
        if number and len(found) < maximum:
            found[number] = None
    return tuple(found)


def write_device_list(devices: Iterable[int]) -> Element:
    return element(NAMESPACE, "list", *(element(NAMESPACE, "device", id=str(device)) for device in devices))


def read_bundle(payload: Element | None) -> Bundle:
    """Raises :class:`OmemoFailed` (``no-bundle``) if that are not the keys of a device."""
    if payload is None or payload.tag != _tag("bundle"):
        raise OmemoFailed(Cause.NO_BUNDLE)
    signed = payload.find(_tag("signedPreKeyPublic"))
    number = None if signed is None else _number(signed.get("signedPreKeyId"))
    signature = _octets(payload.find(_tag("signedPreKeySignature")), _SIGNATURE)
    identity_key, signed_pre_key = _public_key(payload.find(_tag("identityKey"))), _public_key(signed)
    pre_keys = {
        pre_key_id: pre_key
        for item in payload.findall(f"{_tag('prekeys')}/{_tag('preKeyPublic')}")[:MAXIMUM_PRE_KEYS]
        if (pre_key_id := _number(item.get("preKeyId"))) is not None and (pre_key := _public_key(item)) is not None
    }
    if number is None or signature is None or identity_key is None or signed_pre_key is None:
        raise OmemoFailed(Cause.NO_BUNDLE)
    try:
        return Bundle(
            identity_key=identity_key,
            signed_pre_key_id=number,
            signed_pre_key=signed_pre_key,
            signature=signature,
            pre_keys=pre_keys,
        )
    except ValueError:
        raise OmemoFailed(Cause.NO_BUNDLE) from None


def write_bundle(bundle: Bundle) -> Element:
    pre_keys = [
        element(NAMESPACE, "preKeyPublic", _text(_CURVE25519 + key), preKeyId=str(number))
        for number, key in sorted(bundle.pre_keys.items())
    ]
    return element(
        NAMESPACE,
        "bundle",
        element(
            NAMESPACE,
            "signedPreKeyPublic",
            _text(_CURVE25519 + bundle.signed_pre_key),
            signedPreKeyId=str(bundle.signed_pre_key_id),
        ),
        element(NAMESPACE, "signedPreKeySignature", _text(bundle.signature)),
        element(NAMESPACE, "identityKey", _text(_CURVE25519 + bundle.identity_key)),
        element(NAMESPACE, "prekeys", *pre_keys),
    )


def _tag(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _number(text: str | None) -> int | None:
    """An ``xs:unsignedInt``."""
    if text is None or not 0 < len(text) <= 10 or not text.isascii() or not text.isdigit():
        return None
    number = int(text)
    return number if number < 2**32 else None


def _octets(item: Element | None, maximum: int) -> bytes | None:
    text = "" if item is None or item.text is None else "".join(item.text[: 2 * maximum + 64].split())
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return octets if 0 < len(octets) <= maximum else None


def _public_key(item: Element | None) -> bytes | None:
    octets = _octets(item, len(_CURVE25519) + _PUBLIC_KEY)
    if octets is None or len(octets) != len(_CURVE25519) + _PUBLIC_KEY or not octets.startswith(_CURVE25519):
        return None
    # The highest bit counts for nothing (RFC 7748, 5): with it, one key would go by two names.
    return octets.removeprefix(_CURVE25519) if octets[-1] < 0x80 else None


def _text(octets: bytes) -> str:
    return base64.b64encode(octets).decode()
