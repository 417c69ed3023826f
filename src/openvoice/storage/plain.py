"""The key in a file beside what it opens, for machines that have no better place."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from openvoice.errors import KeyUnavailable
from openvoice.storage.files import write_private

REMARK = (
    "This is the key of openvoice.vault beside it. It protects against nobody who can read this folder or a copy of it."
)


class PlainHolder:
    """Keeps keys in ``folder``, each in a file of its own (0600)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, key: bytes) -> dict[str, str]:
        name = f"openvoice-{secrets.token_hex(4)}.key"
        try:
            write_private(self._folder / name, f"{REMARK}\n{key.hex()}\n".encode())
        except OSError as error:
            raise KeyUnavailable(f"{self._folder / name} cannot be written: {error.strerror}") from error
        return {"file": name}

    def find(self, details: Mapping[str, str]) -> bytes:
        path = self._path(details)
        try:
            return bytes.fromhex(path.read_text(encoding="ascii").splitlines()[1])
        except OSError as error:
            raise KeyUnavailable(
                f"the key {path} cannot be read ({error.strerror}): without it nothing opens {self._folder}"
            ) from error
        except (ValueError, IndexError) as error:
            raise KeyUnavailable(f"the key {path} is damaged: take it from a copy") from error

    def forget(self, details: Mapping[str, str]) -> None:
        with suppress(OSError):
            self._path(details).unlink()

    def _path(self, details: Mapping[str, str]) -> Path:
        # The name alone: what stands in the clear must not lead elsewhere.
        return self._folder / Path(details.get("file", "")).name
