"""What the demo does when it cannot; what it does when it can stands in tests/scenarios."""

from __future__ import annotations

from pathlib import Path

import pytest

from openvoice import UsageError
from openvoice.cli import demo

from .conftest import Run


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
