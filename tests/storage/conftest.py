"""Vaults and keyrings for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import pytest

from openvoice.core.address import Address
from openvoice.core.protection import Protection
from openvoice.storage.vault import Vault

ALICE = Address.parse("alice@example.org")
BOB = Address.parse("bob@example.org")


class FakeKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory, which passes for one that keeps nothing in the clear."""

    # What :data:`openvoice.storage.system_keyring.ACCEPTED` goes by.
    __module__ = "keyring.backends.SecretService"
    priority = 5.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}
        self.fault: Exception | None = None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._fail()
        self.kept[service, username] = password

    def get_password(self, service: str, username: str) -> str | None:
        self._fail()
        return self.kept.get((service, username))

    def delete_password(self, service: str, username: str) -> None:
        self._fail()
        del self.kept[service, username]

    def _fail(self) -> None:
        if self.fault is not None:
            raise self.fault


@pytest.fixture
def system_keyring() -> Iterator[FakeKeyring]:
    """A system keyring that works."""
    before = keyring.get_keyring()
    made = FakeKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


OpenVault = Callable[..., Vault]


@pytest.fixture
def open_vault(tmp_path: Path) -> Iterator[OpenVault]:
    """Opens vaults, plain ones in one folder if nothing else is said, and closes them at the end."""
    opened: list[Vault] = []

    def open_vault(
        folder: Path = tmp_path / "home",
        protection: Protection = Protection.PLAIN,
        passphrase_file: Path | None = None,
        state: Path | None = tmp_path / "state",
    ) -> Vault:
        opened.append(Vault(folder, protection=protection, passphrase_file=passphrase_file, state=state))
        return opened[-1]

    yield open_vault
    for vault in opened:
        vault.close()


@pytest.fixture
def vault(open_vault: OpenVault) -> Vault:
    """A new vault."""
    return open_vault()
