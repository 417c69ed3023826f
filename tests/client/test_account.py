from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from openvoice import Account, Address, ConfigurationError
from openvoice.client import account as module
from openvoice.client.account import read_password, run_password_command, unlock
from openvoice.config import AccountSettings
from openvoice.core.protection import Protection
from openvoice.storage.passwords import PasswordKeeper
from openvoice.storage.vault import Vault

ALICE = Address.parse("alice@example.org")


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[PasswordKeeper]:
    with Vault(tmp_path / "home", protection=Protection.PLAIN) as vault:
        yield vault.passwords


def test_an_account_does_not_show_its_password() -> None:
    assert "secret" not in repr(Account(address=ALICE, password="secret"))


@pytest.mark.parametrize("text", ["geheim ü", "geheim ü\n", "geheim ü\r\nsecond line", "geheim ü\n\n"])
def test_the_first_line_of_a_file_is_the_password(tmp_path: Path, text: str) -> None:
    file = tmp_path / "password"
    file.write_bytes(text.encode())
    assert read_password(file) == "geheim ü"


def test_files_that_hold_no_password_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"nothing cannot be read.*No such file"):
        read_password(tmp_path / "nothing")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_password(tmp_path)
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_password(binary)
    empty = tmp_path / "empty"
    empty.write_text("\nnot this one")
    with pytest.raises(ConfigurationError, match="is empty"):
        read_password(empty)


async def test_the_first_line_of_a_command_is_the_password() -> None:
    assert await run_password_command("printf 'geheim ü\\r\\nsecond line'") == "geheim ü"


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("exit 3", "code 3 and printed nothing"),
        ("echo secret; exit 1", "code 1: run it by hand"),
        ("true", "code 0 and printed nothing"),
        ("cat", "printed nothing"),
    ],
)
async def test_commands_that_tell_no_password_are_told_without_it(command: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        await run_password_command(command)
    assert "secret" not in str(caught.value)


async def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(module, "COMMAND_WITHIN", 0.2)
    pid = tmp_path / "pid"
    with pytest.raises(ConfigurationError, match="did not end"):
        await run_password_command(f"echo $$ > {pid}; exec sleep 60")
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


async def test_each_way_to_the_password_goes_before_the_next(keeper: PasswordKeeper, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\n")
    keeper.keep(ALICE, "of the keeper")
    where = {"server": ("localhost", 5223), "ca_file": tmp_path / "ca.pem"}
    both = AccountSettings(address=ALICE, password_file=file, password_command="echo of the command", **where)  # type: ignore[arg-type]
    account = await unlock(both, keeper)
    assert account.password == "of the file"
    assert (account.address, account.server, account.ca_file) == (ALICE, ("localhost", 5223), tmp_path / "ca.pem")
    told = await unlock(AccountSettings(address=ALICE, password_command="echo of the command"), keeper)
    assert told.password == "of the command"
    assert (await unlock(AccountSettings(address=ALICE), keeper)).password == "of the keeper"


async def test_without_a_password_it_says_what_to_do(keeper: PasswordKeeper) -> None:
    with pytest.raises(ConfigurationError, match=r"openvoice account add alice@example\.org"):
        await unlock(AccountSettings(address=ALICE), keeper)


async def test_an_interrupted_command_does_not_stay(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    asking = asyncio.create_task(run_password_command(f"echo $$ > {pid}; exec sleep 60"))
    number = int(await asyncio.to_thread(pid.read_text))
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


async def test_a_program_that_outlives_the_command_holds_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "COMMAND_WITHIN", 0.2)
    pid = tmp_path / "pid"
    with pytest.raises(ConfigurationError, match="did not end"):
        await run_password_command(f"sleep 60 & echo $! > {pid}; wait")
    child = psutil.Process(int(pid.read_text()))
    assert child.status() == psutil.STATUS_SLEEPING, "the command was given up while its child held the pipe"
    child.kill()
