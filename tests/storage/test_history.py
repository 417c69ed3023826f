from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from openvoice.errors import ConfigurationError
from openvoice.storage.history import History


def record(call: str, time: float) -> dict[str, object]:
    return {"call": call, "time": time, "account": "alice@example.org", "outcome": "answered"}


def test_records_come_back_newest_first_and_survive(tmp_path: Path) -> None:
    path = tmp_path / "data" / "history.sqlite"
    history = History(path)
    for number in range(5):
        history.add(record(str(number), number))
    history.close()
    history = History(path)
    assert [found["call"] for found in history.list(3)] == ["4", "3", "2"]
    assert len(history.list(-1)) == 5
    history.add({**record("4", 4.0), "outcome": "busy"})
    assert history.list(1)[0]["outcome"] == "busy"
    assert len(history.list(-1)) == 5
    history.close()


def test_the_file_is_private(tmp_path: Path) -> None:
    path = tmp_path / "history.sqlite"
    History(path).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_damage_and_newer_versions_are_told(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"this is no database" * 100)
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        History(damaged)
    newer = tmp_path / "newer.sqlite"
    database = sqlite3.connect(newer)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(ConfigurationError, match="newer openvoice"):
        History(newer)


def test_a_record_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.close()
    with pytest.raises(ConfigurationError, match="cannot be written"):
        history.add(record("1", 1.0))


def test_a_place_where_nothing_can_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be opened"):
        History(tmp_path / "file" / "history.sqlite")


def test_until_when_an_account_was_online_is_remembered(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    assert history.last_online("alice@example.org") is None
    for time in (1.5, 2.5):
        history.note_online("alice@example.org", time)
    history.note_online("bob@example.org", 7.0)
    history.close()
    history = History(tmp_path / "history.sqlite")
    assert history.last_online("alice@example.org") == 2.5
    history.close()


def test_a_history_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    history = History(tmp_path / "history.sqlite")
    history.close()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        history.list(1)
