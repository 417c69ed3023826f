"""The vault of a profile. Its adapter is imported when it is opened: much can be asked without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvoice.config import Home, StorageSettings
from openvoice.core.protection import Protection

if TYPE_CHECKING:
    from openvoice.storage.vault import Vault


def open_vault(home: Home, storage: StorageSettings) -> Vault:
    """Open what the profile keeps, or make it.

    Raises:
        KeyUnavailable: its key cannot be had.
        ConfigurationError: it is damaged, or protected otherwise than the settings demand.
    """
    from openvoice.storage.vault import Vault

    home.create()
    return Vault(home.data, protection=storage.protection, passphrase_file=storage.passphrase_file, state=home.state)


def protection_in_words(protection: Protection) -> str:
    """How well what is kept is kept."""
    return _WORDS[protection]


_WORDS = {
    Protection.KEYRING: "encrypted; the system keyring holds the key, and opens when you log in",
    Protection.PASSPHRASE: "encrypted; the key opens with a passphrase that stands in a file elsewhere",
    Protection.PLAIN: "encrypted, but the key lies in a file beside it, and whoever can read your files can read it",
}
