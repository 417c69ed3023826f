"""What must hold whatever happens. Each test is named after its invariant and fails loudly when that breaks.

The ninth, that a lost connection loses no message and no call, is held by ``tests/signalling`` and by
``test_the_server_dies_during_a_call_and_returns``; the tenth by ``test_polite_end``.
"""

from __future__ import annotations

import ast
import asyncio
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from copy import deepcopy
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import pytest

import openvoice
from openvoice import Call, CallState, Client, Device, EndReason, Policy, Vouching
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
from tests.security.attacker import SOON
from tests.security.conftest import microphones as microphones
from tests.security.conftest import scene as scene
from tests.security.conftest import wire as wire
from tests.security.scene import Scene, rings
from tests.security.tampering import swapped, tampering
from tests.security.wire import Endpoint, Wire
from tests.waiting import until

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
        await until(lambda: len(microphones) >= 2, SOON)
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
        "media/session.py",  # to what flows
        "media/streams.py",  # to the voice
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
        assert "session-accept" not in names, "refused before anything of the media began"
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
                    other, digest = deepcopy(fingerprint), (fingerprint.text or "").strip()
                    other.text = digest[:-2] + ("01" if digest.endswith("00") else "00")
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
    "no relay for the callee": (EndReason.SECURITY_ERROR, 6, 6),
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
        "no relay for the callee": ("bob", Policy(relay_only=True)),
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
