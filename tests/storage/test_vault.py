from __future__ import annotations

import json
import logging
import multiprocessing
import random
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError, KeyUnavailable
from openvoice.storage import passphrase
from openvoice.storage.database import Database
from openvoice.storage.header import Header
from openvoice.storage.vault import Vault, protection_of

from .conftest import ALICE, BOB, FakeKeyring, OpenVault


@pytest.fixture
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passphrase, "COST", 2**10)
    file = tmp_path / "passphrase"
    file.write_text("correct horse\n")
    return file


def use(vault: Vault) -> None:
    vault.passwords.keep(ALICE, "secret password")
    vault.secrets(ALICE).write("trust/carol@example.net", b"verified")
    vault.secrets(ALICE).write("omemo/identity", b"the identity key")
    vault.history.add({"call": "call-id", "time": 1.5, "account": str(ALICE), "peer": "carol@example.net"})
    vault.history.note_online(str(ALICE), 17.25)


def is_whole(vault: Vault) -> bool:
    return (
        vault.passwords.find(ALICE) == "secret password"
        and vault.secrets(ALICE).names("") == ["omemo/identity", "trust/carol@example.net"]
        and [call["peer"] for call in vault.history.list(-1)] == ["carol@example.net"]
        and vault.history.last_online(str(ALICE)) == 17.25
        and not vault.was_copied
    )


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def contents(folder: Path) -> bytes:
    return b"".join(path.read_bytes() + path.name.encode() for path in sorted(folder.rglob("*")) if path.is_file())


def test_nothing_that_is_kept_can_be_read_from_the_files(
    open_vault: OpenVault, tmp_path: Path, passphrase_file: Path
) -> None:
    vault = open_vault(protection=Protection.PASSPHRASE, passphrase_file=passphrase_file)
    use(vault)
    for stage in ("in use", "closed"):
        everything = contents(tmp_path / "home") + contents(tmp_path / "state")
        assert len(everything) > 10_000, stage
        for private in (b"alice", b"carol", b"example", b"trust", b"omemo", b"identity", b"secret", b"call", b"17.25"):
            assert private not in everything.lower(), (stage, private)
        vault.close()


# --- who holds the key ------------------------------------------------------------------------------------------------


def test_who_holds_the_key_can_be_asked_without_it(open_vault: OpenVault, tmp_path: Path) -> None:
    assert protection_of(tmp_path / "home") is None
    assert not (tmp_path / "home").exists()
    with pytest.raises(KeyUnavailable):
        open_vault(protection=Protection.KEYRING)
    assert protection_of(tmp_path / "home") is None
    open_vault().close()
    for key in (tmp_path / "home").glob("*.key"):
        key.unlink()
    assert protection_of(tmp_path / "home") is Protection.PLAIN


