from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from openvoice.interop.results import Outcome, Result

from .conftest import Run


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path) -> dict[str, Outcome]:
    """What comes of the vectors, by id; the rest holds. The command has an account."""
    made: dict[str, Outcome] = {}

    async def interoperate(
        self: Any, tested: Any, vectors: Any, person: Any, *, began: Any, **_: Any
    ) -> AsyncGenerator[Result, None]:
        for vector in vectors:
            began(vector)
            if person.can("dial"):
                await person.ask("dial")
            outcome = made.get(vector.id, Outcome.HOLDS)
            text = "" if outcome is Outcome.HOLDS else "expected this, and \x1b[2Jthat came"
            yield Result(id=vector.id, client=vector.client, title=vector.title, outcome=outcome, text=text)

    monkeypatch.setattr("openvoice.client.profile.Profile.interoperate", interoperate)
    return made


@pytest.fixture(autouse=True)
def account(home: Path) -> None:
    home.mkdir()
    (home / "openvoice.toml").write_text('[account."me@example.org"]\npassword_file = "secret"\n')


TESTED = "bob@example.org/phone"


def test_all_that_was_tried_holds(run: Run, outcomes: dict[str, Outcome]) -> None:
    outcomes["C-04-timeout"] = Outcome.NOT_TRIED
    played = run("interop", TESTED, "--only", "C-04-[adt]*")
    assert played.code == 0
    assert played.output.splitlines() == [
        "✓ conversations/C-04-accept: holds: Called directly; accepted",
        "✓ conversations/C-04-decline: holds: Called directly; declined",
        "· conversations/C-04-timeout: not tried: Called directly; nobody comes "
        "(expected this, and \N{REPLACEMENT CHARACTER}[2Jthat came)",
        "2 hold, 0 fail, 1 not tried",
    ]


def test_one_failure_is_the_exit_code(run: Run, outcomes: dict[str, Outcome], tmp_path: Path) -> None:
    outcomes["D-12"] = Outcome.FAILS
    file = tmp_path / "results.xml"
    played = run("interop", TESTED, "--as", "dino", "--only", "D-12", "--only", "D-13", "--json", "--junit", str(file))
    assert played.code == 1
    assert played.names == ["behaviour", "behaviour", "summary"]
    assert played.events[0]["outcome"] == "fails"
    assert played.events[2] == {"event": "summary", "holds": 1, "fails": 1, "not_tried": 0}
    assert ElementTree.parse(file).getroot().get("failures") == "1"


def test_a_person_is_told_what_to_do(run: Run, outcomes: dict[str, Outcome]) -> None:
    played = run("interop", TESTED, "--only", "D-03", "--interactive")
    assert "At the other client: call me@example.org now, voice only." in played.errors


def test_the_list_of_all(run: Run) -> None:
    listed = run("interop", "--list", "--only", "JMI-0*")
    assert listed.code == 0
    assert "jmi/JMI-04: " in listed.output
    assert "C-01" not in listed.output


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        (["interop"], "name the address of the client to test"),
        (["interop", TESTED, "--only", "Z-1"], "there is no such behaviour"),
        (["interop", TESTED, "--vectors", "."], "there are no vectors"),
    ],
)
def test_mistakes(run: Run, words: list[str], mistake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    played = run(*words)
    assert played.code == 2
    assert mistake in played.errors
