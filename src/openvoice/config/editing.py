"""Changes ``openvoice.toml``: one thing of it, and all else in it stays as its user wrote it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from openvoice.config.home import Home
from openvoice.config.reading import RULES, load
from openvoice.config.settings import AccountSettings, StorageSettings
from openvoice.core.address import Address
from openvoice.errors import ConfigurationError


def add_account(home: Home, account: AccountSettings) -> None:
    """Write an account into the file, replacing one of the same address; all else in it stays: remarks, and the rules
    that were written for this account.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """
    import tomlkit

    table = tomlkit.table()
    if account.server is not None:
        table["server"] = f"{account.server[0]}:{account.server[1]}"
    for key, value in (
        ("ca", account.ca_file),
        ("password_file", account.password_file),
        ("password_command", account.password_command),
    ):
        if value is not None:
            table[key] = str(value)

    def change(accounts: Any) -> None:
        before = accounts.get(str(account.address), {})
        table.update({key: before[key] for key in (*RULES, "alarm") if key in before})
        accounts[str(account.address)] = table

    _edit(home, "account", change)


def remove_account(home: Home, address: Address) -> None:
    """Take an account out of the file. Raises :class:`ConfigurationError` if it is not there."""
    load(home).account(address)
    _edit(home, "account", lambda accounts: accounts.__delitem__(str(address.bare)))


def choose_protection(home: Home, storage: StorageSettings) -> None:
    """Write into the file who holds the key from now on; all else in it stays.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """

    def change(table: Any) -> None:
        table["protection"] = storage.protection.value
        table.pop("passphrase_file", None)
        if storage.passphrase_file is not None:
            table["passphrase_file"] = str(storage.passphrase_file)

    _edit(home, "storage", change)


def _edit(home: Home, name: str, change: Callable[[Any], None]) -> None:
    # Only who changes something needs it: reading does without.
    import tomlkit

    load(home)
    home.create()
    document = tomlkit.parse(home.file.read_text(encoding="utf-8")) if home.file.exists() else tomlkit.document()
    if name not in document:
        document[name] = tomlkit.table(is_super_table=name == "account")
    change(document[name])
    _replace_file(home.file, tomlkit.dumps(document).encode())


def _replace_file(path: Path, data: bytes) -> None:
    """Write a private file (0600) so that a crash leaves the old one or the new one, never half of one.

    Raises:
        ConfigurationError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error
