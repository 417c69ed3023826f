"""The programs of docs/examples do what they say, against a real server and each other."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import av
import pytest

from openvoice import SAMPLE_RATE, load_sound
from openvoice.report import similarity
from openvoice.samples import sample
from openvoice.server.prosody import Prosody

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
LONG = 60.0
"""Seconds that any of them may take on a busy machine."""


class Person:
    """Somebody with a profile, made as a user makes it."""

    def __init__(self, name: str, prosody: Prosody, folder: Path) -> None:
        self.local = f"{name}-{secrets.token_hex(4)}"
        self.address = str(prosody.address(self.local))
        home = folder / f"{name}-home"
        home.mkdir()
        (home / "openvoice.toml").write_text('[network]\ninterfaces = ["127.0.0.1"]\n')
        self._environment = {**os.environ, "OPENVOICE_HOME": str(home)}
        password = folder / f"{name}-password"
        password.write_text(secrets.token_urlsafe() + "\n")
        prosody.add_account(self.local, password.read_text().strip())
        there = ("--server", f"{prosody.host}:{prosody.port}", "--ca", str(prosody.ca_file))
        subprocess.run(
            [sys.executable, "-m", "openvoice", "account", "add", self.address, "--password-file", password, *there],
            env=self._environment,
            check=True,
            capture_output=True,
        )

    async def start(self, example: str, *arguments: str | Path) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            str(EXAMPLES / example / "main.py"),
            *map(str, arguments),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def run(self, example: str, *arguments: str | Path) -> str:
        """Run an example to its end, which must be a good one; gives what it printed."""
        process = await self.start(example, *arguments)
        async with asyncio.timeout(LONG):
            output, errors = await process.communicate()
        assert (process.returncode, errors) == (0, b"")
        return output.decode()

    @asynccontextmanager
    async def running(self, example: str, *arguments: str | Path) -> AsyncIterator[asyncio.StreamReader]:
        """An example that waits for calls, until Ctrl-C."""
        process = await self.start(example, *arguments)
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LONG):
                assert (await process.stdout.readline()).decode() == f"waiting for calls to {self.address}\n"
                yield process.stdout
                process.send_signal(signal.SIGINT)
                _, errors = await process.communicate()
            assert (process.returncode, errors) == (130, b"")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    @asynccontextmanager
    async def answering(self, *arguments: str | Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """``openvoice answer``, once it waits for calls."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "openvoice", "answer", "--json"),
            *map(str, arguments),
            env=self._environment,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            async with asyncio.timeout(LONG):
                assert b'"online"' in await process.stdout.readline()
                yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@pytest.fixture
def people(prosody: Prosody, tmp_path: Path) -> tuple[Person, Person]:
    alice, bob = Person("alice", prosody, tmp_path), Person("bob", prosody, tmp_path)
    prosody.acquaint(alice.local, bob.local)
    return alice, bob


def arrived(speaker: str, recording: Path) -> bool:
    return similarity(load_sound(sample(speaker)), load_sound(recording), SAMPLE_RATE).passed


@pytest.mark.live
@pytest.mark.slow
async def test_a_placed_call_leaves_a_message_on_the_answering_machine(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    alice, bob = people
    messages, heard = tmp_path / "messages", tmp_path / "heard.wav"
    async with bob.running("answering_machine", sample("bob"), messages) as output:
        printed = await alice.run("place_call", bob.address, sample("alice"), heard)
        told = (await output.readline()).decode()
    assert "good: Sound was encrypted from device to device" in printed
    assert "notice: The peer's OMEMO key vouches for the call" in printed
    (message,) = messages.iterdir()
    assert told == f"{message.name} is complete\n"
    assert arrived("alice", message)
    assert arrived("bob", heard)


@pytest.mark.live
@pytest.mark.slow
async def test_a_melody_comes_back_from_the_echo_bot(people: tuple[Person, Person]) -> None:
    alice, bob = people
    async with bob.running("echo_bot", alice.address):
        printed = await alice.run("numpy_sound", bob.address)
    match = re.fullmatch(r"the loudest sample that came was (\d+)\n", printed)
    assert match
    assert 4000 < int(match[1]) < 16_000


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.once
async def test_pictures_made_with_numpy_are_seen_and_others_are_taken(
    people: tuple[Person, Person], tmp_path: Path
) -> None:
    alice, bob = people
    film = tmp_path / "seen.webm"
    quiet = ("--input", "silence", "--output", film)
    async with bob.answering("--from", alice.address, "--once", *quiet, "--camera", "pattern") as answering:
        printed = await alice.run("numpy_pictures", bob.address)
        assert await answering.wait() == 0
    match = re.fullmatch(r"(\d+) pictures came; their mean colour was #[0-9a-f]{6}\n", printed)
    assert match
    assert int(match[1]) > 10
    with av.open(str(film)) as container:
        *_, last = container.decode(video=0)
    colour = last.to_ndarray(format="rgb24").mean(axis=(0, 1))
    assert colour[2] > colour[0] + 60, "it is blue"


@pytest.mark.live
@pytest.mark.slow
async def test_the_echo_bot_does_not_ring_for_others(people: tuple[Person, Person]) -> None:
    alice, bob = people
    async with bob.running("echo_bot", "somebody@example.org"):
        process = await alice.start("numpy_sound", bob.address)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 3.0)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(LONG):
            output, errors = await process.communicate()
    assert (process.returncode, output, errors) == (130, b"", b"")


@pytest.mark.parametrize("example", sorted(path.parent.name for path in EXAMPLES.glob("*/main.py")))
def test_used_wrongly_an_example_says_how(example: str) -> None:
    arguments = ["1", "2", "3", "4"] if example != "echo_bot" else []
    ended = subprocess.run(
        [sys.executable, EXAMPLES / example / "main.py", *arguments], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "usage: main.py" in ended.stderr
    assert f"{example}/main.py" in (EXAMPLES / "README.md").read_text()


@pytest.mark.parametrize("example", ["place_call", "numpy_sound", "numpy_pictures", "echo_bot", "answering_machine"])
def test_without_an_account_an_example_says_what_to_do(example: str, tmp_path: Path) -> None:
    arguments = {
        "place_call": ["bob@example.org", "x.wav", "y.wav"],
        "numpy_sound": ["bob@example.org"],
        "numpy_pictures": ["bob@example.org"],
        "echo_bot": ["bob@example.org"],
        "answering_machine": ["x.wav", str(tmp_path)],
    }
    ended = subprocess.run(
        [sys.executable, EXAMPLES / example / "main.py", *arguments[example]],
        env={**os.environ, "OPENVOICE_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == "there is no account yet: add one with 'openvoice account add you@example.org'\n"
