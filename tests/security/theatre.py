"""Calls between two clients whose server is an enemy, and what must hold whatever it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from xml.etree.ElementTree import Element

from openvoice import Address, Call, CallState, Client, Policy, SecurityRefused, Vouching
from openvoice.core.parties import Party
from openvoice.core.trust import Trust
from openvoice.core.types import Role
from openvoice.errors import CallFailed, MediaFailed
from openvoice.ports import Frame, KeyStore
from openvoice.signalling.xmpp.adapter import XmppSignalling
from openvoice.signalling.xmpp.omemo.identity import own_key
from openvoice.testing.fakes import tone
from tests.waiting import until

from .attacker import SOON
from .attacks import Attack, Stage, offer_or_answer
from .hostile_server import HostileServer, Toward
from .impostor import Impostor
from .media_middleman import MediaMiddleman
from .pep_watch import PepWatch
from .scene import HostileScene, rings

VICTIMS = {"caller": (Role.INITIATOR,), "callee": (Role.RESPONDER,), "both": (Role.INITIATOR, Role.RESPONDER)}


SERVERS = (Party.OWN_SERVER, Party.PEER_SERVER)
Meanwhile = Callable[[Mapping[Role, Call]], Awaitable[None]]
LISTENING = 0.2
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
    watch: PepWatch
    impostors: Mapping[Address, Impostor]
    keys: Mapping[Role, KeyStore]
    """Of those who have OMEMO."""
    compared: bool = False
    """Whether the two have compared their keys."""
    earlier: dict[str, Element] = field(default_factory=dict)

    async def play(
        self,
        attack: Attack | None = None,
        *,
        require: Vouching = Vouching.SIGNALLED,
        victims: str = "both",
        meanwhile: Meanwhile | None = None,
    ) -> Played:
        """One call from its beginning to its end; ``meanwhile`` happens in it, if it is active on both sides."""
        caller, callee = self.clients[Role.INITIATOR], self.clients[Role.RESPONDER]
        middleman = MediaMiddleman() if victims == "both" else None
        stage = Stage(
            server=self.server,
            caller=caller.address.bare,
            callee=callee.address.bare,
            victims=frozenset(self.clients[role].address.bare for role in VICTIMS[victims]),
            middleman=middleman,
            watch=self.watch,
            impostors=self.impostors,
            newcomers={address: Impostor(address, self.watch) for address in self.impostors},
            earlier=self.earlier,
        )
        self.server.forget()
        try:
            if attack is None:
                return await self._call(require, None, meanwhile)
            with self.server.attacking(partial(stage.hook, attack)):
                return await self._call(require, middleman, meanwhile)
        finally:
            if middleman is not None:
                await middleman.close()

    @property
    def worth(self) -> Vouching:
        """What vouches for a call that nobody attacks."""
        if not self.keys:
            return Vouching.SIGNALLED
        return Vouching.OMEMO_VERIFIED if self.compared else Vouching.OMEMO_TRUSTED

    async def rehearse(self) -> Played:
        """A call that nobody attacks, whose offer and answer can be played again."""
        played = await self.play()
        for account in (client.address for client in self.clients.values()):
            for stanza in self.server.seen(account, Toward.CLIENT):
                if (jingle := offer_or_answer(stanza)) is not None:
                    self.earlier[jingle.get("action", "")] = jingle
        return played

    def compare_keys(self) -> None:
        """Let both know for sure which key is the other's."""
        for role, keys in self.keys.items():
            own, other = own_key(self.keys[role.other].secrets), self.clients[role.other].address.bare
            assert own is not None
            keys.trust.meet(other, *own, now=0.0)
            keys.trust.decide(other, own[1], Trust.VERIFIED)
        self.compared = True

    async def _call(self, require: Vouching, middleman: MediaMiddleman | None, meanwhile: Meanwhile | None) -> Played:
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
        if meanwhile is not None and set(results) == {None}:
            await meanwhile(calls)
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
async def theatre(cast: HostileScene, keys: Mapping[str, KeyStore] | None = None) -> AsyncIterator[Theatre]:
    """Alice, who calls, and Bob. ``keys`` are for OMEMO, by name of the person."""
    watch = PepWatch()
    cast.server.hooks.append(watch)
    people = {Role.INITIATOR: "alice", Role.RESPONDER: "bob"}
    found = {role: (keys or {}).get(name) for role, name in people.items()}
    async with AsyncExitStack() as stack:
        clients = {
            role: await stack.enter_async_context(cast.client(name, keys=found[role])) for role, name in people.items()
        }
        addresses = [client.address.bare for client in clients.values()]
        known = {role: own for role, own in found.items() if own is not None}
        for address in addresses[: len(known)]:
            # Published right after the login.
            await until(lambda address=address: watch.nodes(address), SOON)  # type: ignore[misc]
        yield Theatre(
            server=cast.server,
            clients=clients,
            watch=watch,
            impostors={address: Impostor(address, watch) for address in addresses},
            keys=known,
        )


def judge_honest(stage: Theatre, played: Played) -> None:
    """What holds for a call that nobody attacks."""
    assert played.active == set(Role)
    judge(played, stage.worth)
    for call in played.calls.values():
        assert call.ended is not None
        assert call.ended.security.vouching is stage.worth


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
    if played.active == set(Role):
        sealed = {
            report.media is not None and report.media.remote_fingerprint.voucher is not None
            for report in reports.values()
        }
        assert len(sealed) == 1, "only one of the two believes that the call was sealed"
        assert len({report.vouching for report in reports.values()}) == 1
    assert len(played.active) != 1, "one of the two takes for a call what the other refused"
    assert len({type(failure) for failure in played.failures.values()}) == 1
    refusals = SecurityRefused | MediaFailed if broken else SecurityRefused
    for failure in filter(None, played.failures.values()):
        assert isinstance(failure, refusals), repr(failure)
        assert failure.exit_code == (6 if isinstance(failure, SecurityRefused) else 7)
        assert "\n" not in str(failure)
        assert str(failure).strip()


async def judge_order(stage: Theatre, tasks: int) -> None:
    """Nothing is left of the calls, and nothing went wrong that should not; ``tasks`` is how many there were."""
    for client in stage.clients.values():
        assert client.calls == ()
        line = client._line
        assert isinstance(line, XmppSignalling)
        assert not line._endpoint._sessions._by_call
        assert line._connection.faults == 0
        assert line._connection.online
    # Keys that were used up are published anew after a while.
    await until(lambda: len(asyncio.all_tasks()) <= tasks, 3 * SOON)
