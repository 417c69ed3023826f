"""The command line inside this process, without a network."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from openvoice.cli import main

from .world import World


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    output: str
    errors: str

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines()]

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events]


Run = Callable[..., Outcome]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def run(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command in the profile ``home``; nobody sits at its standard input."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    handlers = list(logging.root.handlers)

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = main(["--home", str(home), *map(str, arguments)])
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    yield run
    logging.root.handlers = handlers


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The network that all clients of the test are in."""
    made = World()
    monkeypatch.setattr("openvoice.client.client._xmpp", made.signalling)
    monkeypatch.setattr("openvoice.client.adapters.visit", made.visit)
    monkeypatch.setattr("openvoice.client.client._engine", made.engine)
    return made


@pytest.fixture
def alice(run: Run, world: World, tmp_path: Path) -> Run:
    """Runs commands in a profile with one account."""
    password = tmp_path / "password"
    password.write_text("secret\n")
    assert run("account", "add", "alice@example.org", "--password-file", password).code == 0
    return run
