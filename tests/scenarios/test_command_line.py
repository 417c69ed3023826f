"""The command line as a stranger uses it: processes, exit codes, JSON, signals."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import stat
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from openvoice.samples import sample
from openvoice.server.certificates import CertificateAuthority
from openvoice.server.prosody import Prosody

from .speech import arrived

pytestmark = [pytest.mark.live, pytest.mark.slow]

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "events.schema.json").read_text())
LONG = 40.0
"""Seconds that any command may take on a busy machine."""


class Finished:
    """What a command left."""

    def __init__(self, code: int, output: bytes, errors: bytes) -> None:
        self.code = code
        self.output = output
        self.errors = errors.decode()

    @property
    def events(self) -> list[dict[str, Any]]:
        """The JSON lines, each held to the schema."""
        lines = [json.loads(line) for line in self.output.decode().splitlines()]
        for line in lines:
            jsonschema.validate(line, SCHEMA)
        return lines

    @property
    def names(self) -> list[str]:
        return [event["event"] for event in self.events if event["event"] != "stats"]


class Running:
    """A command that runs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.seen = b""

    async def until(self, text: str) -> None:
        """Wait until ``text`` was printed."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONG):
            while text.encode() not in self.seen:
                piece = await self.process.stdout.readline()
                assert piece, f"ended before {text!r}: {self.seen!r}"
                self.seen += piece

    async def finish(self) -> Finished:
        async with asyncio.timeout(LONG):
            output, errors = await self.process.communicate()
        assert self.process.returncode is not None
        return Finished(self.process.returncode, self.seen + output, errors)


class Person:
    """Somebody with a profile of their own and an account on the private server."""

    def __init__(self, name: str, folder: Path, prosody: Prosody) -> None:
        self.home = folder / f"{name}-home"
        self.home.mkdir()
        (self.home / "openvoice.toml").write_text(
            '[network]\ninterfaces = ["127.0.0.1"]\n[storage]\nprotection = "plain"\n'
        )
        self.password_file = folder / f"{name}-password"
        self.address = str(prosody.address(f"{name}-{secrets.token_hex(4)}"))
        password = secrets.token_urlsafe()
        self.password_file.write_text(password + "\n")
        prosody.add_account(self.address.partition("@")[0], password)
        self.prosody = prosody

    @property
    def local(self) -> str:
        return self.address.partition("@")[0]

    async def start(self, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL) -> Running:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "openvoice",
            "--home",
            str(self.home),
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        return Running(process)

    async def run(self, *arguments: str) -> Finished:
        return await (await self.start(*arguments)).finish()

    def write_account(self) -> None:
        """What ``account add`` writes, without the seconds that its program takes to start and to log in."""
        with (self.home / "openvoice.toml").open("a") as file:
            file.write(
                f'[account."{self.address}"]\nserver = "{self.prosody.host}:{self.prosody.port}"\n'
                f'ca = "{self.prosody.ca_file}"\npassword_file = "{self.password_file}"\n'
            )

    async def add_account(self, *more: str, port: int | None = None) -> Finished:
        return await self.run(
            "account",
            "add",
            self.address,
            "--password-file",
            str(self.password_file),
            "--server",
            f"{self.prosody.host}:{port or self.prosody.port}",
            "--ca",
            str(self.prosody.ca_file),
            *more,
        )


MakePerson = Callable[[str], Awaitable[Person]]


@pytest.fixture
def person(prosody: Prosody, tmp_path: Path) -> MakePerson:
    async def make(name: str) -> Person:
        made = Person(name, tmp_path, prosody)
        made.write_account()
        return made

    return make


@asynccontextmanager
async def answering(callee: Person, *arguments: str) -> AsyncIterator[Running]:
    running = await callee.start("answer", "--json", *arguments)
    try:
        await running.until('"online"')
        yield running
    finally:
        if running.process.returncode is None:
            running.process.kill()
            await running.process.wait()


async def test_call_and_answer_with_files(person: MakePerson, prosody: Prosody, tmp_path: Path) -> None:
    alice, bob = Person("alice", tmp_path, prosody), await person("bob")
    added = await alice.add_account()
    assert added.code == 0, added.errors
    files = ["--input", str(sample("bob")), "--output", str(tmp_path / "bob.wav")]
    async with answering(bob, "--from", alice.address, "--once", *files) as answer:
        files = ["--input", str(sample("alice")), "--output", str(tmp_path / "alice.wav")]
        called = await alice.run("call", bob.address, *files, "--json")
        answered = await answer.finish()
    assert (called.code, answered.code) == (0, 0), called.errors + answered.errors
    assert called.names == [
        "online",
        "calling",
        "ringing",
        "accepted",
        "secured",
        "connected",
        "source-ended",
        "ended",
    ]
    assert answered.names[:5] == ["online", "incoming", "accepted", "secured", "connected"]
    assert answered.names[-1] == "ended"
    assert sum(event["event"] == "stats" for event in called.events) >= 4
    for event in (called.events[-1], answered.events[-1]):
        assert event["reason"] == "success"
        assert event["security"]["vouching"] == "omemo_trusted"
        assert event["security"]["before_consent"] == {"candidates": 0, "packets": 0}
    ours, theirs = called.events[-1]["security"], answered.events[-1]["security"]
    assert ours["fingerprints"]["local"] == theirs["fingerprints"]["remote"]
    assert called.errors == answered.errors == ""
    assert arrived("alice", tmp_path / "bob.wav").passed
    assert arrived("bob", tmp_path / "alice.wav").passed
    listed = await alice.run("history", "--json")
    (record,) = [json.loads(line) for line in listed.output.splitlines()]
    assert record["outcome"] == "answered"
    shown = await alice.run("history", "show", record["call"][:8])
    assert b"OMEMO key vouches for the call" in shown.output
    for path in (alice.home / "openvoice.toml", alice.home / "openvoice.vault"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_raw_sound_through_pipes(person: MakePerson, tmp_path: Path) -> None:
    alice, bob = await person("alice"), await person("bob")
    async with answering(bob, "--from", alice.address, "--input", "tone", "--output", "null"):
        caller = await alice.start("call", bob.address, "--input", "-", "--output", "-", stdin=asyncio.subprocess.PIPE)
        assert caller.process.stdin is not None
        caller.process.stdin.write(bytes(2 * 48_000 * 2))
        caller.process.stdin.close()
        finished = await caller.finish()
    assert finished.code == 0, finished.errors
    assert len(finished.output) > 48_000
    assert len(finished.output) % 1920 == 0
    assert any(finished.output)
    assert "connected" in finished.errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_signals_hang_up_politely_and_lose_nothing(
    person: MakePerson, number: signal.Signals, tmp_path: Path
) -> None:
    alice, bob = await person("alice"), await person("bob")
    async with answering(bob, "--from", alice.address, "--once", "--input", "tone", "--output", "null") as answer:
        caller = await alice.start(
            "call", bob.address, "--input", "tone", "--output", str(tmp_path / "heard.wav"), "--json"
        )
        await caller.until('"connected"')
        await asyncio.sleep(1.0)
        begun = asyncio.get_running_loop().time()
        caller.process.send_signal(number)
        called = await caller.finish()
        took = asyncio.get_running_loop().time() - begun
        answered = await answer.finish()
    assert called.code == 130
    assert took < 5.0
    assert called.names[-1] == "ended"
    assert called.events[-1]["reason"] == answered.events[-1]["reason"] == "success"
    assert called.errors == ""
    assert (tmp_path / "heard.wav").stat().st_size > 48_000
    assert json.loads((await alice.run("history", "--json")).output)["outcome"] == "answered"


async def test_ctrl_c_while_it_rings(person: MakePerson) -> None:
    alice, bob = await person("alice"), await person("bob")
    async with answering(bob, "--from-roster", "--input", "tone", "--output", "null"):
        bob.prosody.acquaint(alice.local, bob.local)
        caller = await alice.start("call", bob.address, "--input", "tone", "--output", "null", "--json")
        await caller.until('"calling"')
        caller.process.send_signal(signal.SIGINT)
        called = await caller.finish()
    assert called.code == 130
    assert called.events[-1]["event"] == "ended"


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ("wrong password", 3, "password"),
        ("server down", 3, "nothing answers"),
        ("foreign certificate", 3, "certificate"),
        ("expired certificate", 3, "expired"),
        ("no such host", 3, "no server named"),
        ("missing password file", 2, "cannot be read"),
        ("missing certificate file", 2, "certificate file"),
        ("password twice", 2, "give one"),
        ("not an address", 2, "JID"),
    ],
)
async def test_accounts_that_do_not_work_are_not_added(
    prosody: Prosody, tmp_path: Path, change: str, code: int, words: str
) -> None:
    alice = Person("alice", tmp_path, prosody)
    arguments = [
        "account",
        "add",
        alice.address,
        "--password-file",
        str(alice.password_file),
        "--server",
        f"{prosody.host}:{prosody.port}",
        "--ca",
        str(prosody.ca_file),
    ]
    async with AsyncExitStack() as stack:
        match change:
            case "wrong password":
                alice.password_file.write_text("guessed\n")
            case "server down":
                arguments[6] = "127.0.0.1:1"
            case "foreign certificate":
                del arguments[7:]
            case "expired certificate":
                authority = CertificateAuthority()
                certificate = authority.issue(
                    prosody.domain, "127.0.0.1", starts=timedelta(days=-3), lasts=timedelta(days=1)
                )
                old = Prosody(authority=authority, certificate=certificate)
                await stack.enter_async_context(old)
                arguments[6:9] = [f"{old.host}:{old.port}", "--ca", str(old.ca_file)]
            case "no such host":
                arguments[2] = "alice@nowhere.invalid"
                del arguments[5:]
            case "missing password file":
                alice.password_file.unlink()
            case "missing certificate file":
                arguments[8] = str(tmp_path / "nothing.pem")
            case "password twice":
                arguments += ["--password-command", "true"]
            case "not an address":
                arguments[2] = "a b"
        finished = await alice.run(*arguments)
    assert finished.code == code, finished.errors
    assert words in finished.errors
    assert len(finished.errors.strip().splitlines()) == 1
    assert "Traceback" not in finished.errors
    assert b"no account yet" in (await alice.run("account", "list")).output


async def test_starttls_and_direct_tls_ports_are_told_apart(prosody: Prosody, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path, prosody)
    assert (await alice.add_account(port=prosody.starttls_port)).code == 0
    assert (await alice.add_account(port=prosody.port)).code == 0
    assert (await alice.run("account", "list")).output.decode().split() == [alice.address]
    assert (await alice.run("account", "remove", alice.address)).code == 0
    assert (await alice.run("account", "remove", alice.address)).code == 2


async def test_calls_that_do_not_happen_have_their_codes(person: MakePerson, prosody: Prosody, tmp_path: Path) -> None:
    alice, bob = await person("alice"), await person("bob")
    quiet = ["--input", "silence", "--output", "null"]
    nobody = await alice.run("call", f"nobody@{prosody.domain}", *quiet)
    assert nobody.code == 5
    assert "cannot be reached" in nobody.errors
    offline = await alice.run("call", bob.address, *quiet, "--ring-timeout", "0.5")
    assert offline.code == 5
    assert "did not answer" in offline.errors
    async with answering(bob, "--from", alice.address, *quiet):
        refused = await alice.run("call", bob.address, *quiet, "--require", "verified")
        assert refused.code == 6
        assert "verified by you" in refused.errors
        no_such_file = await alice.run("call", bob.address, "--input", str(tmp_path / "none.wav"), "--output", "null")
        assert no_such_file.code == 2
        (tmp_path / "text.wav").write_text("this is not sound")
        not_sound = await alice.run("call", bob.address, "--input", str(tmp_path / "text.wav"), "--output", "null")
        assert not_sound.code == 2
        assert "text.wav" in not_sound.errors
        nowhere = await alice.run("call", bob.address, "--input", "tone", "--output", str(tmp_path / "no" / "x.wav"))
        assert nowhere.code == 2
        timed = await alice.run("call", bob.address, *quiet, "--duration", "0.5", "--json")
        assert timed.code == 0
        assert 0.3 < timed.events[-1]["duration"] < 5


async def test_a_password_command_and_registration(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody(registration=True) as server:
        newcomer = Person("newcomer", tmp_path, server)
        fresh = f"fresh@{server.domain}"
        there = ["--server", f"{server.host}:{server.port}", "--ca", str(server.ca_file)]
        command = ["--password-command", f"cat {newcomer.password_file}"]
        made = await newcomer.run("account", "register", fresh, *command, *there)
        assert made.code == 0, made.errors
        again = await newcomer.run("account", "register", fresh, *command, *there)
        assert again.code == 3
        assert len(again.errors.strip().splitlines()) == 1
        doctor = await newcomer.run("doctor", "--json")
        steps = {step["name"]: step["outcome"] for step in map(json.loads, doctor.output.splitlines())}
        assert steps["login"] == "passed"
        newcomer.password_file.write_text("something else\n")
        ill = await newcomer.run("doctor")
        assert ill.code == 3
        assert "✗ login" in ill.output.decode()


async def test_a_broken_configuration_names_file_key_and_value(prosody: Prosody, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path, prosody)
    (alice.home / "openvoice.toml").write_text("[policy]\nring = 'everybody'\n")
    finished = await alice.run("call", "bob@example.org")
    assert finished.code == 2
    for word in (str(alice.home / "openvoice.toml"), "policy.ring", "everybody"):
        assert word in finished.errors


async def test_the_doctor_is_content_with_a_good_server(person: MakePerson) -> None:
    alice = await person("alice")
    finished = await alice.run("doctor", "--json")
    steps = {step["name"]: step for step in map(json.loads, finished.output.splitlines())}
    assert finished.code == 0, finished.output.decode()
    for name in ("configuration", "server name", "encryption", "login", "server features"):
        assert steps[name]["outcome"] == "passed", steps[name]


async def test_without_an_account_it_says_what_to_do(prosody: Prosody, tmp_path: Path) -> None:
    alice = Person("alice", tmp_path, prosody)
    for arguments in (["call", "bob@example.org", "--input", "tone", "--output", "null"], ["doctor"]):
        finished = await alice.run(*arguments)
        assert "openvoice account add" in finished.errors + finished.output.decode()
        assert finished.code in (2, 3)


async def test_the_demo_proves_that_the_speech_arrived(tmp_path: Path) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    folder = tmp_path / "demo"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "openvoice",
        "demo",
        "--folder",
        str(folder),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "OPENVOICE_HOME": str(tmp_path / "untouched")},
    )
    finished = await Running(process).finish()
    assert finished.code == 0, finished.errors
    assert {path.name for path in folder.iterdir()} == {
        "alice-heard.wav",
        "bob-heard.wav",
        "call.json",
        "report.html",
    }
    assert arrived("alice", folder / "bob-heard.wav").passed
    assert "connected" in finished.output.decode()
    assert not (tmp_path / "untouched").exists()


async def test_a_key_is_wanted_verified_and_then_is(person: MakePerson) -> None:
    alice, bob = await person("alice"), await person("bob")
    quiet = ["--input", "silence", "--output", "null"]

    async def call(*arguments: str) -> tuple[Finished, Finished]:
        async with answering(bob, "--from", alice.address, "--once", *quiet) as answer:
            called = await alice.run("call", bob.address, *quiet, "--duration", "0.5", "--json", *arguments)
            return called, await answer.finish()

    called, answered = await call("--require", "omemo")
    assert (called.code, answered.code) == (0, 0), called.errors + answered.errors
    ours, theirs = (side.events[-1]["security"]["voucher"] for side in (called, answered))
    assert (ours["own_device"], ours["own_key"]) == (theirs["device"], theirs["key"])
    assert (theirs["own_device"], theirs["own_key"]) == (ours["device"], ours["key"])

    called, answered = await call("--require", "verified")
    assert (called.code, answered.code) == (6, 6)
    assert "verified by you" in called.errors

    assert (await alice.run("trust", "verify", bob.address, "--key", ours["key"])).code == 0
    called, answered = await call("--require", "verified")
    assert (called.code, answered.code) == (0, 0), called.errors + answered.errors
    vouching = [side.events[-1]["security"]["vouching"] for side in (called, answered)]
    assert vouching == ["omemo_verified", "omemo_trusted"]
