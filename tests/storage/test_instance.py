from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openvoice.storage import instance
from openvoice.storage.database import Database
from openvoice.storage.history import CALLS
from openvoice.storage.instance import Place, Witness
from openvoice.storage.trust import TrustBook
from openvoice.storage.vault import Vault

from .conftest import ALICE, BOB, OpenVault

HERE = Place(machine="m", inode=1, generation="2", filesystem=3)


@pytest.mark.parametrize(
    ("change", "elsewhere"),
    [
        ({}, False),
        ({"machine": "n"}, True),
        ({"machine": None}, False),
        ({"inode": 9}, True),
        ({"inode": None}, False),
        ({"generation": "9"}, True),
        # Another number of the file system after a new start, of a disk that got another number.
        ({"filesystem": 9}, False),
        ({"generation": None, "filesystem": 9}, True),
        ({"generation": None}, False),
        ({"generation": None, "filesystem": None}, False),
    ],
)
def test_what_tells_a_copy(change: dict[str, object], elsewhere: bool) -> None:
    assert HERE.is_elsewhere(replace(HERE, **change)) is elsewhere  # type: ignore[arg-type]
    assert replace(HERE, **change).is_elsewhere(HERE) is elsewhere  # type: ignore[arg-type]


def test_a_file_stays_where_it_is_and_its_copy_is_elsewhere(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("one")
    before = Place.of(file)
    file.write_text("two")
    os.utime(file, (0, 0))
    file.rename(tmp_path / "moved")
    assert not before.is_elsewhere(Place.of(tmp_path / "moved"))
    shutil.copy2(tmp_path / "moved", file)
    assert before.is_elsewhere(Place.of(file))


def test_a_platform_that_tells_nothing_sees_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instance, "_MACHINE_ID", tmp_path / "nothing")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    monkeypatch.delattr(os, "statvfs")
    file = tmp_path / "file"
    file.write_text("")
    assert Place.of(file) == Place(machine=None, inode=file.stat().st_ino, generation=None, filesystem=None)


def test_a_handle_that_does_not_last_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fuse:
        """Numbers files as they are asked for."""

        @staticmethod
        def name_to_handle_at(_folder: int, _name: bytes, handle: Any, *_: object) -> int:
            handle._obj.octets = 12
            handle._obj.handle[:12] = bytes(12)
            return 0

    file = tmp_path / "file"
    file.write_text("")
    if sys.platform == "linux" and os.statvfs(tmp_path).f_fsid:
        assert Place.of(file).generation is not None
    monkeypatch.setattr(ctypes, "CDLL", lambda _: Fuse)
    assert Place.of(file).generation is None


def test_the_number_of_the_machine_does_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = tmp_path / "machine-id"
    monkeypatch.setattr(instance, "_MACHINE_ID", number)
    number.write_text("0123456789abcdef\n")
    hashed = Place.of(number).machine
    assert hashed is not None
    assert "0123456789abcdef" not in hashed
    number.write_text("")
    assert Place.of(number).machine is None


def test_a_witness_remembers_as_long_as_it_can(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "state", "vault")
    assert witness.seen() == 0
    for changes in (1, 10_000, 10_001):
        witness.note(changes)
        assert Witness(tmp_path / "state", "vault").seen() == changes
    assert Witness(tmp_path / "state", "other").seen() == 0
    (tmp_path / "state" / "vault").write_text("damage")
    assert witness.seen() == 0
    for folder in (None, tmp_path / "state" / "vault"):
        nowhere = Witness(folder, "vault")
        nowhere.note(5)
        assert nowhere.seen() == 0


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
    fcntl = pytest.importorskip("fcntl", reason="locks of this kind are those of POSIX")
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


# --- whole vaults -----------------------------------------------------------------------------------------------------


def use(vault: Vault) -> None:
    for account in (ALICE, BOB):
        secrets = vault.secrets(account)
        secrets.write("omemo/identity", b"key")
        secrets.write("omemo/session/5", b"ratchet")
        TrustBook(secrets).meet(BOB, 1, bytes(32), 0.0)
    vault.history.add({"call": "1", "time": 1.0, "account": str(ALICE)})
    vault.passwords.keep(ALICE, "secret")


def is_whole(vault: Vault) -> bool:
    return not vault.was_copied and len(vault.secrets(ALICE).names("omemo/")) == 2


