"""Who this device is: its number and its identity key."""

from __future__ import annotations

import secrets as dice
from collections.abc import Container
from dataclasses import dataclass
from typing import Any

import xeddsa
from omemo.identity_key_pair import IdentityKeyPair

from openvoice.ports import SecretStore
from openvoice.signalling.xmpp.omemo.storage import SecretStorage, at_once, read_json, write_json

_DEVICE = "device"
_HIGHEST = 2**31 - 1
"""The highest number of a device (XEP-0384 0.3, 4.1)."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The number and the identity key of the own device, the latter in its Curve25519 form, 32 octets.

    ``published`` says whether others could ever find this device.
    """

    device: int
    key: bytes
    published: bool


def own_key(secrets: SecretStore) -> tuple[int, bytes] | None:
    """The number of the own device and its identity key in the Curve25519 form, 32 octets; ``None`` if none was made.

    Needs no connection.
    """
    found = _find(secrets)
    return None if found is None else (found.device, found.key)


def own_identity(secrets: SecretStore) -> Identity:
    """Who this device is, made at the first use."""
    found = _find(secrets)
    if found is None:
        with secrets.transaction():
            # Another process may have been faster.
            kept = read_json(secrets, _DEVICE) or _draw(())
            write_json(secrets, _DEVICE, kept)
            found = Identity(kept["id"], _key(secrets), kept["published"])
    return found


def settle_identity(secrets: SecretStore, taken: Container[int]) -> Identity:
    """Who this device is from now on, under a number that was not ``taken`` when it was settled."""
    with secrets.transaction():
        kept = read_json(secrets, _DEVICE)
        if kept is None or (not kept["settled"] and kept["id"] in taken):
            kept = _draw(taken)
        if not kept["settled"]:
            write_json(secrets, _DEVICE, {**kept, "settled": True})
        return Identity(kept["id"], _key(secrets), kept["published"])


def note_published(secrets: SecretStore) -> None:
    """Others can find the own device from now on."""
    with secrets.transaction():
        kept = read_json(secrets, _DEVICE)
        if not kept["published"]:
            write_json(secrets, _DEVICE, {**kept, "published": True})


def _find(secrets: SecretStore) -> Identity | None:
    kept = read_json(secrets, _DEVICE)
    return None if kept is None else Identity(kept["id"], _key(secrets), kept["published"])


def _draw(taken: Container[int]) -> dict[str, Any]:
    device = 1 + dice.randbelow(_HIGHEST)
    while device in taken:
        device = 1 + dice.randbelow(_HIGHEST)
    return {"id": device, "settled": False, "published": False}


def _key(secrets: SecretStore) -> bytes:
    pair = at_once(IdentityKeyPair.get(SecretStorage(secrets)))
    return bytes(xeddsa.ed25519_pub_to_curve25519_pub(pair.identity_key))
