"""The history of calls."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from openvoice.storage.cipher import Entry

if TYPE_CHECKING:
    from openvoice.storage.vault import Vault

CALLS = "calls"
PRESENCE = "presence"


class History:
    """Which calls there were, and until when each account was online to take them.

    A :class:`~openvoice.ports.CallStore` in the vault, which closes with it. A record is a JSON-ready dict with at
    least ``call``, ``time`` (Unix seconds) and ``account``.

    Every method may raise :class:`~openvoice.errors.ConfigurationError`.
    """

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def add(self, record: dict[str, Any]) -> None:
        """Keep a record; one with the same ``call`` is replaced."""
        self._vault.write(Entry(CALLS, record["call"], json.dumps(record).encode()))

    def list(self, limit: int) -> list[dict[str, Any]]:
        """The newest ``limit`` records, newest first; all of them if it is negative."""
        records: list[dict[str, Any]] = [json.loads(entry.value) for entry in self._vault.entries(CALLS)]
        records.sort(key=lambda record: record["time"], reverse=True)
        return records if limit < 0 else records[:limit]

    def last_online(self, account: str) -> float | None:
        """Unix time until which ``account`` was online on this machine, or ``None``."""
        time = self._vault.read(PRESENCE, account)
        return float(time) if time is not None else None

    def note_online(self, account: str, time: float) -> None:
        """Remember that ``account`` was online at ``time`` (Unix seconds)."""
        self._vault.write(Entry(PRESENCE, account, repr(float(time)).encode()))

    def close(self) -> None:
        self._vault.close()
