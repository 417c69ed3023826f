from __future__ import annotations

import multiprocessing
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError
from openvoice.ports import SecretStore
from openvoice.storage.vault import Vault

from .conftest import ALICE, BOB, OpenVault


def test_secrets_are_kept_by_account_and_name(open_vault: OpenVault) -> None:
    secrets: SecretStore = open_vault().secrets(ALICE)
    assert secrets.read("omemo/own") is None
    for name in ("omemo/own", "omemo/session/2", "omemo/session/10", "trust/bob"):
        secrets.write(name, name.encode())
    secrets.write("omemo/own", b"\0changed\0")
    again = open_vault().secrets(ALICE)
    assert again.read("omemo/own") == b"\0changed\0"
    assert again.names("omemo/") == ["omemo/own", "omemo/session/10", "omemo/session/2"]
    assert again.names("nothing") == []
    assert open_vault().secrets(BOB).names("") == []
    again.remove("omemo/own")
    again.remove("omemo/own")
    assert secrets.read("omemo/own") is None


def test_one_account_is_forgotten_and_the_other_not(vault: Vault) -> None:
    for account in (ALICE, BOB):
        vault.secrets(account).write("name", b"value")
    vault.secrets(ALICE).clear()
    assert (vault.secrets(ALICE).names(""), vault.secrets(BOB).names("")) == ([], ["name"])


@pytest.mark.parametrize("size", [0, 1, 200, 255, 256, 257, 5_000, 70_000])
def test_values_of_any_size(vault: Vault, size: int) -> None:
    value = bytes(number % 251 for number in range(size))
    vault.secrets(ALICE).write("name", value)
    assert vault.secrets(ALICE).read("name") == value


def fail_after(secrets: SecretStore, *names: str) -> None:
    """Write, and fail before the end of the transaction."""
    with suppress(ZeroDivisionError), secrets.transaction():
        for name in names:
            secrets.write(name, b"failed")
        raise ZeroDivisionError


def test_a_transaction_is_all_or_nothing(open_vault: OpenVault) -> None:
    secrets, other = open_vault().secrets(ALICE), open_vault().secrets(ALICE)
    secrets.write("one", b"1")
    with secrets.transaction():
        secrets.write("one", b"2")
        secrets.remove("two")
        secrets.write("three", b"3")
        assert secrets.read("one") == b"2"
        assert other.read("one") == b"1"
    assert (other.read("one"), other.read("three")) == (b"2", b"3")
    fail_after(secrets, "one", "four")
    assert secrets.read("one") == other.read("one") == b"2"
    assert other.read("four") is None


def test_a_transaction_in_another_fails_alone(vault: Vault) -> None:
    secrets = vault.secrets(ALICE)
    with secrets.transaction():
        secrets.write("outer", b"1")
        with secrets.transaction():
            secrets.write("inner", b"1")
        fail_after(secrets, "outer", "failed")
        with secrets.transaction():
            secrets.write("last", b"3")
    assert secrets.names("") == ["inner", "last", "outer"]
    assert secrets.read("outer") == b"1"


def count(folder: Path, times: int) -> None:
    with Vault(folder, protection=Protection.PLAIN) as vault:
        secrets = vault.secrets(ALICE)
        for _ in range(times):
            with secrets.transaction():
                secrets.write("count", str(int(secrets.read("count") or b"0") + 1).encode())


def test_threads_that_share_a_vault_lose_nothing(vault: Vault) -> None:
    secrets = vault.secrets(ALICE)

    def work() -> None:
        for _ in range(25):
            with secrets.transaction():
                secrets.write("count", str(int(secrets.read("count") or b"0") + 1).encode())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert secrets.read("count") == b"100"


@pytest.mark.slow
def test_processes_that_make_and_share_a_vault_lose_nothing(open_vault: OpenVault, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=count, args=(tmp_path / "home", 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    assert open_vault().secrets(ALICE).read("count") == b"100"


@pytest.mark.slow
def test_a_second_vault_in_a_process_does_not_let_go_of_the_first(open_vault: OpenVault, tmp_path: Path) -> None:
    secrets = open_vault().secrets(ALICE)
    secrets.write("count", b"5")
    open_vault().close()
    # The last to close puts the log into the file and removes it: another process must not believe that it is the last.
    process = multiprocessing.get_context("spawn").Process(target=count, args=(tmp_path / "home", 1))
    process.start()
    process.join()
    secrets.write("other", b"kept")
    assert secrets.read("count") == b"6"
    process = multiprocessing.get_context("spawn").Process(target=count, args=(tmp_path / "home", 1))
    process.start()
    process.join()
    assert secrets.names("") == ["count", "other"]
    assert secrets.read("count") == b"7"


def test_whoever_waits_for_too_long_is_told(open_vault: OpenVault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.storage.database.WAIT", 0.1)
    secrets, other = open_vault().secrets(ALICE), open_vault().secrets(ALICE)
    with secrets.transaction():
        secrets.write("one", b"1")
        with pytest.raises(ConfigurationError, match="another openvoice has been writing"):
            other.write("one", b"2")
    other.write("one", b"2")
    assert secrets.read("one") == b"2"
