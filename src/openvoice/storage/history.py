"""The history of calls, in one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from openvoice.errors import ConfigurationError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS call (
    id TEXT PRIMARY KEY,
    time REAL NOT NULL,
    account TEXT NOT NULL,
    record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS call_time ON call (time);
PRAGMA user_version = 1;
"""


class History:
    """A :class:`~openvoice.ports.CallStore` in a file that only its owner can read.

    A record is a JSON-ready dict with at least ``call``, ``time`` (Unix seconds) and ``account``.

    Raises:
        ConfigurationError: the file is damaged, from a newer openvoice, or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None)
            self._database.execute("PRAGMA journal_mode = WAL")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > 1:
                raise ConfigurationError(f"{path} was written by a newer openvoice: update this one")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"the call history {path} cannot be opened: {error}") from error

    def add(self, record: dict[str, Any]) -> None:
        """Keep a record; one with the same ``call`` is replaced."""
        try:
            self._database.execute(
                "INSERT OR REPLACE INTO call (id, time, account, record) VALUES (?, ?, ?, ?)",
                (record["call"], record["time"], record["account"], json.dumps(record)),
            )
        except sqlite3.Error as error:
            raise ConfigurationError(f"the call history {self._path} cannot be written: {error}") from error

    def list(self, limit: int) -> list[dict[str, Any]]:
        """The newest ``limit`` records, newest first."""
        rows = self._database.execute("SELECT record FROM call ORDER BY time DESC LIMIT ?", (limit,))
        return [json.loads(record) for (record,) in rows]

    def close(self) -> None:
        self._database.close()
