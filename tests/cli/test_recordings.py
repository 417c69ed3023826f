from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from .conftest import Run
from .world import BOB, Behaviour, World

QUIET = ("--input", "tone", "--output", "null")


def test_nothing_was_recorded(run: Run, home: Path) -> None:
    assert run("recordings", "list").output == "no recordings\n"
    assert run("recordings", "list", "--json").output == ""
    for arguments in (("export", "x", "x.wav"), ("delete", "x")):
        refused = run("recordings", *arguments)
        assert (refused.code, "no recordings begin with 'x'" in refused.errors) == (2, True)
    assert not home.exists()


def test_a_call_is_recorded_taken_out_and_deleted(alice: Run, world: World, home: Path, tmp_path: Path) -> None:
    assert alice("call", BOB.bare, *QUIET, "--record", "--duration", "0.4").code == 0
    listed = alice("recordings", "list").output
    assert "-> bob@example.org  0 s\n" in listed
    (record,) = [json.loads(line) for line in alice("recordings", "list", "--json").output.splitlines()]
    assert (record["peer"], record["account"], record["whole"]) == ("bob@example.org", "alice@example.org", True)
    assert record["call"] == json.loads(alice("history", "--json").output)["call"]
    assert 0.1 < record["seconds"] < 5.0
    for path in home.rglob("*"):
        if path.is_file() and path.name != "openvoice.toml":
            octets = path.read_bytes()
            assert b"bob" not in octets
            assert b"RIFF" not in octets
    taken = alice("recordings", "export", record["recording"][:6], tmp_path / "call.wav")
    assert (taken.code, taken.errors) == (0, "")
    with wave.open(str(tmp_path / "call.wav")) as sound:
        sides = np.frombuffer(sound.readframes(10**7), "<i2").reshape(-1, 2)
    assert len(sides) == pytest.approx(record["seconds"] * 48_000)
    # The tone that was sent is on the left; the world of the tests says nothing.
    assert np.abs(sides[:, 0]).max() > 1_000
    assert not sides[:, 1].any()
    again = alice("recordings", "export", record["recording"], tmp_path / "call.wav")
    assert (again.code, "cannot write" in again.errors) == (2, True)
    assert alice("recordings", "delete", record["recording"][:6]).code == 0
    assert alice("recordings", "list").output == "no recordings\n"
    assert list((home / "recordings").iterdir()) == []


def test_only_what_was_asked_for_is_recorded(alice: Run, world: World, home: Path) -> None:
    alice("call", BOB.bare, *QUIET, "--duration", "0.1")
    assert not (home / "recordings").exists()


def test_each_call_that_is_answered_is_recorded(alice: Run, world: World) -> None:
    world.rings, world.behaviour = [BOB], Behaviour.LEAVES
    assert alice("answer", "--from-roster", "--once", "--record", *QUIET).code == 0
    assert "<- bob@example.org" in alice("recordings", "list").output


def test_a_place_where_nothing_can_be_kept_is_told_at_once(alice: Run, world: World, home: Path) -> None:
    (home / "recordings").write_text("")
    refused = alice("call", BOB.bare, *QUIET, "--record")
    assert (refused.code, "cannot be kept" in refused.errors) == (2, True)
    world.rings, world.behaviour = [BOB], Behaviour.TALKS
    refused = alice("answer", "--from-roster", "--record", *QUIET)
    assert (refused.code, "cannot be kept" in refused.errors) == (2, True)
