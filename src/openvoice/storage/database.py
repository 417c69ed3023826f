"""The SQLite file of the vault: private, durable, shared by the processes of one user."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from openvoice.errors import ConfigurationError

VERSION = 1
WAIT = 5.0
"""Seconds to wait for another process that writes."""
_PAUSE = 0.005

_SCHEMA = (
    # Who holds the key, in the clear: it is needed to find the key. ``epoch`` changes with the key.
    "CREATE TABLE IF NOT EXISTS header (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), epoch TEXT NOT NULL,"
    " protection TEXT NOT NULL, details TEXT NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS entry (shelf BLOB NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL,"
    " PRIMARY KEY (shelf, name)) STRICT",
    f"PRAGMA user_version = {VERSION}",
)


class Database:
    """One connection. Threads take turns; processes wait for each other, for :data:`WAIT` seconds at most.

    Raises:
        ConfigurationError: from any method: the file is damaged, from a newer openvoice, in use for too long, or the
            disk is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.turn = threading.RLock()
        """Whoever does several things in a row that belong together holds it."""
        self._depth = 0
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # One that is there is not opened here: closing it would let go of locks that SQLite holds on it (fcntl(2)).
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._connection = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise ConfigurationError(f"{path} cannot be opened: {_reason(error)}") from error
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def _prepare(self) -> None:
        self.run("PRAGMA secure_delete = ON")
        ((version,),) = self.run("PRAGMA user_version")
        if version > VERSION:
            raise ConfigurationError(f"{self.path} was written by a newer openvoice: update this one")
        self._use_log()
        self.run("PRAGMA synchronous = FULL")
        if version < VERSION:
            with self.transaction():
                for statement in _SCHEMA:
                    self.run(statement)

    def _use_log(self) -> None:
        # SQLite itself does not wait with this, whatever it was told.
        deadline = time.monotonic() + WAIT
        while True:
            try:
                self.run("PRAGMA journal_mode = WAL")
                return
            except ConfigurationError as error:
                name = getattr(error.__cause__, "sqlite_errorname", "")
                if not name.startswith("SQLITE_BUSY") or time.monotonic() > deadline:
                    raise
            time.sleep(_PAUSE)

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run one statement; all its rows."""
        with self.turn:
            try:
                # After some failures, a full disk for one, SQLite takes all of a transaction back: without this, what
                # follows in it would be written all the same.
                if self._depth and not self._connection.in_transaction:
                    raise ConfigurationError(f"{self.path}: what was written together could not be")
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise ConfigurationError(f"{self.path} cannot be used: {_reason(error)}") from error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written inside becomes durable at the end, or nothing. One inside another may fail on its own."""
        with self.turn:
            mark = f"level_{self._depth}"
            outermost = self._depth == 0
            self.run("BEGIN IMMEDIATE" if outermost else f"SAVEPOINT {mark}")
            self._depth += 1
            try:
                yield
                self.run("COMMIT" if outermost else f"RELEASE {mark}")
            except BaseException:
                if self._connection.in_transaction:
                    for statement in ("ROLLBACK",) if outermost else (f"ROLLBACK TO {mark}", f"RELEASE {mark}"):
                        self.run(statement)
                raise
            finally:
                self._depth -= 1

    def compact(self) -> None:
        """Write the log into the file and the file anew, so that nothing is left of what was removed."""
        with self.turn:
            self._empty_log()
            self.run("VACUUM")
            self._empty_log()

    def octets(self) -> bytes:
        """The file as it is, read by SQLite itself: whoever else closes it lets go of the locks on it (fcntl(2))."""
        with self.turn:
            return bytes(self._connection.serialize())

    def _empty_log(self) -> None:
        ((busy, _, _),) = self.run("PRAGMA wal_checkpoint(TRUNCATE)")
        if busy:
            raise ConfigurationError(f"{self.path} is in use by another openvoice: end that one, and try again")

    @property
    def in_transaction(self) -> bool:
        return self._depth > 0

    def close(self) -> None:
        with self.turn:
            self._connection.close()


def _reason(error: Exception) -> str:
    """What went wrong, in words for a person."""
    if isinstance(error, OSError):
        return (error.strerror or "unknown error").lower()
    name = getattr(error, "sqlite_errorname", "")
    return next((words for begin, words in _REASONS.items() if name.startswith(begin)), str(error))


_REASONS = {
    "SQLITE_FULL": "the disk is full: make room",
    "SQLITE_IOERR": "the disk does not work, or is full",
    "SQLITE_BUSY": "another openvoice has been writing to it for too long: end that one, or try again",
    "SQLITE_CORRUPT": "it is damaged: put it out of the way, openvoice then begins anew",
    "SQLITE_NOTADB": "it is damaged: put it out of the way, openvoice then begins anew",
    "SQLITE_READONLY": "you are not allowed to write to it",
    "SQLITE_CANTOPEN": "you are not allowed to, or there is no such folder",
}
