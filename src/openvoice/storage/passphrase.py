"""The key under a passphrase that stands in a file, for servers."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from openvoice.errors import KeyUnavailable
from openvoice.storage.cipher import KEY_OCTETS

COST = 2**17
"""scrypt's N (RFC 7914): with r = 8 each guess costs 128 MiB and about a third of a second."""
_BLOCK_SIZE = 8
_MOST_COST = 2**20
_SALT_OCTETS = 16
_NONCE = bytes(12)
"""Every wrapping has a salt of its own, and so a key that is used once."""


class PassphraseHolder:
    """Wraps keys under the first line of ``file``, by scrypt and AES-256-GCM."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def keep(self, key: bytes) -> dict[str, str]:
        salt = secrets.token_bytes(_SALT_OCTETS)
        wrapped = self._wrapping(salt, COST).encrypt(_NONCE, key, None)
        return {"salt": salt.hex(), "cost": str(COST), "wrapped": wrapped.hex()}

    def find(self, details: Mapping[str, str]) -> bytes:
        try:
            cost = int(details["cost"])
            salt, wrapped = bytes.fromhex(details["salt"]), bytes.fromhex(details["wrapped"])
            if not 1 < cost <= _MOST_COST:
                raise ValueError
            wrapping = self._wrapping(salt, cost)
        except (KeyError, ValueError) as error:
            raise KeyUnavailable("what wraps the key of the vault is damaged: take the vault from a copy") from error
        try:
            return wrapping.decrypt(_NONCE, wrapped, None)
        except InvalidTag:
            raise KeyUnavailable(f"the passphrase in {self._file} is not that of the vault") from None

    def forget(self, details: Mapping[str, str]) -> None:
        """Nothing is kept but what the vault forgets itself."""

    def _wrapping(self, salt: bytes, cost: int) -> AESGCM:
        return AESGCM(Scrypt(salt=salt, length=KEY_OCTETS, n=cost, r=_BLOCK_SIZE, p=1).derive(self._passphrase()))

    def _passphrase(self) -> bytes:
        try:
            passphrase = self._file.read_bytes().partition(b"\n")[0].removesuffix(b"\r")
        except OSError as error:
            raise KeyUnavailable(f"the passphrase file {self._file} cannot be read: {error.strerror}") from error
        if not passphrase:
            raise KeyUnavailable(f"the passphrase file {self._file} is empty: write the passphrase into its first line")
        return passphrase
