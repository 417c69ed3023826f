"""What logs tell: at any level nothing secret and nothing that was said, above DEBUG nobody's name or address."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiortc import rtcdtlstransport
from pylibsrtp import Policy

from openvoice import CallFailed, CallState, LoginRefused
from openvoice import Policy as CallPolicy
from openvoice.core.description import Fingerprint, SessionDescription
from openvoice.jingle.model import MessageKind
from openvoice.server.prosody import Prosody
from tests.jingle import samples
from tests.security.attacker import SOON
from tests.security.scene import Scene, rings, talk
from tests.security.tampering import on_transports, tampering

from .test_command_line import MakePerson, answering
from .test_command_line import person as person

pytestmark = pytest.mark.live

ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
IP_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\b[0-9a-f]{1,4}:[0-9a-f:]+:[0-9a-f]{1,4}\b")
BODY = "meet me at the old bridge at midnight"
STANZA = re.compile(
    r"<(message|iq|presence|jingle|propose|body|candidate|fingerprint)\b|a=(candidate|fingerprint|ice-)"
)


class Everything(logging.Handler):
    """All that any logger says at any level, its traceback included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.said: list[tuple[int, str, str]] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append((record.levelno, record.name, self.format(record)))

    @property
    def text(self) -> str:
        return "\n".join(text for _, _, text in self.said)


@pytest.fixture
def log() -> Iterator[Everything]:
    """Whatever level a logger was set to, and however quiet somebody meant to make it."""
    handler, root = Everything(), logging.getLogger()
    before = {name: logging.getLogger(name).level for name in root.manager.loggerDict}
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    for name in before:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield handler
    for name, was in before.items():
        logging.getLogger(name).setLevel(was)
    root.setLevel(level)
    root.removeHandler(handler)


class Secrets:
    """What must not be told, as it comes to be known."""

    def __init__(self) -> None:
        self.words: set[str] = {BODY}

    def add(self, *words: str | None) -> None:
        self.words |= {word for word in words if word}

    def add_key(self, key: bytes) -> None:
        self.add(key.hex(), key.hex(":"), base64.b64encode(key).decode(), repr(key))

    def note(self, description: SessionDescription) -> SessionDescription:
        """Collect the secrets of an offer or answer that passes by."""
        for content in description.contents:
            transport = content.transport
            self.add(transport.pwd)
            if transport.fingerprint is not None:
                self.add(str(transport.fingerprint))
                self.add_key(transport.fingerprint.digest)
        return description

    def assert_kept(self, log: Everything) -> None:
        text = log.text.lower()
        told = [word for word in self.words if word.lower() in text]
        assert told == []


def assert_private(log: Everything) -> None:
    """Above DEBUG no names and no addresses; stanzas and descriptions at no level."""
    for level, logger, text in log.said:
        assert not STANZA.search(text), f"{logger} tells a stanza or a description: {text}"
        if level > logging.DEBUG:
            assert not ADDRESS.search(text), f"{logger} names somebody: {text}"
            assert not IP_ADDRESS.search(text), f"{logger} tells an address: {text}"


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Secrets:
    """Knows the keys of SRTP as well."""
    known = Secrets()

    class WatchedPolicy(Policy):
        def __init__(self, key: bytes, **more: Any) -> None:
            known.add_key(key)
            super().__init__(key, **more)

    monkeypatch.setattr(rtcdtlstransport, "Policy", WatchedPolicy)
    return known


@pytest.fixture
def scene(prosody: Prosody) -> Callable[..., Scene]:
    def make(friends: tuple[str, ...], strangers: tuple[str, ...] = ()) -> Scene:
        return Scene(prosody, friends, strangers)

    return make


async def test_a_whole_call_is_logged_without_a_secret(
    scene: Callable[..., Scene], log: Everything, secrets: Secrets
) -> None:
    cast = scene(friends=("alice", "bob", "carol"))
    secrets.add(*(cast.account(name).password for name in ("alice", "bob", "carol")))
    watched = {"signalling": tampering(secrets.note)}
    async with (
        cast.client("alice", **watched) as alice,
        cast.client("bob", **watched) as bob,
        cast.attacker("carol") as carol,
    ):
        carol.send(f"<message xmlns='jabber:client' to='{alice.address}' type='chat'><body>{BODY}</body></message>")
        await carol.ping(alice.address)
        call, _ = await talk(alice, bob)
        for service in await alice._signalling.relays():
            secrets.add(service.password)
        await call.mute()
        await call.hold()
        await call.hold(False)
        await asyncio.sleep(0.5)
        await call.hangup()
    assert len(log.said) > 20, "were nothing logged, nothing would be proved"
    assert len(secrets.words) > 12
    secrets.assert_kept(log)
    assert_private(log)


