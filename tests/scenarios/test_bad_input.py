"""What goes wrong around a call, and what it gets: one clear line, the right exit code, nothing left behind."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import pty
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import termios
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from openvoice import Account, CallState, MediaFailed, load_sound
from openvoice.server.prosody import Prosody
from openvoice.testing.clients import ClientFactory
from tests.devices.pulse import PulseAudio
from tests.security.attacker import SOON, Attacker
from tests.security.scene import rings

from .test_command_line import LONG, MakePerson, Person, Running, answering
from .test_command_line import person as person

pytestmark = [pytest.mark.live, pytest.mark.slow]

QUIET = ("--input", "silence", "--output", "null")
PIPE = asyncio.subprocess.PIPE


async def launch(
    who: Person, *arguments: str, before: Sequence[str] = (), environment: dict[str, str] | None = None, **streams: Any
) -> Running:
    """Start a command of ``who``, by way of the command ``before``."""
    words = [*before, sys.executable, "-m", "openvoice", "--home", str(who.home), *arguments]
    streams = {"stdin": asyncio.subprocess.DEVNULL, "stdout": PIPE, "stderr": PIPE} | streams
    process = await asyncio.create_subprocess_exec(*words, env={**os.environ, **(environment or {})}, **streams)
    return Running(process)


def assert_one_line(errors: str, *words: str) -> None:
    (line,) = errors.strip().splitlines()
    assert line.startswith("openvoice: ")
    for word in words:
        assert word in line, line


# --- the server and the peer ------------------------------------------------------------------------------------------


async def test_the_server_dies_during_a_call_and_returns(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as server:
        alice, bob = Person("alice", tmp_path, server), Person("bob", tmp_path, server)
        for each in (alice, bob):
            each.write_account()
        async with answering(bob, "--from", alice.address, "--input", "tone", "--output", "null"):
            caller = await alice.start(
                "call", bob.address, "--input", "tone", "--output", "null", "--json", "--duration", "6"
            )
            await caller.until('"connected"')
            await server.kill()
            await caller.until('"offline"')
            await server.start()
            called = await caller.finish()
    assert called.code == 0, called.errors
    offline = next(event for event in called.events if event["event"] == "offline")
    assert offline["reason"]
    assert "\n" not in offline["reason"]
    assert called.names.count("online") == 2, "it came back by itself while the call went on"
    assert called.names.index("offline") < called.names.index("ended")
    ended = called.events[-1]
    assert (ended["reason"], ended["stats"]["loss"]) == ("success", 0.0)
    assert ended["duration"] > 5


async def test_the_server_dies_during_a_call_and_stays_away(tmp_path: Path) -> None:
    """The call goes on, and ends when its user says so; the command ends then too."""
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as server:
        alice, bob = Person("alice", tmp_path, server), Person("bob", tmp_path, server)
        for each in (alice, bob):
            each.write_account()
        async with answering(bob, "--from", alice.address, "--input", "tone", "--output", "null"):
            caller = await alice.start("call", bob.address, "--input", "tone", "--output", "null", "--duration", "2")
            await caller.until("connected")
            await server.kill()
            called = await caller.finish()
    assert called.code == 0, called.errors
    assert "not online: " in called.output.decode()
    assert called.errors == ""


async def test_a_peer_that_is_online_without_calls(person: MakePerson) -> None:
    alice = await person("alice")
    prosody, name = alice.prosody, f"chatter-{secrets.token_hex(4)}"
    prosody.add_account(name, "a password of a chat client")
    prosody.acquaint(alice.local, name)
    account = Account(
        address=prosody.address(name),
        password=prosody.accounts[name],
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
    )
    async with Attacker(account, features=frozenset()):
        called = await alice.run("call", str(account.address), *QUIET)
    assert called.code == 5
    assert_one_line(called.errors, "calls")


# --- this machine -----------------------------------------------------------------------------------------------------


async def test_a_disk_that_fills_while_recording(person: MakePerson, tmp_path: Path) -> None:
    alice, bob = await person("alice"), await person("bob")
    recording = tmp_path / "heard.wav"
    # The keys of a new device need room of their own.
    assert (await alice.add_account()).code == 0
    async with answering(bob, "--from", alice.address, "--input", "tone", "--output", "null"):
        # No file may be larger than 150 kB: one and a half seconds of sound.
        limited = ("sh", "-c", 'ulimit -f 300; exec "$@"', "sh")
        words = ("call", bob.address, "--input", "tone", "--output", str(recording), "--duration", "3", "--json")
        called = await (await launch(alice, *words, before=limited)).finish()
    assert called.code == 0, called.errors
    told = [event["text"] for event in called.events if event["event"] == "device"]
    assert len(told) == 1
    assert told[0].startswith(f"the recording {str(recording)!r} ends here: ")
    assert called.events[-1]["reason"] == "success"
    assert called.events[-1]["duration"] > 2.5, "the call itself goes on"
    assert 100_000 < recording.stat().st_size <= 300 * 1024
    assert len(load_sound(recording)) > 40_000, "what was recorded so far can be played"


def has_sound_card() -> bool:
    cards = Path("/proc/asound/cards")
    return cards.exists() and "no soundcards" not in cards.read_text()


async def test_no_sound_card(person: MakePerson) -> None:
    """Nothing is sent to anybody: it is known before the call."""
    alice, bob = await person("alice"), await person("bob")
    if has_sound_card():
        pytest.skip("this machine has a sound card")
    nothing = {"PULSE_SERVER": "unix:/nonexistent"}
    for words in (("call", bob.address), ("call", bob.address, "--input", "tone")):
        called = await (await launch(alice, *words, environment=nothing)).finish()
        assert called.code == 7
        assert_one_line(called.errors, "--input FILE" if len(words) == 2 else "--output null")
        assert called.output == b""
    listed = await (await launch(alice, "devices", environment=nothing)).finish()
    assert listed.code == 0
    assert b"no sound device was found" in listed.output
    assert listed.errors == ""


@pytest.mark.sound
async def test_a_sound_card_that_is_unplugged_during_a_call(person: MakePerson, tmp_path: Path) -> None:
    if shutil.which("pulseaudio") is None or shutil.which("pactl") is None:
        pytest.skip("needs PulseAudio: install it with 'sudo apt-get install pulseaudio'")
    alice, bob = await person("alice"), await person("bob")
    card = PulseAudio(tmp_path)
    card.start()
    try:
        devices = ("--input", "ov_tap", "--output", "ov_speaker", "--duration", "6", "--json")
        async with answering(bob, "--from", alice.address, "--input", "tone", "--output", "null"):
            caller = await launch(alice, "call", bob.address, *devices, environment=card.environment)
            await caller.until('"stats"')
            card.kill()
            called = await caller.finish()
    finally:
        card.kill()
    assert called.code == 0, called.errors
    told = [event["text"] for event in called.events if event["event"] == "device"]
    assert told
    assert all(text and "\n" not in text for text in told)
    assert called.events[-1]["reason"] == "success"
    assert called.events[-1]["duration"] > 5


async def test_no_port_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both sides learn it at once, as what it is, and the next call works."""
    bind = socket.socket.bind
    exhausted = False

    def refuse(self: socket.socket, address: Any) -> None:
        if exhausted and self.type == socket.SOCK_DGRAM:
            raise OSError(errno.EADDRINUSE, "Address already in use")
        bind(self, address)

    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    monkeypatch.setattr(socket.socket, "bind", refuse)
    # Without a relay, which would carry the call all the same.
    async with Prosody() as server, ClientFactory(server)("alice", "bob") as (alice, bob):
        exhausted = True
        ringing = rings(bob)
        call = await alice.call(bob.address.bare)
        other = await asyncio.wait_for(ringing, SOON)
        await other.accept()
        with pytest.raises(MediaFailed, match="network"):
            await call.wait_for(CallState.ACTIVE, SOON)
        ends = await asyncio.wait_for(asyncio.gather(call.wait_closed(), other.wait_closed()), SOON)
        assert ends[0].reason is ends[1].reason
        exhausted = False
        ringing = rings(bob)
        call = await alice.call(bob.address.bare)
        await (await asyncio.wait_for(ringing, SOON)).accept()
        await call.wait_for(CallState.ACTIVE, SOON)


