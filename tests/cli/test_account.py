from __future__ import annotations

import json
import os
import pty
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openvoice import Address, LoginRefused
from openvoice.cli.context import ADDRESS, SERVER

from .conftest import Run
from .world import World

Types = Callable[..., None]


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Iterator[Types]:
    """Somebody at the terminal, who types one line for each prompt."""
    master, slave = pty.openpty()
    terminal = os.fdopen(slave)
    monkeypatch.setattr(sys, "stdin", terminal)
    prompts: list[str] = []

    def types(*lines: str) -> None:
        typed = iter(lines)

        def hidden(prompt: str) -> str:
            prompts.append(prompt)
            line = next(typed)
            if line == "^C":
                raise KeyboardInterrupt
            return line

        monkeypatch.setattr("click.termui.hidden_prompt_func", hidden)

    yield types
    assert all("Password of alice@example.org" in prompt or "Repeat" in prompt for prompt in prompts)
    terminal.close()
    os.close(master)


def test_a_password_that_is_typed_is_kept_privately(run: Run, world: World, home: Path, types: Types) -> None:
    types("secret")
    added = run("account", "add", "Alice@Example.org")
    assert (added.code, added.output) == (0, "alice@example.org is ready\n")
    assert world.accounts[0].password == "secret"
    for path in home.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"secret" not in path.read_bytes()
    assert "secret" not in added.output + added.errors
    run("call", "bob@example.org", "--input", "tone", "--output", "null", "--duration", "0.1")
    assert world.accounts[1].password == "secret"


def test_ctrl_c_at_the_prompt_ends_its_line(run: Run, world: World, types: Types) -> None:
    types("^C")
    added = run("account", "add", "alice@example.org")
    assert (added.code, added.output) == (130, "")
    assert added.errors.endswith("\n")
    assert world.accounts == []


def test_without_a_terminal_nothing_is_asked(run: Run, world: World) -> None:
    added = run("account", "add", "alice@example.org")
    assert added.code == 2
    assert "--password-file" in added.errors
    assert world.accounts == []


def test_a_login_that_fails_adds_nothing(run: Run, world: World, types: Types, home: Path) -> None:
    types("guessed")
    world.login = LoginRefused("the server does not accept this name and password")
    assert run("account", "add", "alice@example.org").code == 3
    assert not home.exists()


def test_untried_accounts_are_added_and_say_so(run: Run, world: World, types: Types) -> None:
    types("secret")
    added = run("account", "add", "alice@example.org", "--no-check")
    assert (added.code, added.output) == (0, "alice@example.org was added, untried\n")
    assert world.accounts == []


def test_where_to_connect_and_whom_to_trust(run: Run, world: World, tmp_path: Path, home: Path) -> None:
    authority = tmp_path / "authority.pem"
    authority.write_text("")
    where = ("--server", "[::1]:5223", "--ca", authority, "--password-command", "echo secret")
    assert run("account", "add", "alice@example.org", *where).code == 0
    account = world.accounts[0]
    assert (account.server, account.ca_file, account.password) == (("::1", 5223), authority, "secret")
    assert json.loads(run("account", "list", "--json").output) == {"account": "alice@example.org", "server": "::1:5223"}


def test_the_list_grows_and_shrinks(run: Run, world: World, tmp_path: Path) -> None:
    assert "openvoice account add" in run("account", "list").output
    password = tmp_path / "password"
    password.write_text("secret")
    for name in ("alice@example.org", "bob@example.org", "alice@example.org"):
        assert run("account", "add", name, "--password-file", password).code == 0
    assert run("account", "list").output.split() == ["alice@example.org", "bob@example.org"]
    listed = run("account", "list", "--json")
    assert [event["server"] for event in listed.events] == [None, None]
    removed = run("account", "remove", "alice@example.org")
    assert (removed.code, removed.output) == (0, "alice@example.org was removed\n")
    assert run("account", "list").output.split() == ["bob@example.org"]
    assert run("account", "remove", "alice@example.org").code == 2


def test_registering_asks_twice(run: Run, world: World, types: Types, monkeypatch: pytest.MonkeyPatch) -> None:
    registered: list[tuple[str, str]] = []

    async def register(address: Address, password: str, **_: object) -> None:
        registered.append((str(address), password))

    monkeypatch.setattr("openvoice.signalling.xmpp.registration.register", register)
    types("secret", "secrte", "secret", "secret")
    made = run("account", "register", "alice@example.org")
    assert (made.code, made.output) == (0, "alice@example.org was made and is ready\n")
    assert registered == [("alice@example.org", "secret")]
    assert run("account", "list").output.split() == ["alice@example.org"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("alice@example.org", "--password-file", "a", "--password-command", "b"), "give one"),
        (("alice@example.org/phone", "--password-command", "echo x"), "is not an account"),
        (("example.org", "--password-command", "echo x"), "is not an account"),
        (("alice@example.org", "--server", "here", "--password-command", "echo x"), "HOST:PORT"),
        (("alice@example.org", "--ca", "/nowhere.pem", "--password-command", "echo x"), "there is no certificate file"),
        (("alice@example.org", "--password-file", "/nowhere"), "cannot be read"),
        (("alice@example.org", "--password-command", "exit 3"), "ended with code 3"),
        (("@example.org",), "nothing stands before the @"),
    ],
)
def test_wrong_usage(run: Run, world: World, home: Path, arguments: tuple[str, ...], words: str) -> None:
    added = run("account", "add", *arguments)
    assert added.code == 2
    assert words in added.errors
    assert not home.exists()


def test_values_that_are_converted_already_stay() -> None:
    address = Address.parse("alice@example.org")
    assert ADDRESS.convert(address, None, None) is address
    assert SERVER.convert(("host", 1), None, None) == ("host", 1)