def test_a_plain_vault_says_so_only_if_nobody_asked_for_it(
    open_vault: OpenVault, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_vault(protection=Protection.PLAIN) as vault:
        assert vault.protection is Protection.PLAIN
    assert told(caplog) == []
    with open_vault(tmp_path / "other", protection=Protection.AUTO) as vault:
        assert vault.protection is Protection.PLAIN
    (warning,) = told(caplog)
    assert "no system keyring" in warning
    assert "whoever can read your files can read it" in warning
    open_vault(tmp_path / "other", protection=Protection.AUTO)
    assert len(told(caplog)) == 1


def test_a_keyring_that_works_is_used(
    open_vault: OpenVault, tmp_path: Path, system_keyring: FakeKeyring, caplog: pytest.LogCaptureFixture
) -> None:
    with open_vault(protection=Protection.AUTO) as vault:
        assert vault.protection is Protection.KEYRING
        use(vault)
    assert told(caplog) == []
    assert len(system_keyring.kept) == 1
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["openvoice.vault"]
    with open_vault(protection=Protection.KEYRING) as vault:
        assert is_whole(vault)
    system_keyring.kept.clear()
    with pytest.raises(KeyUnavailable, match="has no key"):
        open_vault(protection=Protection.AUTO)


def test_a_keyring_that_is_demanded_and_not_there_leaves_nothing_in_the_clear(
    open_vault: OpenVault, tmp_path: Path
) -> None:
    for _ in range(2):
        with pytest.raises(KeyUnavailable, match="no system keyring"):
            open_vault(protection=Protection.KEYRING)
    assert not list((tmp_path / "home").glob("*.key"))


def test_a_passphrase_opens_and_another_does_not(open_vault: OpenVault, passphrase_file: Path) -> None:
    with open_vault(protection=Protection.PASSPHRASE, passphrase_file=passphrase_file) as vault:
        assert vault.protection is Protection.PASSPHRASE
        use(vault)
    with open_vault(protection=Protection.AUTO, passphrase_file=passphrase_file) as vault:
        assert is_whole(vault)
    with pytest.raises(ConfigurationError, match=r"\[storage\] passphrase_file"):
        open_vault(protection=Protection.AUTO)
    passphrase_file.write_text("wrong horse\n")
    with pytest.raises(KeyUnavailable, match=r"the passphrase in .*passphrase is not that of the vault"):
        open_vault(protection=Protection.PASSPHRASE, passphrase_file=passphrase_file)


def test_what_is_demanded_and_is_not_so_is_refused_with_the_way_out(
    open_vault: OpenVault, passphrase_file: Path, system_keyring: FakeKeyring
) -> None:
    open_vault(protection=Protection.PLAIN)
    with pytest.raises(ConfigurationError, match=r"a key file beside it.*'openvoice storage protect --keyring'"):
        open_vault(protection=Protection.KEYRING)
    with pytest.raises(ConfigurationError, match=r"'openvoice storage protect --passphrase-file FILE'"):
        open_vault(protection=Protection.PASSPHRASE, passphrase_file=passphrase_file)
    with open_vault() as vault:
        vault.protect(Protection.KEYRING)
    with open_vault(protection=Protection.PLAIN) as vault:
        assert vault.protection is Protection.KEYRING


def test_a_key_of_another_vault_is_told(open_vault: OpenVault, tmp_path: Path) -> None:
    open_vault().close()
    open_vault(tmp_path / "other").close()
    (key,), (other,) = (list((tmp_path / name).glob("*.key")) for name in ("home", "other"))
    key.write_bytes(other.read_bytes())
    with pytest.raises(KeyUnavailable, match="a key file beside it does not open"):
        open_vault()


@pytest.mark.parametrize(("column", "value"), [("protection", "magic"), ("details", "{")])
def test_a_damaged_header_is_told(open_vault: OpenVault, column: str, value: str) -> None:
    with open_vault() as vault:
        vault._database.run(f"UPDATE header SET {column} = ?", (value,))
    with pytest.raises(ConfigurationError, match="is damaged"):
        open_vault()


def test_a_damaged_entry_is_told(open_vault: OpenVault) -> None:
    with open_vault() as vault:
        use(vault)
        vault._database.run(
            "UPDATE entry SET value = zeroblob(300) WHERE shelf = ?", (vault._cipher.shelf_mark("calls"),)
        )
        with pytest.raises(ConfigurationError, match=r"openvoice\.vault: an entry is damaged"):
            vault.history.list(-1)
        assert vault.passwords.find(ALICE) == "secret password"


# --- another key ------------------------------------------------------------------------------------------------------


def test_everything_is_sealed_anew_whoever_holds_the_key(
    open_vault: OpenVault, tmp_path: Path, passphrase_file: Path, system_keyring: FakeKeyring
) -> None:
    vault = open_vault()
    use(vault)
    ways: list[tuple[Protection, Path | None]] = [
        (Protection.KEYRING, None),
        (Protection.PASSPHRASE, passphrase_file),
        (Protection.PLAIN, None),
        (Protection.PLAIN, None),
        (Protection.KEYRING, None),
        (Protection.KEYRING, None),
    ]
    for protection, file in ways:
        before = {row for (row,) in vault._database.run("SELECT value FROM entry")}
        vault.protect(protection, file)
        sealed = contents(tmp_path / "home")
        assert not any(value in sealed for value in before)
        assert vault.protection is protection
        assert is_whole(vault)
        with open_vault(protection=Protection.AUTO, passphrase_file=file) as again:
            assert is_whole(again)
        assert len(list((tmp_path / "home").glob("*.key"))) == (protection is Protection.PLAIN)
        assert len(system_keyring.kept) == (protection is Protection.KEYRING)


def test_a_new_key_that_cannot_be_held_changes_nothing(open_vault: OpenVault, tmp_path: Path) -> None:
    vault = open_vault()
    use(vault)
    for protection, file in ((Protection.KEYRING, None), (Protection.PASSPHRASE, tmp_path / "nothing")):
        with pytest.raises(KeyUnavailable):
            vault.protect(protection, file)
    assert is_whole(vault)
    assert is_whole(open_vault())


def test_a_change_of_the_key_that_fails_half_way_changes_nothing(
    open_vault: OpenVault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault = open_vault()
    use(vault)
    monkeypatch.setattr("openvoice.storage.header.Header.write", lambda *_: json.loads("{"))
    with pytest.raises(ValueError, match="Expecting"):
        vault.protect(Protection.PLAIN)
    monkeypatch.undo()
    assert is_whole(vault)
    vault.passwords.keep(BOB, "of bob")
    assert is_whole(open_vault())


def test_another_process_with_the_old_key_reads_and_writes_nothing_any_more(open_vault: OpenVault) -> None:
    vault, other = open_vault(), open_vault()
    use(vault)
    vault.protect(Protection.PLAIN)
    attempts: list[Callable[[], object]] = [
        lambda: other.passwords.find(ALICE),
        lambda: other.history.list(-1),
        lambda: other.passwords.keep(ALICE, "wrong"),
        lambda: other.secrets(ALICE).remove("omemo/identity"),
    ]
    for attempt in attempts:
        with pytest.raises(ConfigurationError, match="was changed by another openvoice: start this one again"):
            attempt()
    assert is_whole(vault)


def epoch(folder: Path) -> str:
    with closing(Database(folder / "home" / "openvoice.vault")) as database:
        header = Header.read(database)
    assert header is not None
    return header.epoch


def change_keys_for_ever(folder: Path, state: Path) -> None:
    with Vault(folder, protection=Protection.PLAIN, state=state) as vault:
        while True:
            vault.protect(Protection.PLAIN)


@pytest.mark.slow
def test_whoever_is_killed_while_the_key_changes_leaves_the_old_or_the_new(
    open_vault: OpenVault, tmp_path: Path
) -> None:
    with open_vault() as vault:
        use(vault)
    dice = random.Random(7)
    context = multiprocessing.get_context("spawn")
    for _ in range(8):
        process = context.Process(target=change_keys_for_ever, args=(tmp_path / "home", tmp_path / "state"))
        process.start()
        before = epoch(tmp_path)
        deadline = time.monotonic() + 30
        while epoch(tmp_path) == before and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(dice.random() / 10)
        process.kill()
        process.join()
        with open_vault() as vault:
            assert vault._header.epoch != before
            assert is_whole(vault)


# --- speed ------------------------------------------------------------------------------------------------------------


def test_opening_and_writing_are_quick(open_vault: OpenVault) -> None:
    with open_vault() as vault:
        use(vault)

    def best(work: Callable[[], object]) -> float:
        def once() -> float:
            begun = time.perf_counter()
            work()
            return time.perf_counter() - begun

        return min(once() for _ in range(10))

    assert best(lambda: open_vault().close()) < 0.02
    vault = open_vault()
    assert best(lambda: vault.secrets(ALICE).write("omemo/identity", bytes(1000))) < 0.02