def made_a_new_device(vault: Vault) -> bool:
    """Whether the OMEMO keys are gone, and nothing else is."""
    assert len(TrustBook(vault.secrets(ALICE)).keys(BOB)) == 1
    assert vault.passwords.find(ALICE) == "secret"
    assert len(vault.history.list(-1)) == 1
    gone = not vault.secrets(ALICE).names("omemo/") and not vault.secrets(BOB).names("omemo/")
    assert gone == vault.was_copied
    return gone


def test_a_copied_folder_is_noticed_once_and_its_original_not(
    open_vault: OpenVault, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_vault() as vault:
        use(vault)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    with open_vault(tmp_path / "copy") as copy:
        assert made_a_new_device(copy)
        assert "this profile was copied or restored" in caplog.text
        assert "alice" not in caplog.text
        use(copy)
    for folder in ("home", "copy", "home", "copy"):
        with open_vault(tmp_path / folder) as vault:
            assert is_whole(vault)
            vault.secrets(ALICE).write("omemo/session/5", b"goes on")


def test_an_archive_unpacked_at_the_same_place_is_noticed(open_vault: OpenVault, tmp_path: Path) -> None:
    with open_vault() as vault:
        use(vault)
    subprocess.run(["tar", "-C", tmp_path, "-cpf", tmp_path / "archive.tar", "home"], check=True)
    shutil.rmtree(tmp_path / "home")
    subprocess.run(["tar", "-C", tmp_path, "-xpf", tmp_path / "archive.tar"], check=True)
    assert made_a_new_device(open_vault())


@pytest.mark.parametrize("state", ["outside", "lost"])
def test_an_older_copy_written_over_the_newer_is_noticed(open_vault: OpenVault, tmp_path: Path, state: str) -> None:
    with open_vault() as vault:
        use(vault)
    older = (tmp_path / "home" / "openvoice.vault").read_bytes()
    with open_vault() as vault:
        vault.secrets(ALICE).write("omemo/session/5", b"goes on")
    if state == "lost":
        shutil.rmtree(tmp_path / "state")
    # The same file, down to its inode.
    (tmp_path / "home" / "openvoice.vault").write_bytes(older)
    assert made_a_new_device(open_vault()) is (state == "outside")


def test_a_snapshot_of_a_vault_in_use_is_noticed(open_vault: OpenVault, tmp_path: Path) -> None:
    vault = open_vault()
    use(vault)
    shutil.copytree(tmp_path / "home", tmp_path / "snapshot")
    vault.secrets(ALICE).write("omemo/session/5", b"goes on")
    vault.close()
    for file in (tmp_path / "home").iterdir():
        file.write_bytes((tmp_path / "snapshot" / file.name).read_bytes())
    for name in ("openvoice.vault-wal", "openvoice.vault-shm"):
        shutil.copy(tmp_path / "snapshot" / name, tmp_path / "home")
    assert made_a_new_device(open_vault())


def vacuum(vault: Vault) -> None:
    vault._database.run("VACUUM")


def checkpoint(vault: Vault) -> None:
    vault._database.run("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.mark.parametrize("work", [vacuum, checkpoint, use, lambda vault: vault.remove(CALLS, "1")])
def test_whatever_happens_in_place_is_no_copy(open_vault: OpenVault, work: Callable[[Vault], None]) -> None:
    with open_vault() as vault:
        use(vault)
    for _ in range(3):
        with open_vault() as vault, open_vault() as other:
            assert is_whole(vault)
            assert is_whole(other)
            work(vault)
            other.secrets(BOB).write("omemo/session/6", b"new")


def test_a_new_start_of_the_machine_is_no_copy(
    open_vault: OpenVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_vault() as vault:
        use(vault)
    place = Place.of

    def after(file: Path) -> Place:
        return replace(place(file), filesystem=12345)

    if place(tmp_path).generation is not None:
        monkeypatch.setattr("openvoice.storage.vault.Place.of", after)
    shutil.rmtree(tmp_path / "state")
    assert is_whole(open_vault())


def test_a_moved_folder_is_no_copy(open_vault: OpenVault, tmp_path: Path) -> None:
    with open_vault() as vault:
        use(vault)
    (tmp_path / "home").rename(tmp_path / "moved")
    assert is_whole(open_vault(tmp_path / "moved"))


def test_another_machine_is_noticed(open_vault: OpenVault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = tmp_path / "machine-id"
    monkeypatch.setattr(instance, "_MACHINE_ID", number)
    number.write_text("one")
    with open_vault() as vault:
        use(vault)
    number.write_text("two")
    assert made_a_new_device(open_vault())
