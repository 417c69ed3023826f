"""The secrets of one account in the vault."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from openvoice.core.address import Address
from openvoice.storage.cipher import Entry

if TYPE_CHECKING:
    from openvoice.storage.vault import Vault

SHELVES = "secrets/"
"""What the names of the shelves of all accounts begin with."""


class VaultSecrets:
    """A :class:`~openvoice.ports.SecretStore`. Every method may raise ``ConfigurationError``."""

    def __init__(self, vault: Vault, account: Address) -> None:
        self._vault = vault
        self._shelf = SHELVES + str(account.bare)

    def read(self, name: str) -> bytes | None:
        return self._vault.read(self._shelf, name)

    def write(self, name: str, value: bytes) -> None:
        self._vault.write(Entry(self._shelf, name, value))

    def remove(self, name: str) -> None:
        self._vault.remove(self._shelf, name)

    def names(self, prefix: str) -> list[str]:
        return sorted(entry.name for entry in self._vault.entries(self._shelf) if entry.name.startswith(prefix))

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            for name in self.names(""):
                self.remove(name)

    def transaction(self) -> AbstractContextManager[None]:
        return self._vault.transaction()
