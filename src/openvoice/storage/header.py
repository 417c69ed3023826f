"""What stands in the vault in the clear: who holds its key."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError
from openvoice.storage.database import Database


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """``details`` finds the key again, with the holder's help. Each key has an ``epoch`` of its own."""

    protection: Protection
    details: Mapping[str, str]
    epoch: str = field(default_factory=lambda: secrets.token_hex(8))

    @classmethod
    def read(cls, database: Database) -> Header | None:
        """The header, or ``None`` if the vault was never made whole.

        Raises:
            ConfigurationError: it is damaged.
        """
        for epoch, protection, details in database.run("SELECT epoch, protection, details FROM header"):
            try:
                return cls(protection=Protection(protection), details=json.loads(details), epoch=epoch)
            except ValueError as error:
                raise ConfigurationError(f"{database.path} is damaged: it does not say who holds its key") from error
        return None

    def write(self, database: Database) -> None:
        """Put it in place of the one before."""
        database.run(
            "INSERT OR REPLACE INTO header (only_one, epoch, protection, details) VALUES (1, ?, ?, ?)",
            (self.epoch, self.protection.value, json.dumps(self.details)),
        )
