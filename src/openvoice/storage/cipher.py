"""How an entry of the vault is sealed: nobody without the key learns its name, its place or what it says."""

from __future__ import annotations

import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from openvoice.errors import ConfigurationError

KEY_OCTETS = 32
SMALLEST = 256
"""Octets of the smallest sealed text; each larger size is twice the one before, so that sizes tell little."""
_NONCE_OCTETS = 12
_HEAD = struct.Struct(">HHI")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that is kept: ``value`` under ``name``, on a ``shelf`` of things of its kind."""

    shelf: str
    name: str
    value: bytes


class Cipher:
    """Seals entries with AES-256-GCM, and names them by HMAC-SHA-256; both keys come of the one given (32 octets)."""

    def __init__(self, key: bytes) -> None:
        self._names = _derive(key, b"names")
        self._values = AESGCM(_derive(key, b"values"))

    def shelf_mark(self, shelf: str) -> bytes:
        """What stands in the file for a shelf: 32 octets."""
        return hmac.digest(self._names, b"shelf\0" + shelf.encode(), "sha256")

    def name_mark(self, shelf: str, name: str) -> bytes:
        """What stands in the file for a name on a shelf: 32 octets."""
        return hmac.digest(self._names, b"name\0" + self.shelf_mark(shelf) + name.encode(), "sha256")

    def seal(self, entry: Entry) -> bytes:
        """Seal all of an entry. It opens under its own marks only."""
        shelf, name = entry.shelf.encode(), entry.name.encode()
        text = _HEAD.pack(len(shelf), len(name), len(entry.value)) + shelf + name + entry.value
        size = SMALLEST
        while size < len(text):
            size *= 2
        nonce = secrets.token_bytes(_NONCE_OCTETS)
        place = self.shelf_mark(entry.shelf) + self.name_mark(entry.shelf, entry.name)
        return nonce + self._values.encrypt(nonce, text.ljust(size, b"\0"), place)

    def open(self, shelf_mark: bytes, name_mark: bytes, sealed: bytes) -> Entry:
        """What was sealed under these marks.

        Raises:
            ConfigurationError: it was not, by this key, or it is damaged.
        """
        try:
            text = self._values.decrypt(sealed[:_NONCE_OCTETS], sealed[_NONCE_OCTETS:], shelf_mark + name_mark)
        except (InvalidTag, ValueError):
            raise ConfigurationError("an entry is damaged, or was sealed with another key") from None
        shelf, name, value = _HEAD.unpack_from(text)
        begin = _HEAD.size
        middle = begin + shelf
        end = middle + name
        return Entry(text[begin:middle].decode(), text[middle:end].decode(), text[end : end + value])


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_OCTETS, salt=None, info=b"openvoice vault " + purpose).derive(key)