async def test_a_network_interface_that_is_no_address(person: MakePerson) -> None:
    alice = await person("alice")
    settings = alice.home / "openvoice.toml"
    settings.write_text(settings.read_text().replace("127.0.0.1", "eth0", 1))
    called = await alice.run("call", "bob@example.org", *QUIET)
    assert called.code == 2
    assert_one_line(called.errors, str(settings), "network.interfaces", "eth0")


async def test_a_network_address_that_is_not_of_this_machine(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as server:
        alice, bob = Person("alice", tmp_path, server), Person("bob", tmp_path, server)
        settings = alice.home / "openvoice.toml"
        settings.write_text(settings.read_text().replace("127.0.0.1", "192.0.2.1", 1))
        for each in (alice, bob):
            each.write_account()
        async with answering(bob, "--from", alice.address, *QUIET):
            called = await alice.run("call", bob.address, *QUIET)
    assert called.code == 7
    assert_one_line(called.errors, "no network address", "check its network connection")


# --- the terminal and the pipes ---------------------------------------------------------------------------------------


class Terminal:
    """A terminal with a command in it that thinks a person sits there."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.seen = b""

    def start(self, who: Person, *arguments: str) -> subprocess.Popen[bytes]:
        def control() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        words = [sys.executable, "-m", "openvoice", "--home", str(who.home), *arguments]
        process = subprocess.Popen(
            words,
            preexec_fn=control,
            env={**os.environ, "TERM": "xterm"},
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
        )
        os.close(self.slave)
        return process

    async def until(self, text: str) -> None:
        """Wait until ``text`` can be read in it."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(LONG):
            while text.encode() not in self.seen:
                try:
                    self.seen += await loop.run_in_executor(None, os.read, self.master, 4096)
                except OSError:
                    pytest.fail(f"ended before {text!r}: {self.seen.decode(errors='replace')}")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def close(self) -> None:
        """As a click on the X of its window would."""
        os.close(self.master)


async def ended(process: subprocess.Popen[bytes]) -> int:
    async with asyncio.timeout(LONG):
        return await asyncio.to_thread(process.wait)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    for descriptor in (made.master, made.slave):
        try:
            os.close(descriptor)
        except OSError:
            continue


async def contacts(person: MakePerson) -> tuple[Person, Person]:
    alice, bob = await person("alice"), await person("bob")
    alice.prosody.acquaint(alice.local, bob.local)
    return alice, bob


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("n\n", 4), ("\n", 4)])
async def test_it_asks_in_the_terminal(person: MakePerson, terminal: Terminal, typed: str, code: int) -> None:
    alice, bob = await contacts(person)
    answer = terminal.start(bob, "answer", "--once", *QUIET)
    await terminal.until("online")
    caller = await alice.start("call", bob.address, *QUIET, "--duration", "0.5", "--json")
    await terminal.until("[y/N]")
    assert alice.address.encode() in terminal.seen
    terminal.type(typed)
    called = await caller.finish()
    assert called.code == code
    assert await ended(answer) == code


