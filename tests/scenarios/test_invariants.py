"""What must hold whatever happens. Each test is named after its invariant and fails loudly when that breaks.

The ninth, that a lost connection loses no message and no call, is held by ``tests/signalling`` and by
``test_the_server_dies_during_a_call_and_returns``.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import psutil
import pytest

import openvoice
from openvoice import Account, Call, CallState, Client, Device, EndReason, Policy, Vouching, load_sound
from openvoice.errors import MalformedStanza
from openvoice.jingle import namespaces as ns
from openvoice.jingle.describe import read_answer, read_offer
from openvoice.jingle.model import JingleAction, MessageKind
from openvoice.jingle.parse import parse_jingle
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.ports import AudioInput
from openvoice.server.prosody import Prosody
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.clients import ClientFactory
from openvoice.testing.fakes import MemoryCallStore
from openvoice.testing.link import ImpairedLink, _Mapping
from tests.jingle import samples
from tests.security.attacker import SOON, Attacker
from tests.security.conftest import microphones as microphones
from tests.security.conftest import scene as scene
from tests.security.conftest import wire as wire
from tests.security.scene import Scene, rings, talk
from tests.security.tampering import tampering
from tests.security.test_row_06_fingerprints_are_checked import swapped
from tests.security.wire import Endpoint, Wire

from .test_command_line import LONG, MakePerson, Person, Running
from .test_command_line import person as person

MakeScene = Callable[..., Scene]


# --- 1 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_1_nothing_is_captured_and_nothing_leaves_before_somebody_says_yes(
    scene: MakeScene, wire: Wire, microphones: list[AudioInput]
) -> None:
    """The hostile versions are rows 1 and 3 of ``tests/security``."""
    cast = scene(friends=("alice", "bob"))
    async with cast.client("alice") as alice, cast.client("bob") as bob:
        ringing = rings(bob)
        call = await alice.call(bob.address.bare, source=Device())
        other = await asyncio.wait_for(ringing, SOON)
        await call.wait_for(CallState.RINGING, SOON)
        assert (wire.sent, wire.bound, microphones) == ([], [], [])
        accepted = time.time()
        await other.accept(source=Device())
        await asyncio.gather(call.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
        async with asyncio.timeout(SOON):
            while len(microphones) < 2:  # noqa: ASYNC110 - they are made on the media threads
                await asyncio.sleep(0.01)
        for side in (call, other):
            moments = {moment.name: moment.time for moment in side.timeline}
            assert accepted <= moments["secured"] <= moments["gate-opened"]
            assert side.security.as_dict()["before_consent"] == {"candidates": 0, "packets": 0}


# --- 2 ----------------------------------------------------------------------------------------------------------------


def trees() -> Iterator[tuple[str, ast.Module]]:
    root = Path(openvoice.__file__).parent
    for path in root.rglob("*.py"):
        yield path.relative_to(root).as_posix(), ast.parse(path.read_text())


def calls_of(name: str) -> set[str]:
    """The files in which something of that name is called."""
    return {
        path
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and name in (getattr(node.func, "attr", None), getattr(node.func, "id", None))
    }


def test_2_the_gate_has_one_key() -> None:
    assert calls_of("OpenGate") == {"core/machine.py"} | {"client/driver.py"} & calls_of("OpenGate")
    assert calls_of("open_gate") == {
        "client/driver.py",  # for the effect
        "media/engine.py",  # over to the media thread
        "media/session.py",  # to the voice
        "testing/behind.py",
    }


@pytest.mark.live
async def test_2_a_refused_report_opens_no_gate(scene: MakeScene, microphones: list[AudioInput]) -> None:
    cast = scene(friends=("alice", "bob"))
    strict = Policy(require=Vouching.OMEMO_TRUSTED)
    async with cast.client("alice", policy=strict) as alice, cast.client("bob", policy=strict) as bob:
        ringing = rings(bob)
        call = await alice.call(bob.address.bare, source=Device())
        other = await asyncio.wait_for(ringing, SOON)
        await other.accept(source=Device())
        ends = await asyncio.wait_for(asyncio.gather(call.wait_closed(), other.wait_closed()), SOON)
        assert [end.reason for end in ends] == [EndReason.SECURITY_ERROR] * 2
        names = [moment.name for side in (call, other) for moment in side.timeline]
        assert "secured" in names
        assert "gate-opened" not in names
        assert microphones == []
        assert [end.statistics.packets_sent for end in ends] == [0, 0]


# --- 3 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["missing", "sha-1", "unreadable", "contradicting"])
def test_3_no_recorded_call_survives_a_damaged_fingerprint(damage: str) -> None:
    """Rows 6 and 7 show the same live; here it is every offer and answer that real clients sent."""
    tried = 0
    for recorded in samples.captured_jingle():
        if recorded.get("action") not in (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT):
            continue
        read = read_offer if recorded.get("action") == JingleAction.SESSION_INITIATE else read_answer
        read(parse_jingle(recorded))
        with pytest.raises(MalformedStanza) as refused:
            read(parse_jingle(_damaged(recorded, damage)))
        assert refused.value.condition == "security-error"
        tried += 1
    assert tried > 5


def _damaged(recorded: Element, damage: str) -> Element:
    root = deepcopy(recorded)
    name = ns.qualified(ns.DTLS, "fingerprint")
    for parent in list(root.iter()):
        for fingerprint in parent.findall(name):
            match damage:
                case "missing":
                    parent.remove(fingerprint)
                case "sha-1":
                    fingerprint.set("hash", "sha-1")
                case "unreadable":
                    fingerprint.text = "not hexadecimal"
                case "contradicting":
                    other = deepcopy(fingerprint)
                    other.text = (fingerprint.text or "").strip()[:-2] + "00"
                    if other.text == (fingerprint.text or "").strip():
                        other.text = other.text[:-2] + "01"
                    parent.append(other)
    return root


# --- 4 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_4_a_stranger_cannot_tell_somebody_online_from_somebody_offline(scene: MakeScene) -> None:
    """All that a stranger can ask, asked of both: the answers are the same, word for word."""
    cast = scene(friends=("alice", "offline"), strangers=("eve",))
    here = cast.account("alice").address
    away = cast.account("offline").address
    transcripts = []
    async with cast.client("alice"):
        for person in (here, away):
            async with cast.attacker("eve") as eve:
                heard: list[object] = []
                for kind in MessageKind:
                    eve.say(kind, person, "sid")
                for name in ("jabber:iq:version", "jabber:iq:last", "urn:xmpp:ping", ns.JINGLE, ns.EXTERNAL_SERVICES):
                    for kind_of_request in ("get", "set"):
                        payload = Element(f"{{{name}}}query")
                        heard.append(await eve.ask(payload, person, kind_of_request))
                await asyncio.sleep(0.2)
                heard += [(message.get("type"), [child.tag for child in message]) for message in eve.messages]
                heard += [payload.tag for payload in eve.requests]
                heard.append(len(eve.connection.presence_of(person)))
                transcripts.append(heard)
    assert transcripts[0] == transcripts[1]


# --- 5 ----------------------------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_5_connected_means_that_the_peer_was_heard(
    clients: ClientFactory, impaired_link: Callable[..., ImpairedLink], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both finished their handshakes, but nothing protected comes through to Alice: she is not connected."""
    deaf = True
    enter = ImpairedLink._enter

    def drop_media(link: ImpairedLink, mapping: _Mapping, data: bytes, sender: Endpoint) -> None:
        if not deaf or data[0] < 128:
            enter(link, mapping, data, sender)

    monkeypatch.setattr(ImpairedLink, "_enter", drop_media)
    async with impaired_link() as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with clients("alice", "bob", engines={"alice": engine}) as (alice, bob):
            ringing = rings(bob)
            call = await alice.call(bob.address.bare)
            other = await asyncio.wait_for(ringing, SOON)
            await other.accept()
            await other.wait_for(CallState.ACTIVE, SOON)
            await asyncio.sleep(1.0)
            names = [moment.name for moment in call.timeline]
            assert "secured" in names
            assert "first-media" not in names
            assert states(call) == ["connecting"]
            deaf = False
            await call.wait_for(CallState.ACTIVE, SOON)


