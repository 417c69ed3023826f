"""Row 5: a server that swaps both fingerprints and sits in the middle of the keys.

Nothing that only servers vouch for can prevent it. So it must be said, the keys must differ for whoever compares them,
and who asked for more must be refused before any sound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from openvoice import Account, CallState, Device, Policy, SecurityRefused, Vouching
from openvoice.core import inputs as i
from openvoice.core.description import SessionDescription
from openvoice.core.effects import SendCandidates, SendOffer, SignallingEffect
from openvoice.core.policy import Screening
from openvoice.core.types import CallId, EndReason, Role
from openvoice.media.session import CallMedia
from openvoice.ports import AudioInput, IncomingCall, SignallingListener
from openvoice.signalling.xmpp.adapter import XmppSignalling
from tests.media.peers import settings

from .attacker import SOON
from .login import login
from .scene import Scene, rings, talk

pytestmark = pytest.mark.live


class Mallory:
    """Ends the media of both sides at itself: each of the two speaks with it, by keys that are perfectly good.

    It stands between the caller and the caller's signalling, and is the listener of the one for the other.
    """

    def __init__(self, caller: SignallingListener) -> None:
        self._caller = caller
        self._toward_caller = CallMedia(settings(), self._hear)
        self._toward_callee = CallMedia(settings(), self._hear)
        self._answer: SessionDescription | None = None
        self._tasks: list[asyncio.Future[None]] = []

    async def swap(self, offer: SessionDescription) -> SessionDescription:
        self._answer = await self._toward_caller.open(Role.RESPONDER, offer)
        return await self._toward_callee.open(Role.INITIATOR, None)

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, self._toward_caller.close(), self._toward_callee.close())

    def call_input(self, call: CallId, message: i.PeerInput) -> None:
        match message:
            case i.CandidatesReceived():
                return
            case i.AnswerReceived(answer):
                assert self._answer is not None
                self._tasks.append(asyncio.ensure_future(self._toward_callee.apply_answer(answer)))
                message = i.AnswerReceived(self._answer)
        self._caller.call_input(call, message)

    def call_incoming(self, incoming: IncomingCall, first: i.PeerInput) -> None:
        self._caller.call_incoming(incoming, first)

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None:
        self._caller.call_missed(incoming, outcome)

    def connection_changed(self, online: bool, reason: str) -> None:
        self._caller.connection_changed(online, reason)

    def _hear(self, message: i.MediaInput) -> None:
        if isinstance(message, i.MediaSecured):
            media = (self._toward_caller, self._toward_callee)
            self._tasks += [asyncio.ensure_future(each.open_gate()) for each in media]


class SwappedSignalling(XmppSignalling):
    """What the caller's server would be, were it Mallory's."""

    mallory: Mallory

    async def perform(self, call: CallId, effect: SignallingEffect) -> None:
        if isinstance(effect, SendOffer):
            effect = SendOffer(await self.mallory.swap(effect.offer))
        if not isinstance(effect, SendCandidates):
            await super().perform(call, effect)

    async def close(self) -> None:
        await super().close()
        await self.mallory.close()


def in_the_middle(
    account: Account, listener: SignallingListener, screen: Callable[[IncomingCall], Screening]
) -> SwappedSignalling:
    mallory = Mallory(listener)
    made = SwappedSignalling(
        **login(account),
        listener=mallory,
        screen=screen,
    )
    made.mallory = mallory
    return made


async def test_the_report_says_that_servers_could_listen_and_the_keys_differ(scene: Callable[..., Scene]) -> None:
    cast = scene(friends=("alice", "bob"))
    async with cast.client("alice", signalling=in_the_middle) as alice, cast.client("bob") as bob:
        call, other = await talk(alice, bob)
        for side in (call, other):
            assert side.security.vouching is Vouching.SIGNALLED
            warnings = [found.text for found in side.security.findings if found.severity.value == "warning"]
            assert any("could have listened" in text for text in warnings)
        ours, theirs = call.security.media, other.security.media
        assert ours is not None
        assert theirs is not None
        assert not ours.local_fingerprint.matches(theirs.remote_fingerprint)
        assert not theirs.local_fingerprint.matches(ours.remote_fingerprint)


async def test_whoever_asked_for_more_is_refused_before_any_sound(
    scene: Callable[..., Scene], microphones: list[AudioInput]
) -> None:
    cast = scene(friends=("alice", "bob"))
    careful = Policy(require=Vouching.OMEMO_VERIFIED)
    async with (
        cast.client("alice", signalling=in_the_middle, policy=careful) as alice,
        cast.client("bob", policy=careful) as bob,
    ):
        ringing = rings(bob)
        call = await alice.call(bob.address.bare, source=Device())
        other = await asyncio.wait_for(ringing, SOON)
        await other.accept(source=Device())
        with pytest.raises(SecurityRefused):
            await call.wait_for(CallState.ACTIVE, SOON)
        ended = await asyncio.wait_for(other.wait_closed(), SOON)
        assert ended.reason is EndReason.SECURITY_ERROR
        # Whoever looked first says why to the own user, and to nobody else.
        assert call.ended is not None
        assert sum("verified by you" in end.text for end in (call.ended, ended)) == 1
        assert microphones == []
        assert call.stats.packets_sent == other.stats.packets_sent == 0
