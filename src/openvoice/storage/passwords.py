"""Passwords that were typed in, each in a file that only its owner can read."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

from openvoice.core.address import Address
from openvoice.errors import ConfigurationError


class PasswordKeeper:
    """Keeps passwords in ``folder``, one file (0600) per account."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, account: Address, password: str) -> None:
        """Raises :class:`~openvoice.errors.ConfigurationError` if the file cannot be written."""
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file(account).unlink(missing_ok=True)
            with open(
                os.open(self._file(account), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                file.write(password)
        except OSError as error:
            raise ConfigurationError(f"the password cannot be kept in {self._folder}: {error.strerror}") from error

    def find(self, account: Address) -> str | None:
        """The password, or ``None`` if none is kept."""
        try:
            return self._file(account).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a text"
            raise ConfigurationError(f"{self._file(account)} cannot be read: {reason}") from error

    def forget(self, account: Address) -> None:
        """Remove the password, if there is one."""
        self._file(account).unlink(missing_ok=True)

    def _file(self, account: Address) -> Path:
        return self._folder / quote(str(account.bare), safe="@")
