from __future__ import annotations

import json
from pathlib import Path

import pytest

from openvoice.cli import history

from .conftest import Run
from .world import BOB, CAROL, Behaviour, World

QUIET = ("--input", "silence", "--output", "null")


def test_nothing_happened_yet(run: Run) -> None:
    assert run("history").output == "no calls yet\n"
    assert run("history", "--json").output == ""
    shown = run("history", "show", "x")
    assert (shown.code, "no calls begin with 'x'" in shown.errors) == (2, True)


def test_calls_are_listed_newest_first_and_shown(alice: Run, world: World) -> None:
    world.behaviour = Behaviour.LEAVES
    alice("call", BOB.bare, *QUIET)
    world.behaviour = Behaviour.DECLINES
    alice("call", CAROL.bare, *QUIET)
    newest, oldest = alice("history").output.splitlines()
    assert newest.endswith("-> carol@example.net  decline")
    assert oldest.endswith("-> bob@example.org  answered, 0 s")
    (record,) = [json.loads(line) for line in alice("history", "--json", "--limit", "1").output.splitlines()]
    assert record["peer"] == "carol@example.net"
    declined = alice("history", "show", record["call"][:8])
    assert "kbit/s" not in declined.output
    shown = alice("history", "show", oldest[:8]).output
    assert "! Only the servers vouch" in shown
    assert "Own server" in shown
    assert "could hear" in shown
    assert "could not hear" in shown
    assert "opus, 0 kbit/s" in shown
    assert "round trip not measured" in shown
    assert json.loads(alice("history", "show", oldest[:8], "--json").output)["outcome"] == "answered"
    both = alice("history", "show", "")
    assert (both.code, "2 calls begin with ''" in both.errors) == (2, True)


def test_a_call_is_written_as_a_page_that_only_its_owner_reads(alice: Run, world: World, tmp_path: Path) -> None:
    world.behaviour = Behaviour.LEAVES
    alice("call", BOB.bare, *QUIET)
    page = tmp_path / "call.html"
    page.touch(mode=0o644)
    shown = alice("history", "show", "", "--html", str(page))
    assert (shown.code, shown.output) == (0, "")
    assert "Who could hear, and who learnt what?" in page.read_text()
    assert page.stat().st_mode & 0o777 == 0o600
    nowhere = alice("history", "show", "", "--html", str(tmp_path / "nowhere" / "call.html"))
    assert (nowhere.code, "cannot write" in nowhere.errors) == (2, True)


def test_missed_calls_are_listed(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [CAROL, BOB], Behaviour.LEAVES
    alice("answer", "--from-roster", "--once", *QUIET)
    listed = alice("history").output
    assert "<- carol@example.net  missed" in listed
    missed = next(line for line in listed.splitlines() if "missed" in line)
    assert alice("history", "show", missed[:8]).output == missed + "\n"


def test_a_measured_round_trip_is_shown() -> None:
    stats = dict.fromkeys(
        ("packets_sent", "packets_received", "remote_loss", "loss", "bitrate_sent", "jitter", "concealed"), 0.0
    )
    shown = history._numbers({**stats, "playout_delay": 20.0, "round_trip": 31.4, "codec": ""})
    assert shown[-1].endswith("round trip 31 ms")
    assert "no codec" in shown[0]


@pytest.mark.parametrize("limit", ["0", "-1", "all"])
def test_wrong_limits(run: Run, limit: str) -> None:
    assert run("history", "--limit", limit).code == 2
