"""Calls between two clients whose server is an enemy, and what must hold whatever it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from openvoice import Call, CallState, Client, Policy, SecurityRefused, Vouching
from openvoice.core.parties import Party
from openvoice.core.types import Role
from openvoice.errors import CallFailed, MediaFailed
from openvoice.ports import Frame
from openvoice.signalling.xmpp.adapter import XmppSignalling
from openvoice.testing.fakes import tone

from .attacker import SOON
from .attacks import Attack, Stage, offer_or_answer
from .hostile_server import HostileServer, Toward
from .media_middleman import MediaMiddleman
from .scene import HostileScene, rings

VICTIMS = {"caller": (Role.INITIATOR,), "callee": (Role.RESPONDER,), "both": (Role.INITIATOR, Role.RESPONDER)}


SERVERS = (Party.OWN_SERVER, Party.PEER_SERVER)
LISTENING = 0.3
"""Seconds for which a call goes on, that somebody may hear it."""


class Voice:
    """Speaks loudly, and counts how often it was asked to."""

    def __init__(self) -> None:
        self.asked = 0
        self._frames = tone()

    def read(self) -> Frame:
        self.asked += 1
        return self._frames[self.asked % len(self._frames)]

    def close(self) -> None: ...


@dataclass(frozen=True, kw_only=True)
class Played:
    """What became of a call: both sides of it, if it rang, and who heard what was said."""

    calls: Mapping[Role, Call]
    voices: Mapping[Role, Voice]
    failures: Mapping[Role, CallFailed | None]
    """Why it never became active; ``None`` if it did."""
    heard: set[Role]
    """Whose voice the middleman heard."""

    @property
    def active(self) -> set[Role]:
        return {role for role, failure in self.failures.items() if failure is None}


@dataclass(kw_only=True)
class Theatre:
    """Two clients that stay online from call to call."""

    server: HostileServer
    clients: Mapping[Role, Client]
    earlier: dict[str, Any] = field(default_factory=dict)

    async def play(
        self, attack: Attack | None = None, *, require: Vouching = Vouching.SIGNALLED, victims: str = "both"
    ) -> Played:
        """One call from its beginning to its end."""
        caller, callee = self.clients[Role.INITIATOR], self.clients[Role.RESPONDER]
        middleman = MediaMiddleman() if victims == "both" else None
        stage = Stage(
            server=self.server,
            caller=caller.address.bare,
            callee=callee.address.bare,
            victims=frozenset(self.clients[role].address.bare for role in VICTIMS[victims]),
            middleman=middleman,
            earlier=self.earlier,
        )
        self.server.forget()
        try:
            if attack is None:
                return await self._call(require, None)
            with self.server.attacking(partial(stage.hook, attack)):
                return await self._call(require, middleman)
        finally:
            if middleman is not None:
                await middleman.close()

    async def rehearse(self) -> Played:
        """A call that nobody attacks, whose offer and answer can be played again."""
        played = await self.play()
        for account in (client.address for client in self.clients.values()):
            for stanza in self.server.seen(account, Toward.CLIENT):
                if (jingle := offer_or_answer(stanza)) is not None:
                    self.earlier[jingle.get("action", "")] = jingle
        return played

    async def _call(self, require: Vouching, middleman: MediaMiddleman | None) -> Played:
        caller, callee = self.clients[Role.INITIATOR], self.clients[Role.RESPONDER]
        caller.policy = callee.policy = Policy(require=require)
        voices = {role: Voice() for role in Role}
        ringing = rings(callee)
        calls = {Role.INITIATOR: await caller.call(callee.address.bare, source=voices[Role.INITIATOR])}
        calls[Role.RESPONDER] = await asyncio.wait_for(ringing, SOON)
        await calls[Role.RESPONDER].accept(source=voices[Role.RESPONDER])
        results = await asyncio.gather(*map(_settled, calls.values()))
        failures = dict(zip(calls, results, strict=True))
        if middleman is not None and None in results:
            await asyncio.sleep(LISTENING)
        for call in calls.values():
            await call.hangup()
        await asyncio.wait_for(asyncio.gather(*(call.wait_closed() for call in calls.values())), SOON)
        return Played(calls=calls, voices=voices, failures=failures, heard=middleman.heard if middleman else set())


async def _settled(call: Call) -> CallFailed | None:
    try:
        await call.wait_for(CallState.ACTIVE, 2 * SOON)
    except CallFailed as failure:
        return failure
    return None


@asynccontextmanager
async def theatre(cast: HostileScene, **options: Mapping[str, Any]) -> AsyncIterator[Theatre]:
    """Alice, who calls, and Bob. ``options`` are those of :class:`~openvoice.Client`, by name of the person."""
    async with (
        cast.client("alice", **options.get("alice", {})) as alice,
        cast.client("bob", **options.get("bob", {})) as bob,
    ):
        yield Theatre(server=cast.server, clients={Role.INITIATOR: alice, Role.RESPONDER: bob})


def judge(played: Played, require: Vouching, *, forged: bool = False, broken: bool = False) -> None:
    """What holds after every attack.

    ``forged``: the attacker has OMEMO keys in the place of the peer's, which nobody compared.
    ``broken``: it only kept the call from working, which every server can.
    """
    reports = {role: call.ended.security for role, call in played.calls.items() if call.ended is not None}
    assert set(reports) == set(Role)
    for role, report in reports.items():
        # A claim is true, or is no more than that the key was never compared.
        if report.media is not None and report.vouching >= Vouching.OMEMO_TRUSTED:
            other = reports[role.other].media
            if not (forged and report.vouching is Vouching.OMEMO_TRUSTED):
                assert role.other not in played.heard, "it was claimed that nobody could listen"
                assert other is not None
                assert report.media.remote_fingerprint.matches(other.local_fingerprint), "the key of somebody else"
        # Whoever asks for more than there is has nothing of it, and says nothing.
        if report.vouching < require:
            assert role not in played.active
            assert played.calls[role].stats.packets_sent == 0
            assert played.voices[role].asked == 0
        # No server is said to be deaf where somebody listened.
        if played.heard and role in played.active:
            servers = [verdict for verdict in report.parties if verdict.party in SERVERS]
            assert len(servers) == len(SERVERS)
            assert all(verdict.could_hear is not False for verdict in servers)
    # Both say the same of what protected the call.
    if played.active == set(Role):
        assert len({report.vouching for report in reports.values()} - {Vouching.OMEMO_VERIFIED}) <= 1
    refusals = SecurityRefused | MediaFailed if broken else SecurityRefused
    for failure in filter(None, played.failures.values()):
        assert isinstance(failure, refusals), repr(failure)
        assert failure.exit_code == (6 if isinstance(failure, SecurityRefused) else 7)
        assert "\n" not in str(failure)
        assert str(failure).strip()
    assert len(played.active) != 1 or played.heard == set(), "one of the two was left with the attacker"


def in_order(client: Client) -> None:
    """Nothing is left of the calls, and nothing went wrong that should not."""
    assert client.calls == ()
    line = client._line
    assert isinstance(line, XmppSignalling)
    assert line._connection.faults == 0
    assert line._connection.online
