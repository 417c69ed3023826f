from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from openvoice.storage.database import Database
from openvoice.storage.instance import Place

fcntl = pytest.importorskip("fcntl", reason="locks of this kind are those of POSIX")

_TRY_TO_LOCK = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
"""


def is_free(path: Path) -> bool:
    """Whether another process could lock the file."""
    return subprocess.run([sys.executable, "-c", _TRY_TO_LOCK, path], capture_output=True, check=False).returncode == 0


def test_looking_where_a_vault_is_lets_go_of_no_lock_on_it(tmp_path: Path) -> None:
    path = tmp_path / "openvoice.vault"
    with path.open("wb") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        assert not is_free(path)
        assert Place.of(path).inode == path.stat().st_ino
        assert not is_free(path)
    assert is_free(path)


def test_a_vault_that_is_there_is_opened_by_sqlite_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "openvoice.vault"
    Database(path).close()
    monkeypatch.setattr(os, "close", lambda _: pytest.fail("closed: locks of this process on the file are gone"))
    Database(path).close()


def test_a_file_that_took_the_place_of_another_is_another(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    before = Place.of(path)
    path.write_text("changed")
    assert not before.is_elsewhere(Place.of(path))
    path.unlink()
    path.touch()
    assert before.is_elsewhere(Place.of(path))
