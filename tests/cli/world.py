"""A network that is not there: one peer, who behaves as the test says, and media that connect at once."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import numpy as np

from openvoice import Account, Address, EndReason, OpenVoiceError
from openvoice.core import effects as e
from openvoice.core import inputs as i
from openvoice.core.description import SessionDescription, Setup
from openvoice.core.policy import Screening
from openvoice.core.security import SignallingFacts
from openvoice.core.statistics import CallStatistics
from openvoice.core.trust import DeviceKey, Trust, Voucher
from openvoice.core.types import CallId, Role
from openvoice.core.words import Side, WordsExchange, WordsMessage
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, IncomingCall, RelayServer, SignallingListener
from openvoice.testing.fakes import FakeMediaEngine, FakeMediaSession, FakeSignalling, description, facts

BOB = Address.parse("bob@example.org/phone")
"""In the roster of everybody."""
CAROL = Address.parse("carol@example.net/phone")
"""A stranger."""
TURN = (RelayServer("turn", "turn.example.org", 3478),)

VOUCHER = Voucher(
    peer=DeviceKey(owner=BOB.bare, device=27183, key=bytes([5] * 32), trust=Trust.TRUSTED),
    own_device=31415,
    own_key=bytes([6] * 32),
)
REMOTE = replace(facts().remote_fingerprint, voucher=VOUCHER)

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
    video: bool = False
    """Whether these callers offer pictures."""
    gives_up: bool = False
    """Whether these callers give up while it rings."""
    words: bool = False
    """Whether OMEMO vouches for the peer, and the peer exchanges verification words."""
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

    @asynccontextmanager
    async def visit(self, account: Account) -> AsyncIterator[None]:
        self.accounts.append(account)
        if self.login is not None:
            raise self.login
        yield

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
        self._words: dict[CallId, WordsExchange] = {}

    async def open(self) -> None:
        if self._world.login is not None:
            raise self._world.login
        await super().open()
        self._told.connection_changed(True, "")
        for _ in self._world.rings if self._world.at_once else range(1):
            self._ring_next()

    async def invitation(self, peer: Address, *, video: bool = False) -> tuple[Address, i.Invitation]:
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
                self._begin_words(call, Role.RESPONDER)
                self._say(call, i.AnswerReceived(self._described(Setup.ACTIVE), "sid", takes_words=True))
                self._connect(call)
            case e.SendRinging() if world.gives_up:
                self._end(call, EndReason.CANCEL)
            case e.SendProceed():
                self._say(call, i.OfferReceived(self._described(Setup.ACTPASS), session="sid"))
            case e.SendAnswer():
                self._connect(call)
                if world.words:
                    self._say(call, i.WordsReceived(self._begin_words(call, Role.INITIATOR).begin()))
            case e.SendInformation(WordsMessage() as message):
                reply = self._words[call].take(message)
                if reply is not None:
                    self._say(call, i.WordsReceived(reply))
            case e.SendEnd():
                self._ring_next()
                ends = sum(isinstance(effect, e.SendEnd) for effect in world.performed)
                if world.interrupted and ends == len(world.rings):
                    os.kill(os.getpid(), signal.SIGINT)

    def _described(self, setup: Setup) -> SessionDescription:
        plain = description(setup)
        if not self._world.words:
            return plain
        (content,) = plain.contents
        transport = replace(content.transport, fingerprint=REMOTE)
        return replace(plain, contents=(replace(content, transport=transport),))

    def _begin_words(self, call: CallId, role: Role) -> WordsExchange:
        """The peer's side of the exchange."""
        self._words[call] = WordsExchange(
            role,
            session="sid",
            own=Side(fingerprint=REMOTE, key=VOUCHER.peer.key),
            peer=Side(fingerprint=facts().local_fingerprint, key=VOUCHER.own_key),
            nonce=bytes(range(32)),
        )
        return self._words[call]

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
        incoming = IncomingCall(
            call=call, peer=caller, media=frozenset({"audio", "video"} if self._world.video else {"audio"})
        )
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

    def connect(self) -> None:
        if not self._world.words:
            super().connect()
            return
        self.notify(i.MediaSecured(replace(facts(), remote_fingerprint=REMOTE)))
        self.notify(i.MediaFlowing())

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
