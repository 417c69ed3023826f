"""The history of calls, in one SQLite file."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Sequence
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
CREATE TABLE IF NOT EXISTS presence (
    account TEXT PRIMARY KEY,
    online_until REAL NOT NULL
) STRICT;
PRAGMA user_version = 1;
"""


class History:
    """Which calls there were, and until when each account was online to take them.

    A :class:`~openvoice.ports.CallStore` in a file that only its owner can read.

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
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"the call history {path} cannot be opened: {error}") from error
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        try:
            self._database.execute("PRAGMA journal_mode = WAL")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version > 1:
                raise ConfigurationError(f"{self._path} was written by a newer openvoice: update this one")
            self._database.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise ConfigurationError(f"the call history {self._path} cannot be opened: {error}") from error

    def add(self, record: dict[str, Any]) -> None:
        """Keep a record; one with the same ``call`` is replaced."""
        self._write(
            "INSERT OR REPLACE INTO call (id, time, account, record) VALUES (?, ?, ?, ?)",
            (record["call"], record["time"], record["account"], json.dumps(record)),
        )

    def list(self, limit: int) -> list[dict[str, Any]]:
        """The newest ``limit`` records, newest first."""
        rows = self._select("SELECT record FROM call ORDER BY time DESC LIMIT ?", limit)
        return [json.loads(record) for (record,) in rows]

    def last_online(self, account: str) -> float | None:
        """Unix time until which ``account`` was online on this machine, or ``None``."""
        rows = self._select("SELECT online_until FROM presence WHERE account = ?", account)
        return float(rows[0][0]) if rows else None

    def note_online(self, account: str, time: float) -> None:
        """Remember that ``account`` was online at ``time`` (Unix seconds)."""
        self._write("INSERT OR REPLACE INTO presence (account, online_until) VALUES (?, ?)", (account, time))

    def close(self) -> None:
        self._database.close()

    # ``list`` is a method here, and no type any more.
    def _select(self, query: str, parameter: int | str) -> Sequence[tuple[Any, ...]]:
        try:
            return self._database.execute(query, (parameter,)).fetchall()
        except sqlite3.Error as error:
            raise ConfigurationError(f"the call history {self._path} cannot be read: {error}") from error

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._database.execute(statement, values)
        except sqlite3.Error as error:
            raise ConfigurationError(f"the call history {self._path} cannot be written: {error}") from error