def states(*calls: Call) -> list[str]:
    return [str(call.state) for call in calls]


# --- 6 ----------------------------------------------------------------------------------------------------------------

ENDINGS = {
    "caller hangs up": (EndReason.SUCCESS, None, None),
    "callee hangs up": (EndReason.SUCCESS, None, None),
    "caller hangs up before it connected": (EndReason.CANCEL, 130, 130),
    "caller gives up": (EndReason.CANCEL, 130, 130),
    "callee declines": (EndReason.DECLINE, 4, 4),
    "nobody answers": (EndReason.TIMEOUT, 5, 5),
    "caller refuses the keys": (EndReason.SECURITY_ERROR, 6, 6),
    "callee refuses the keys": (EndReason.SECURITY_ERROR, 6, 6),
    "callee's key is not its own": (EndReason.SECURITY_ERROR, 6, 6),
    "caller's key is not its own": (EndReason.SECURITY_ERROR, 6, 6),
    "callee goes offline while it rings": (EndReason.DECLINE, 4, 4),
    "caller closes its client in the call": (EndReason.SUCCESS, None, None),
    "no relay for the caller": (EndReason.FAILED_APPLICATION, 7, 7),
}


@pytest.mark.live
@pytest.mark.parametrize(("how", "expected"), ENDINGS.items(), ids=ENDINGS.keys())
async def test_6_both_sides_name_the_same_cause(
    prosody: Prosody, how: str, expected: tuple[EndReason, int | None, int | None]
) -> None:
    """In the event, in the history, and as the code that the command line ends with."""
    stores = {"alice": MemoryCallStore(), "bob": MemoryCallStore()}
    options: dict[str, dict[str, Any]] = {name: {"store": store} for name, store in stores.items()}
    policy = {
        "nobody answers": ("alice", Policy(ring_timeout=0.5)),
        "caller refuses the keys": ("alice", Policy(require=Vouching.OMEMO_VERIFIED)),
        "callee refuses the keys": ("bob", Policy(require=Vouching.OMEMO_VERIFIED)),
        "no relay for the caller": ("alice", Policy(relay_only=True)),
    }
    if how in policy:
        name, rules = policy[how]
        options[name]["policy"] = rules
    if "is not its own" in how:
        options["alice" if how.startswith("caller") else "bob"]["signalling"] = tampering(swapped)
    async with AsyncExitStack() as stack:
        server = prosody
        if how.startswith("no relay"):
            server = await stack.enter_async_context(Prosody())
        cast = Scene(server, ("alice", "bob"))
        alice = await stack.enter_async_context(cast.client("alice", **options["alice"]))
        bob = await stack.enter_async_context(cast.client("bob", **options["bob"]))
        ringing = rings(bob)
        call = await alice.call(bob.address.bare)
        other = await asyncio.wait_for(ringing, SOON)
        await bring_about(how, alice, bob, call, other)
        ends = await asyncio.wait_for(asyncio.gather(call.wait_closed(), other.wait_closed()), SOON)
        codes = [failure.exit_code if (failure := side.failure) else None for side in (call, other)]
    assert ends[0].reason is ends[1].reason
    assert ends[0].reason is expected[0]
    assert codes == list(expected[1:])
    for store in stores.values():
        (record,) = store.list(9)
        assert record["reason"] == expected[0].value
    origins = {end.origin.value for end in ends}
    assert origins == {"local", "remote"}, "one side did it, the other was told"


