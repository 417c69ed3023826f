from __future__ import annotations

import sqlite3
import stat
from contextlib import closing, suppress
from pathlib import Path

import pytest

from openvoice.errors import ConfigurationError
from openvoice.storage.database import Database


def put(database: Database, name: bytes, value: bytes = b"value") -> None:
    database.run("INSERT INTO entry (shelf, name, value) VALUES (?, ?, ?)", (b"shelf", name, value))


def names(database: Database) -> list[bytes]:
    return [name for (name,) in database.run("SELECT name FROM entry ORDER BY name")]


def test_the_file_is_private_and_durable(tmp_path: Path) -> None:
    path = tmp_path / "new" / "openvoice.vault"
    with closing(Database(path)) as database:
        put(database, b"one")
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        settings = [database.run(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "secure_delete")]
        assert settings == ["wal", 2, 1]
    assert [file.name for file in path.parent.iterdir()] == ["openvoice.vault"]


def test_damage_and_newer_versions_are_told(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigurationError, match="is damaged"):
        Database(damaged)
    newer = tmp_path / "newer"
    with closing(sqlite3.connect(newer)) as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(ConfigurationError, match="newer openvoice"):
        Database(newer)


def test_a_file_that_lost_its_middle_is_told(tmp_path: Path) -> None:
    path = tmp_path / "openvoice.vault"
    with closing(Database(path)) as database, database.transaction():
        for number in range(100):
            put(database, b"%d" % number, bytes(1000))
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(ConfigurationError, match="is damaged"), closing(Database(path)) as database:
        names(database)


def test_a_place_where_nothing_can_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Database(tmp_path / "file" / "openvoice.vault")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        Database(tmp_path / "folder")


def test_a_full_disk_is_told_and_changes_nothing(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "openvoice.vault")) as database:
        put(database, b"before")
        ((pages,),) = database.run("PRAGMA page_count")
        database.run(f"PRAGMA max_page_count = {pages}")

        def put_too_much() -> None:
            with database.transaction():
                put(database, b"small")
                put(database, b"large", bytes(100_000))

        with pytest.raises(ConfigurationError, match="the disk is full"):
            put_too_much()
        assert names(database) == [b"before"]
        put(database, b"small")


def test_nothing_is_written_after_a_failure_that_took_all_back(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "openvoice.vault")) as database:

        def go_on_all_the_same() -> None:
            with database.transaction():
                put(database, b"first")
                with suppress(ConfigurationError), database.transaction():
                    # As SQLite does by itself when a disk is full.
                    database.run("ROLLBACK")
                put(database, b"second")

        with pytest.raises(ConfigurationError, match="together"):
            go_on_all_the_same()
        assert names(database) == []
        put(database, b"third")
        assert names(database) == [b"third"]


def test_what_was_deleted_is_not_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "openvoice.vault"
    with closing(Database(path)) as database:
        put(database, b"one", b"a secret value" * 100)
        put(database, b"two")
        database.run("DELETE FROM entry WHERE name = ?", (b"one",))
    assert b"a secret value" not in path.read_bytes()
