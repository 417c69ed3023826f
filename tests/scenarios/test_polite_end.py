"""The tenth invariant: a signal or a closed terminal ends calls politely within 2 s, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import psutil
import pytest

import openvoice
from openvoice import Account, CallState, Client, EndReason, load_sound
from openvoice.jingle.model import MessageKind
from openvoice.server.prosody import Prosody
from openvoice.testing.clients import ClientFactory
from tests.jingle import samples
from tests.security.attacker import SOON, Attacker
from tests.security.scene import rings, talk
from tests.waiting import until

from .test_command_line import LONG, MakePerson, Person, Running
from .test_command_line import person as person


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[int, list[asyncio.StreamWriter]]]:
    """A port where somebody listens and never says anything, and those who came."""
    writers: list[asyncio.StreamWriter] = []

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1], writers
    server.close()
    for writer in writers:
        writer.close()


def of_friend(who: Person, prosody: Prosody) -> Account:
    name = f"friend-{who.local}"
    prosody.add_account(name, "the password of a friend")
    prosody.acquaint(who.local, name)
    return Account(
        address=prosody.address(name),
        password=prosody.accounts[name],
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
    )


@asynccontextmanager
async def started(who: Person, *words: str) -> AsyncIterator[Running]:
    """A command of ``who`` that does not outlive a test that failed."""
    running = await who.start(*words)
    try:
        yield running
    finally:
        await ensure_gone(running.process)


async def ensure_gone(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def interrupted(running: Running, number: signal.Signals, home: Path, recording: Path) -> None:
    """Send the signal, and see that the process ends politely and leaves nothing."""
    process = psutil.Process(running.process.pid)
    family = process.children(recursive=True)
    begun = time.monotonic()
    running.process.send_signal(number)
    finished = await running.finish()
    took = time.monotonic() - begun
    assert finished.code == 130, finished.errors
    assert finished.errors == ""
    # Two seconds, and as many again for a machine that does other things as well.
    assert took < 4.0
    assert not [child for child in family if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    assert_whole(home, recording)
    for line in finished.output.splitlines():
        json.loads(line)


def assert_whole(home: Path, recording: Path) -> None:
    """No temporary file, no journal, and what was written can be read."""
    names = {path.name for path in home.rglob("*")}
    keys = {path.name for path in home.glob("openvoice-*.key")}
    assert len(keys) <= 1
    assert names <= {"openvoice.toml", "openvoice.vault"} | keys
    if "openvoice.vault" in names:
        with contextlib.closing(sqlite3.connect(home / "openvoice.vault")) as vault:
            assert vault.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    if recording.exists() and recording.stat().st_size > 44:
        assert load_sound(recording).size


STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("login", signal.SIGINT),
        ("login", signal.SIGTERM),
        ("proposed", signal.SIGINT),
        ("ringing", signal.SIGTERM),
        ("connecting", signal.SIGINT),
        ("connecting", signal.SIGHUP),
        *(("active", number) for number in STOPS),
    ],
)
async def test_10_a_caller_ends_politely_at_every_stage(
    person: MakePerson, prosody: Prosody, tmp_path: Path, stage: str, number: signal.Signals
) -> None:
    alice, recording = await person("alice"), tmp_path / "heard.wav"
    account = of_friend(alice, prosody)
    words = ["--input", "tone", "--output", str(recording), "--json"]
    async with AsyncExitStack() as stack:
        if stage == "login":
            port, callers = await stack.enter_async_context(silent_server())
            settings = alice.home / "openvoice.toml"
            settings.write_text(settings.read_text().replace(str(prosody.port), str(port)))
            running = await stack.enter_async_context(started(alice, "call", str(account.address), *words))
            await until(lambda: callers, LONG)
        elif stage == "active":
            friend = await stack.enter_async_context(Client(account, interfaces=("127.0.0.1",)))
            ringing = rings(friend)
            running = await stack.enter_async_context(started(alice, "call", str(account.address), *words))
            other = await asyncio.wait_for(ringing, LONG)
            await other.accept()
            await running.until('"stats"')
        else:
            mallory = await stack.enter_async_context(Attacker(account))
            running = await stack.enter_async_context(started(alice, "call", str(account.address), *words))
            propose = await mallory.hears(MessageKind.PROPOSE)
            sid = next(child.get("id") or "" for child in propose if child.get("id"))
            caller = openvoice.Address.parse(propose.get("from", ""))
            if stage == "ringing":
                mallory.say(MessageKind.RINGING, caller, sid)
                await running.until('"ringing"')
            elif stage == "connecting":
                mallory.say(MessageKind.PROCEED, caller, sid)
                await mallory.is_asked("session-initiate")
        await interrupted(running, number, alice.home, recording)
        if stage == "active":
            assert (await asyncio.wait_for(other.wait_closed(), SOON)).reason is EndReason.SUCCESS
        elif stage == "connecting":
            assert mallory.asked("session-terminate"), "the peer does not wait for somebody who has gone"
        elif stage != "login":
            await mallory.hears(MessageKind.RETRACT)


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("login", signal.SIGINT),
        ("waiting", signal.SIGTERM),
        ("connecting", signal.SIGINT),
        ("active", signal.SIGINT),
        ("active", signal.SIGHUP),
    ],
)
async def test_10_a_callee_ends_politely_at_every_stage(
    person: MakePerson, prosody: Prosody, tmp_path: Path, stage: str, number: signal.Signals
) -> None:
    """While it rings: ``test_the_window_is_closed_while_it_asks``, for only a terminal rings."""
    bob, recording = await person("bob"), tmp_path / "heard.wav"
    account = of_friend(bob, prosody)
    words = ["answer", "--from", str(account.address), "--input", "tone", "--output", str(recording), "--json"]
    async with AsyncExitStack() as stack:
        if stage == "login":
            port, callers = await stack.enter_async_context(silent_server())
            settings = bob.home / "openvoice.toml"
            settings.write_text(settings.read_text().replace(str(prosody.port), str(port)))
        running = await stack.enter_async_context(started(bob, *words))
        if stage == "login":
            await until(lambda: callers, LONG)
        else:
            await running.until('"online"')
        address = openvoice.Address.parse(bob.address)
        if stage == "connecting":
            mallory = await stack.enter_async_context(Attacker(account))
            mallory.say(MessageKind.PROPOSE, address, "sid")
            proceed = await mallory.hears(MessageKind.PROCEED)
            device = openvoice.Address.parse(proceed.get("from", ""))
            assert await mallory.jingle("session-initiate", device, "sid", samples.content()) == "result"
            await mallory.is_asked("session-accept")
        elif stage == "active":
            friend = await stack.enter_async_context(Client(account, interfaces=("127.0.0.1",)))
            call = await friend.call(address)
            await call.wait_for(CallState.ACTIVE, LONG)
            await running.until('"stats"')
        await interrupted(running, number, bob.home, recording)
        if stage == "active":
            assert (await asyncio.wait_for(call.wait_closed(), SOON)).reason is EndReason.SUCCESS
        elif stage == "connecting":
            await mallory.is_asked("session-terminate")


@pytest.mark.slow
@pytest.mark.parametrize("number", STOPS)
async def test_10_a_password_command_does_not_outlive_its_program(tmp_path: Path, number: signal.Signals) -> None:
    words = ["account", "add", "a@example.org", "--password-command", "exec sleep 60"]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openvoice", "--home", str(tmp_path), *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    program = psutil.Process(process.pid)
    try:
        await until(lambda: program.children(recursive=True), LONG)
        await interrupted(Running(process), number, tmp_path, tmp_path / "none")
    finally:
        await ensure_gone(process)


@pytest.mark.live
async def test_10_a_client_that_closes_leaves_no_thread_no_socket_and_no_task(clients: ClientFactory) -> None:
    program = psutil.Process()
    tasks = asyncio.all_tasks()
    async with clients("alice", "bob") as (alice, bob):
        before = len(program.net_connections("udp"))
        await talk(alice, bob)
        assert len(program.net_connections("udp")) > before
    assert asyncio.all_tasks() == tasks
    # Those of asyncio's own pool live as long as the loop.
    assert [t.name for t in threading.enumerate() if t.name.startswith("openvoice")] == []
    assert len(program.net_connections("udp")) == before
