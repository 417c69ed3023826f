"""The demo inside this process; as a stranger runs it stands in tests/scenarios."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from openvoice import UsageError
from openvoice.cli import demo
from openvoice.report import similarity
from openvoice.server.prosody import Prosody

from .conftest import Run

live = pytest.mark.skipif(not Prosody.is_installed(), reason=Prosody.missing())


@live
@pytest.mark.live
@pytest.mark.slow
def test_people_get_a_table_of_facts(run: Run, tmp_path: Path) -> None:
    shown = run("demo", "--video", "--folder", tmp_path / "demo")
    assert shown.code == 0, shown.errors
    for words in (
        "Starting a private XMPP server",
        "connected",
        "and ended normally",
        "Alice heard Bob",
        "Alice saw Bob",
        "what was said (correlation",
        "after bob said yes",
        "both sides saw the same two fingerprints",
    ):
        assert words in shown.output
    assert shown.output.splitlines()[-1] == f"Look at it: {tmp_path / 'demo' / 'report.html'}"
    call = json.loads((tmp_path / "demo" / "call.json").read_text())
    assert call["reason"] == "success"
    for side, name in (("caller", "alice"), ("callee", "bob")):
        seen = call[side]["seen"]
        assert seen["pictures"] > 20
        assert seen["age"] is not None
        assert seen["file"] == f"{name}-saw.png"
        assert (tmp_path / "demo" / seen["file"]).read_bytes().startswith(b"\x89PNG")
    assert "<html" in (tmp_path / "demo" / "report.html").read_text()


@live
@pytest.mark.live
@pytest.mark.slow
def test_sound_that_is_not_what_was_said_is_a_failure(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def distorted(*arguments: Any) -> Any:
        return replace(similarity(*arguments), correlation=0.1)

    monkeypatch.setattr(demo, "similarity", distorted)
    failed = run("demo", "--folder", tmp_path / "demo", "--json")
    assert failed.code == 7
    assert failed.errors == (
        "openvoice: the sound that arrived is not the sound that was sent: listen to the recordings\n"
    )
    report = failed.events[-1]
    assert (report["event"], report["passed"], report["folder"]) == ("report", False, str(tmp_path / "demo"))
    assert failed.names[:2] == ["online", "calling"]
    assert failed.names[-2] == "ended"
    assert (tmp_path / "demo" / "report.html").exists()


def test_sound_that_was_not_measured_is_nothing() -> None:
    assert demo._heard(None) == "nothing"


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told = run("demo", "--folder", tmp_path / "file" / "demo")
    assert told.code == 2
    assert "cannot make the folder" in told.errors


def test_without_a_server_to_start_it_says_what_to_install(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    told = run("demo", "--folder", tmp_path / "demo")
    assert told.code == 3
    assert "prosody" in told.errors.lower()
    assert told.errors.count("\n") == 1


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        demo._write(tmp_path / "no" / "call.json", "{}")