async def test_the_caller_gives_up_while_it_asks(person: MakePerson, terminal: Terminal) -> None:
    alice, bob = await contacts(person)
    answer = terminal.start(bob, "answer", "--once", *QUIET)
    await terminal.until("online")
    caller = await alice.start("call", bob.address, *QUIET, "--json")
    await terminal.until("[y/N]")
    caller.process.send_signal(signal.SIGINT)
    assert (await caller.finish()).code == 130
    await terminal.until("ended: cancel")
    assert await ended(answer) == 130


async def test_the_window_is_closed_during_a_call(person: MakePerson, terminal: Terminal, tmp_path: Path) -> None:
    """The peer hears of it as of any hang-up, and the recording is whole."""
    alice, bob = await person("alice"), await person("bob")
    recording = tmp_path / "heard.wav"
    async with answering(bob, "--from", alice.address, "--once", "--input", "tone", "--output", "null") as answer:
        caller = terminal.start(alice, "call", bob.address, "--input", "tone", "--output", str(recording))
        await terminal.until("connected")
        await asyncio.sleep(1.0)
        terminal.close()
        # The kernel has told it; the shell in a window does as well, a moment later.
        for _ in range(5):
            await asyncio.sleep(0.02)
            caller.send_signal(signal.SIGHUP)
        assert await ended(caller) == 130
        answered = await answer.finish()
    assert (answered.code, answered.events[-1]["reason"]) == (0, "success")
    assert answered.events[-1]["origin"] == "remote"
    assert len(load_sound(recording)) > 20_000


async def test_the_window_is_closed_while_it_asks(person: MakePerson, terminal: Terminal) -> None:
    alice, bob = await contacts(person)
    answer = terminal.start(bob, "answer", *QUIET)
    await terminal.until("online")
    caller = await alice.start("call", bob.address, *QUIET, "--json")
    await terminal.until("[y/N]")
    terminal.close()
    assert await ended(answer) == 130
    assert (await caller.finish()).code == 4


async def test_nobody_reads_what_is_printed(person: MakePerson) -> None:
    """As in ``openvoice call --json | head -1``: the call ends, and nothing is said about pipes."""
    alice, bob = await person("alice"), await person("bob")
    async with answering(bob, "--from", alice.address, "--once", "--input", "tone", "--output", "null") as answer:
        read, write = os.pipe()
        caller = await launch(alice, "call", bob.address, "--input", "tone", "--output", "null", "--json", stdout=write)
        os.close(write)
        os.read(read, 10)
        await answer.until('"connected"')
        os.close(read)
        async with asyncio.timeout(LONG):
            _, errors = await caller.process.communicate()
        answered = await answer.finish()
    assert caller.process.returncode == 130
    assert errors == b""
    assert answered.events[-1]["reason"] == "success"


async def test_an_input_that_is_empty_ends_the_call_politely(person: MakePerson) -> None:
    alice, bob = await person("alice"), await person("bob")
    async with answering(bob, "--from", alice.address, "--once", *QUIET) as answer:
        called = await alice.run("call", bob.address, "--input", "-", "--output", "null", "--json")
        answered = await answer.finish()
    assert (called.code, answered.code) == (0, 0), called.errors + answered.errors
    assert called.events[-1]["reason"] == answered.events[-1]["reason"] == "success"


async def test_a_password_is_asked_for_and_nobody_is_there(prosody: Prosody, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path, prosody)
    added = await alice.run("account", "add", alice.address, "--server", f"{prosody.host}:{prosody.port}")
    assert added.code == 2
    assert_one_line(added.errors, "--password-file", "--password-command")
    assert [path.name for path in alice.home.iterdir()] == ["openvoice.toml"]
