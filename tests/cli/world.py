"""A network that is not there: one peer, who behaves as the test says, and media that connect at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np

from openvoice import Account, Address, EndReason, OpenVoiceError
from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.description import Setup
from openvoice.core.policy import Screening
from openvoice.core.security import SignallingFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import CallId
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, IncomingCall, RelayServer, SignallingListener
from openvoice.testing.fakes import FakeMediaEngine, FakeMediaSession, FakeSignalling, description

BOB = Address.parse("bob@example.org/phone")
"""In the roster of everybody."""
CAROL = Address.parse("carol@example.net/phone")
"""A stranger."""
TURN = (RelayServer("turn", "turn.example.org", 3478),)

Screen = Callable[[IncomingCall], Screening]


class Behaviour(StrEnum):
    """What the peer does with a call."""

    TALKS = "talks"
    LEAVES = "leaves"
    """Answers, and hangs up as soon as sound flows."""
    IS_BUSY = "is busy"
    DECLINES = "declines"
    SLEEPS = "sleeps"
    IS_GONE = "is gone"
    IS_UNSAFE = "is unsafe"
    IS_UNREACHABLE = "is unreachable"


_ENDS = {
    Behaviour.IS_BUSY: EndReason.BUSY,
    Behaviour.DECLINES: EndReason.DECLINE,
    Behaviour.IS_GONE: EndReason.GONE,
    Behaviour.IS_UNSAFE: EndReason.SECURITY_ERROR,
    Behaviour.IS_UNREACHABLE: EndReason.CONNECTIVITY_ERROR,
}


@dataclass
class World:
    """What the clients of one test meet, and what they left there."""

    behaviour: Behaviour = Behaviour.TALKS
    login: OpenVoiceError | None = None
    """Why nobody can log in."""
    rings: Sequence[Address] = ()
    """Who calls: the first when the client is online, the next when the call before has ended."""
    at_once: bool = False
    """Whether these callers do not wait for each other."""
    interrupted: bool = False
    """Whether the user presses Ctrl-C when the last of these calls was ended."""
    gives_up: bool = False
    """Whether these callers give up while it rings."""
    flowing: Callable[[FakeMediaSession], None] = lambda session: None
    """What happens as soon as sound flows."""
    facts: SignallingFacts | None = None
    """How the way to the own server is protected."""
    services: tuple[RelayServer, ...] = ()
    """What the own server offers."""
    accounts: list[Account] = field(default_factory=list)
    performed: list[e.SignallingEffect] = field(default_factory=list)
    sessions: list[FakeMediaSession] = field(default_factory=list)

    def engine(self) -> FakeMediaEngine:
        return _Engine(self)

    def signalling(self, account: Account, listener: SignallingListener, screen: Screen, **_: Any) -> FakeSignalling:
        self.accounts.append(account)
        return _Server(self, account.address, listener, screen)

    def sent(self, kind: type) -> bool:
        return any(isinstance(effect, kind) for effect in self.performed)


class _Server(FakeSignalling):
    """Plays the own server and everybody behind it."""

    def __init__(self, world: World, account: Address, listener: SignallingListener, screen: Screen) -> None:
        super().__init__(Address(account.local, account.domain, "here"))
        self.roster.add(BOB.bare)
        self.services = world.services
        self.facts = world.facts
        self._told = listener
        self._world = world
        self._screen = screen
        self._callers = list(world.rings)

    async def open(self) -> None:
        if self._world.login is not None:
            raise self._world.login
        await super().open()
        self._told.connection_changed(True, "")
        for _ in self._world.rings if self._world.at_once else range(1):
            self._ring_next()

    async def invitation(self, peer: Address) -> tuple[Address, i.Invitation]:
        return peer, i.Invitation.PROPOSE

    async def perform(self, call: CallId, effect: e.SignallingEffect) -> None:
        world = self._world
        world.performed.append(effect)
        match effect:
            case e.SendProposal() if world.behaviour in _ENDS:
                self._say(call, i.Ended(_ENDS[world.behaviour]))
            case e.SendProposal() if world.behaviour is not Behaviour.SLEEPS:
                self._say(call, i.PeerRinging())
                self._say(call, i.PeerProceeded())
            case e.SendOffer():
                self._say(call, i.AnswerReceived(description(Setup.ACTIVE)))
                self._connect(call)
            case e.SendRinging() if world.gives_up:
                self._end(call, EndReason.CANCEL)
            case e.SendProceed():
                self._say(call, i.OfferReceived(description(Setup.ACTPASS)))
            case e.SendAnswer():
                self._connect(call)
            case e.SendEnd():
                self._ring_next()
                ends = sum(isinstance(effect, e.SendEnd) for effect in world.performed)
                if world.interrupted and ends == len(world.rings):
                    os.kill(os.getpid(), signal.SIGINT)

    def _connect(self, call: CallId) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(self._world.sessions[-1].connect)
        if self._world.behaviour is Behaviour.LEAVES:
            loop.call_later(0.05, self._end, call, EndReason.SUCCESS)

    def _end(self, call: CallId, reason: EndReason) -> None:
        self._say(call, i.Ended(reason))
        self._ring_next()

    def _say(self, call: CallId, message: i.PeerInput) -> None:
        asyncio.get_running_loop().call_soon(self._told.call_input, call, message)

    def _ring_next(self) -> None:
        if self._callers:
            asyncio.get_running_loop().call_later(0.05, self._ring, self._callers.pop(0))

    def _ring(self, caller: Address) -> None:
        call = CallId(f"{len(self._callers)}-of-{caller.local}")
        incoming = IncomingCall(call=call, peer=caller, media=frozenset({"audio"}))
        if self._screen(incoming) is Screening.RING:
            self._told.call_incoming(incoming, i.PeerProposed(announce=True))
        else:
            self._told.call_missed(incoming, "missed")
            self._ring_next()


class _Engine(FakeMediaEngine):
    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def session(self, settings: Any, notify: Any) -> FakeMediaSession:
        self._world.sessions.append(_Session(self._world, settings, notify))
        return self._world.sessions[-1]


class _Session(FakeMediaSession):
    """Makes and starts the input and the output when the gate opens, as real media do."""

    def __init__(self, world: World, settings: Any, notify: Any) -> None:
        super().__init__(settings, notify)
        self._world = world
        self.measured = CallStatistics(codec="opus", level_sent=-20.0)
        self._input: AudioInput | None = None
        self._output: AudioOutput | None = None

    async def open_gate(self) -> None:
        await super().open_gate()
        self._input, self._output = self.settings.input(), self.settings.output()
        self._input.start(lambda _: None, lambda _: None)
        self._output.start(lambda: np.zeros(FRAME_SAMPLES, np.int16), lambda _: None)
        asyncio.get_running_loop().call_soon(self._world.flowing, self)

    async def close(self) -> None:
        await super().close()
        for end in (self._input, self._output):
            if end is not None:
                end.stop()
