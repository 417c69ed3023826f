"""Passwords that were typed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from openvoice.core.address import Address
from openvoice.storage.cipher import Entry

if TYPE_CHECKING:
    from openvoice.storage.vault import Vault

PASSWORDS = "passwords"


class PasswordKeeper:
    """Keeps passwords in the vault. Every method may raise :class:`~openvoice.errors.ConfigurationError`."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def keep(self, account: Address, password: str) -> None:
        """Keep the password, in place of the one before."""
        self._vault.write(Entry(PASSWORDS, str(account.bare), password.encode()))

    def find(self, account: Address) -> str | None:
        """The password, or ``None`` if none is kept."""
        password = self._vault.read(PASSWORDS, str(account.bare))
        return password.decode() if password is not None else None

    def forget(self, account: Address) -> None:
        """Remove the password, if there is one."""
        self._vault.remove(PASSWORDS, str(account.bare))
