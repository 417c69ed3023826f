"""Who holds the key of the vault."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError
from openvoice.storage.passphrase import PassphraseHolder
from openvoice.storage.plain import PlainHolder
from openvoice.storage.system_keyring import KeyringHolder


class KeyHolder(Protocol):
    """Keeps the key (32 octets). Every method raises :class:`~openvoice.errors.KeyUnavailable` if it cannot."""

    def keep(self, key: bytes) -> dict[str, str]:
        """Put the key away. What is returned finds it again, and is kept in the clear."""
        ...

    def find(self, details: Mapping[str, str]) -> bytes: ...

    def forget(self, details: Mapping[str, str]) -> None:
        """Let go of a key that opens nothing any more. Never raises: what is left is of no use to anybody."""
        ...


def holder(protection: Protection, folder: Path, passphrase_file: Path | None) -> KeyHolder:
    """The holder of that kind, for a vault in ``folder``.

    Raises:
        ConfigurationError: a passphrase is wanted, and no file named.
    """
    match protection:
        case Protection.KEYRING:
            return KeyringHolder()
        case Protection.PLAIN:
            return PlainHolder(folder)
        case Protection.PASSPHRASE if passphrase_file is not None:
            return PassphraseHolder(passphrase_file)
    raise ConfigurationError(
        f"what is kept in {folder} is protected by a passphrase: name its file in openvoice.toml, "
        "[storage] passphrase_file"
    )
