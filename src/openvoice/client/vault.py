"""The vault of a profile. Its adapter is imported when it is opened: much can be asked without it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from openvoice.config import Home, StorageSettings, choose_protection, remove_account
from openvoice.core.address import Address
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


def forget_account(home: Home, vault: Vault, account: Address) -> None:
    """Take an account out of ``openvoice.toml``, and its password, OMEMO keys and trust out of the vault.

    Raises:
        ConfigurationError: there is no such account.
    """
    remove_account(home, account)
    vault.passwords.forget(account)
    vault.secrets(account).clear()


@dataclass(frozen=True, slots=True)
class StorageState:
    """How what is kept is kept: ``protection`` holds the key of ``file``, and ``text`` says what that means."""

    protection: Protection
    file: Path
    text: str


def storage_state(home: Home) -> StorageState | None:
    """How the profile's vault is protected, or ``None`` if nothing is kept yet.

    Raises:
        ConfigurationError: it is damaged.
    """
    from openvoice.storage.vault import protection_of

    protection = protection_of(home.data)
    return StorageState(protection, home.vault, protection_in_words(protection)) if protection is not None else None


def protect(home: Home, before: StorageSettings, after: StorageSettings) -> None:
    """Seal all that is kept with a new key, held as said, and write so into ``openvoice.toml``.

    Raises:
        KeyUnavailable: the old key or the new one cannot be had. Nothing was changed.
        ConfigurationError: the vault or the file cannot be used.
    """
    from openvoice.storage.vault import Vault

    home.create()
    # As it was made, whatever the settings demand by now: this is how one comes to what they demand.
    with Vault(home.data, passphrase_file=before.passphrase_file, state=home.state) as vault:
        vault.protect(after.protection, after.passphrase_file)
    choose_protection(home, after)


def protection_in_words(protection: Protection) -> str:
    """How well what is kept is kept."""
    return _WORDS[protection]


_WORDS = {
    Protection.KEYRING: "encrypted; the system keyring holds the key, and opens when you log in",
    Protection.PASSPHRASE: "encrypted; the key opens with a passphrase that stands in a file elsewhere",
    Protection.PLAIN: "encrypted, but the key lies in a file beside it, and whoever can read your files can read it",
}