async def bring_about(how: str, alice: Client, bob: Client, call: Call, other: Call) -> None:
    match how:
        case "callee declines":
            await other.reject()
        case "caller gives up":
            await call.hangup()
        case "nobody answers":
            return
        case "callee goes offline while it rings":
            await bob.__aexit__(None, None, None)
        case "caller hangs up before it connected":
            await other.accept()
            await call.wait_for(CallState.NEGOTIATING, SOON)
            await call.hangup()
        case _:
            await other.accept()
    if how.endswith(("hangs up", "in the call")):
        await asyncio.gather(call.wait_for(CallState.ACTIVE, SOON), other.wait_for(CallState.ACTIVE, SOON))
        if how == "caller closes its client in the call":
            await alice.__aexit__(None, None, None)
        else:
            await (call if how.startswith("caller") else other).hangup()


# --- 7 ----------------------------------------------------------------------------------------------------------------

OCTETS = 240_000
"""Of the largest stanza that a server lets through."""


def heavy() -> dict[str, Element]:
    codec = "<payload-type id='111' name='opus' clockrate='48000' channels='2'>{}</payload-type>"
    parameter = "<parameter name='a' value='b'/>"
    fingerprint = samples.fingerprint()

    def filled(piece: str) -> str:
        return piece * (OCTETS // len(piece))

    return {
        "contents": samples.jingle("session-initiate", filled(samples.content())),
        "candidates": samples.jingle(
            "session-initiate", samples.content(inner=samples.transport(fingerprint + filled(samples.CANDIDATE)))
        ),
        "codecs": samples.jingle("session-initiate", samples.content(codecs=filled(codec.format("")))),
        "parameters": samples.jingle("session-initiate", samples.content(codecs=codec.format(filled(parameter)))),
        "fingerprints": samples.jingle(
            "session-initiate", samples.content(inner=samples.transport(filled(fingerprint)))
        ),
        "names": samples.jingle("session-initiate", samples.content(name="n" * OCTETS)),
        "digits": samples.jingle("session-initiate", samples.content().replace("'111'", "'" + "9" * OCTETS + "'")),
        "text": samples.jingle("session-terminate", f"<reason><success/><text>{'x' * OCTETS}</text></reason>"),
        "address": samples.jingle(
            "session-initiate",
            samples.content(inner=samples.transport(samples.CANDIDATE.replace("192.0.2.77", "1." * (OCTETS // 2)))),
        ),
    }


@pytest.mark.parametrize(("kind", "payload"), heavy().items(), ids=heavy().keys())
def test_7_no_stanza_holds_up_the_loop(kind: str, payload: Element) -> None:
    """Processor time, so that a busy machine is not taken for a slow parser."""
    endpoint = samples.endpoint()
    took = []
    for number in range(3):
        fresh = deepcopy(payload)
        before = time.thread_time()
        outputs = endpoint.receive_iq(f"request-{number}", samples.PEER, fresh, samples.NOW)
        took.append(time.thread_time() - before)
        assert outputs
    assert min(took) < 0.1


def test_7_no_flood_grows_the_memory() -> None:
    """Three thousand calls of friends and strangers, by message and by offer, with all that may be kept of each."""
    endpoint = samples.endpoint()
    offer = samples.content()

    def flood(begin: int, end: int) -> None:
        for number in range(begin, end):
            sid, now = f"sid-{number}", samples.NOW + number / 100
            for sender in (samples.PEER, samples.STRANGER):
                said = samples.message("propose", sid, sender=sender, inner=samples.VOICE)
                endpoint.receive_message(said, sender, now)
                endpoint.receive_iq(sid, sender, samples.jingle("session-initiate", offer, sid=f"d-{sid}"), now)
                trickle = samples.jingle("transport-info", samples.trickled(samples.CANDIDATE), sid=sid)
                endpoint.receive_iq(sid, sender, trickle, now)

    flood(0, 1500)
    tracemalloc.start()
    flood(1500, 3000)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown < 1_500_000


# --- 8 ----------------------------------------------------------------------------------------------------------------


def test_8_no_log_above_debug_takes_words_that_nobody_has_read() -> None:
    """``test_log_privacy`` listens to whole calls; this finds what no call of a test provokes."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if getattr(node.func.value, "id", "") not in ("_log", "_logger", "logger"):
                continue
            level = node.func.attr
            assert level != "exception", f"{path}:{node.lineno} would print an exception's words"
            if level == "debug":
                continue
            assert not any(keyword.arg == "exc_info" for keyword in node.keywords), f"{path}:{node.lineno}"
            assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno} formats before it logs"


# --- 10 ---------------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """A port where somebody listens and never says anything."""
    writers: list[asyncio.StreamWriter] = []

    async def wait(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(wait, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
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
    assert names <= {"openvoice.toml", "history.sqlite", "passwords"}
    if "history.sqlite" in names:
        with contextlib.closing(sqlite3.connect(home / "history.sqlite")) as history:
            assert history.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
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
            port = await stack.enter_async_context(silent_server())
            settings = alice.home / "openvoice.toml"
            settings.write_text(settings.read_text().replace(str(prosody.port), str(port)))
            running = await stack.enter_async_context(started(alice, "call", str(account.address), *words))
            await asyncio.sleep(1.5)
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
            port = await stack.enter_async_context(silent_server())
            settings = bob.home / "openvoice.toml"
            settings.write_text(settings.read_text().replace(str(prosody.port), str(port)))
        running = await stack.enter_async_context(started(bob, *words))
        if stage == "login":
            await asyncio.sleep(1.5)
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
        async with asyncio.timeout(LONG):
            while not program.children(recursive=True):  # noqa: ASYNC110 - a process has no event
                await asyncio.sleep(0.05)
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