async def test_a_relayed_call_is_logged_without_a_secret(
    scene: Callable[..., Scene], log: Everything, secrets: Secrets
) -> None:
    cast = scene(friends=("alice", "bob"))
    relayed = {"signalling": tampering(secrets.note), "policy": CallPolicy(relay_only=True)}
    async with cast.client("alice", **relayed) as alice, cast.client("bob", **relayed) as bob:
        for client in (alice, bob):
            services = await client._signalling.relays()
            if not services:
                pytest.skip("turnserver is not installed: install it with 'sudo apt-get install coturn'")
            secrets.add(*(service.password for service in services))
        await talk(alice, bob)
    secrets.assert_kept(log)
    assert_private(log)


async def test_calls_that_fail_are_logged_without_a_secret(
    scene: Callable[..., Scene], log: Everything, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong key, a peer that sends nonsense, nobody there, a handler that raises, a media engine that breaks."""
    cast = scene(friends=("alice", "bob", "mallory"))
    secrets.add(*(cast.account(name).password for name in ("alice", "bob", "mallory")))

    def lie(description: SessionDescription) -> SessionDescription:
        secrets.note(description)
        return swapped(description)

    swapped = on_transports(lambda transport: replace(transport, fingerprint=Fingerprint("sha-256", bytes(range(32)))))
    async with (
        cast.client("alice", signalling=tampering(lie)) as alice,
        cast.client("bob") as bob,
        cast.attacker("mallory") as mallory,
    ):
        ringing = rings(bob)
        call = await alice.call(bob.address.bare)
        await (await asyncio.wait_for(ringing, SOON)).accept()
        with pytest.raises(CallFailed):
            await call.wait_for(CallState.ACTIVE, SOON)
        await call.wait_closed()

        ringing = rings(alice)
        mallory.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await (await asyncio.wait_for(ringing, SOON)).accept()
        await mallory.hears(MessageKind.PROCEED)
        for broken in (samples.content(inner=samples.transport("")), "<content/>", "<x xmlns='urn:x'/>"):
            await mallory.jingle("session-initiate", alice.address, "sid", broken)

        nobody = await alice.call(f"nobody@{alice.address.domain}")
        with pytest.raises(CallFailed):
            await nobody.wait_for(CallState.ACTIVE, SOON)
        await nobody.wait_closed()

        def explode(*_: object) -> None:
            raise OSError(f"no route from 127.0.0.1 for {alice.address}")

        monkeypatch.setattr("openvoice.media.engine.CallMedia.open", explode)
        broken_call = await alice.call(mallory.address.bare)
        await mallory.hears(MessageKind.PROPOSE)
        mallory.say(MessageKind.PROCEED, alice.address, broken_call.id)
        with pytest.raises(CallFailed):
            await broken_call.wait_for(CallState.ACTIVE, SOON)
    secrets.assert_kept(log)
    assert_private(log)


async def test_a_login_that_fails_is_logged_without_a_secret(
    scene: Callable[..., Scene], log: Everything, prosody: Prosody
) -> None:
    cast = scene(friends=("alice",))
    guess = "a wrong guess of a pass phrase"
    monkey = replace(cast.account("alice"), password=guess)
    assert guess not in repr(monkey)
    client = cast.client("alice")
    client._account = monkey
    with pytest.raises(LoginRefused):
        async with client:
            pytest.fail("nobody should get in")
    assert guess not in log.text
    assert base64.b64encode(guess.encode()).decode() not in log.text
    assert_private(log)


async def test_a_server_that_dies_and_returns_is_logged_without_a_secret(log: Everything) -> None:
    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    async with Prosody() as server:
        cast = Scene(server, ("alice", "bob"))
        async with cast.client("alice") as alice, cast.client("bob"):
            changes = (happening.name async for happening in alice.events() if happening.call is None)
            await server.kill()
            async with asyncio.timeout(SOON):
                assert await anext(changes) == "offline"
            await server.start()
            async with asyncio.timeout(2 * SOON):
                assert await anext(changes) == "online"
        passwords = [cast.account(name).password for name in ("alice", "bob")]
    assert not [word for word in passwords if word in log.text]
    assert_private(log)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["debug", "info"])
async def test_the_command_line_keeps_the_same_rules(person: MakePerson, tmp_path: Path, level: str) -> None:
    alice, bob = await person("alice"), await person("bob")
    quiet = ["--input", "silence", "--output", "null"]
    async with answering(bob, "--from", alice.address, *quiet):
        called = await alice.run("--log-level", level, "call", bob.address, *quiet, "--duration", "1", "--json")
    nobody = await alice.run("--log-level", level, "call", f"nobody@{alice.prosody.domain}", *quiet, "--json")
    assert (called.code, nobody.code) == (0, 5)
    fingerprints = called.events[-1]["security"]["fingerprints"]
    password = alice.password_file.read_text().strip()
    for finished in (called, nobody):
        for secret in (password, fingerprints["local"], fingerprints["remote"]):
            assert secret not in finished.errors
        assert not STANZA.search(finished.errors)
    if level == "info":
        # The last line of a call that failed is for the person who called, and no log.
        logged = called.errors + "\n".join(nobody.errors.splitlines()[:-1])
        assert not ADDRESS.search(logged)
        assert not IP_ADDRESS.search(re.sub(r"\d\d:\d\d:\d\d", "", logged))
