from __future__ import annotations

import stat
from pathlib import Path

import pytest

from openvoice import Address, Profile

from .conftest import Run
from .world import BOB, Behaviour, World

ALICE = Address.parse("alice@example.org")


@pytest.fixture
def busy(alice: Run, world: World, home: Path) -> Run:
    """Runs commands in a profile that has called somebody, and has seen a key."""
    world.behaviour = Behaviour.LEAVES
    alice("call", BOB.bare, "--input", "silence", "--output", "null")
    with Profile(home).keys() as keys:
        keys._trust.meet(BOB.bare, 7, bytes(32), 100.0)
    return alice


def kept(run: Run) -> dict[str, int]:
    return {line["name"]: line["amount"] for line in run("privacy", "--offline", "--json").events}


def test_nothing_is_kept_yet(run: Run) -> None:
    assert run("privacy", "--offline").output == "nothing is kept yet\n"


def test_what_is_kept_here_is_listed_with_who_can_read_it(busy: Run, home: Path) -> None:
    assert kept(busy).items() >= {"history": 1, "trust": 1}.items()
    listed = busy("privacy", "--offline").output
    assert "On this machine" in listed
    assert "history (1 calls)" in listed
    assert "read by whoever can read your files" in listed
    assert "to erase: openvoice privacy erase history" in listed


def test_it_is_written_as_a_page_that_only_its_owner_reads(busy: Run, tmp_path: Path) -> None:
    page = tmp_path / "kept.html"
    assert busy("privacy", "--offline", "--html", page).output == ""
    assert "what you think of them" in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600


def test_history_and_trust_are_erased_when_it_was_meant(busy: Run) -> None:
    refused = busy("privacy", "erase", "history")
    assert (refused.code, "--yes" in refused.errors) == (2, True)
    erased = busy("privacy", "erase", "history", "--yes")
    assert "no file of the profile holds a trace of them" in erased.output
    assert "history" not in kept(busy)
    (told,) = busy("privacy", "erase", "trust", "--yes", "--json").events
    assert (told["event"], told["what"]) == ("erased", "trust")
    assert "trust" not in kept(busy)
    assert busy("trust", "list", "--json").output == ""


def test_recordings_are_listed_and_erased(alice: Run, world: World, home: Path) -> None:
    alice("call", BOB.bare, "--input", "tone", "--output", "null", "--record", "--duration", "0.1")
    assert kept(alice)["recordings"] == 1
    assert list((home / "recordings").iterdir())
    assert "to erase: openvoice privacy erase recordings" in alice("privacy", "--offline").output
    assert alice("privacy", "erase", "recordings", "--yes").code == 0
    assert not (home / "recordings").exists()
    assert "recordings" not in kept(alice)
    assert kept(alice)["history"] == 1
    alice("call", BOB.bare, "--input", "tone", "--output", "null", "--record", "--duration", "0.1")
    assert alice("privacy", "erase", "everything", "--yes").code == 0
    assert list(home.iterdir()) == []


def test_everything_goes(busy: Run, home: Path) -> None:
    assert busy("privacy", "erase", "everything", "--yes").code == 0
    assert [path.name for path in home.iterdir()] == []
    assert busy("privacy", "--offline").output == "nothing is kept yet\n"
    assert "nothing was kept here" in busy("privacy", "erase", "everything", "--yes").output


def test_a_page_that_cannot_be_written_is_told(busy: Run, tmp_path: Path) -> None:
    refused = busy("privacy", "--offline", "--html", tmp_path / "nowhere" / "kept.html")
    assert (refused.code, "cannot write" in refused.errors) == (2, True)
