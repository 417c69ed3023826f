"""A call that is recorded: both sides are there, and no file of the profile tells anything to whoever has no key."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import numpy as np
import pytest

from openvoice import SAMPLE_RATE, load_sound
from openvoice.report import similarity
from openvoice.samples import sample

from .test_command_line import MakePerson, answering, person

__all__ = ["person"]

pytestmark = [pytest.mark.live, pytest.mark.slow]

PIECE = 16
"""Samples of a phrase that are looked for; fewer might be there by chance."""


async def test_both_sides_are_kept_and_nothing_can_be_read(person: MakePerson, tmp_path: Path) -> None:
    alice, bob = await person("alice"), await person("bob")
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    for one in (alice, bob):
        changed = await one.run("storage", "protect", "--passphrase-file", str(passphrase))
        assert changed.code == 0, changed.errors
    files = ["--input", str(sample("bob")), "--output", "null", "--record"]
    async with answering(bob, "--from", alice.address, "--once", *files) as answer:
        called = await alice.run("call", bob.address, "--input", str(sample("alice")), "--output", "null", "--record")
        answered = await answer.finish()
    assert (called.code, answered.code) == (0, 0), called.errors + answered.errors
    for one, own, other in ((alice, "alice", "bob"), (bob, "bob", "alice")):
        listed = await one.run("recordings", "list", "--json")
        (record,) = [json.loads(line) for line in listed.output.splitlines()]
        assert record["whole"]
        taken = tmp_path / f"{own}.wav"
        assert (await one.run("recordings", "export", record["recording"], str(taken))).code == 0
        with wave.open(str(taken)) as sound:
            sides = np.frombuffer(sound.readframes(10**9), "<i2").reshape(-1, 2)
        for said, side in ((own, 0), (other, 1)):
            assert similarity(load_sound(sample(said)), sides[:, side].copy(), SAMPLE_RATE).passed, (own, said)
        loud = [at for at in range(0, len(sides) - PIECE, 960) if np.abs(sides[at : at + PIECE, 0]).min() > 50]
        assert len(loud) > 5
        for path in one.home.rglob("*"):
            if path.is_file() and path.name != "openvoice.toml":
                octets = path.read_bytes()
                for word in (alice.local, bob.local, b"RIFF".decode(), "OggS", "Opus", "prosody", "omemo", "correct"):
                    assert word.encode() not in octets, (path.name, word)
                for at in loud:
                    assert sides[at : at + PIECE, 0].tobytes() not in octets
                    assert sides[at : at + PIECE].tobytes() not in octets
