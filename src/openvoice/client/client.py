"""One account, online: it places calls, takes calls, and tells what happens."""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from openvoice.client.account import Account
from openvoice.client.adapters import engine as _engine
from openvoice.client.adapters import network as _network
from openvoice.client.adapters import xmpp as _xmpp
from openvoice.client.admission import admit
from openvoice.client.attendance import CallHandler, attend
from openvoice.client.bookkeeping import Bookkeeping
from openvoice.client.broadcast import Broadcast, Listener
from openvoice.client.call import Call
from openvoice.client.certificates import CertificateWatch, told_of, told_to_calls
from openvoice.client.driver import CallDriver
from openvoice.client.happening import Happening
from openvoice.client.pictures import VideoSource
from openvoice.client.record import record_of
from openvoice.client.sound import Sink, Source
from openvoice.client.tasks import Tasks
from openvoice.core import inputs as i
from openvoice.core.address import Address
from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.certificates import CertificateChange
from openvoice.core.events import CallEnded, CallEvent, CallIncoming
from openvoice.core.machine import CallMachine
from openvoice.core.policy import Policy, Screening, Way
from openvoice.core.types import CallId, Direction, EndReason
from openvoice.errors import Busy, InvalidState, OpenVoiceError
from openvoice.ports import (
    CallStore,
    IncomingCall,
    KeyStore,
    MediaEngine,
    MediaSettings,
    NetworkWatch,
    PictureFormat,
    RecordingStore,
    Signalling,
    SignallingListener,
)
from openvoice.storage.memory import MemorySecrets

GOODBYE_WITHIN = 1.5
"""Seconds that live calls may take to end when the client closes."""

NetworkFactory = Callable[[Callable[[], None]], NetworkWatch]
SignallingFactory = Callable[[Account, SignallingListener, Callable[[IncomingCall], Screening]], Signalling]


class Client:
    """One account's calls. An asynchronous context manager: online inside, and gone without a trace after.

    ::

        async with openvoice.Client.open() as client:
            call = await client.call("bob@example.org", source=Path("hello.wav"))
            await call.wait_for(CallState.ACTIVE, timeout=30)

    The voice of a call takes ``bandwidth`` kbit/s at most, with all headers. Pictures that are sent have at most the
    size and rate of ``video_format``.

    ``keys`` is what OMEMO keeps for the account. Without it, only the servers vouch for the keys of calls.

    Raises on entry: a :class:`~openvoice.errors.ConnectionFailed`, a :class:`~openvoice.errors.ConfigurationError`, or
    :class:`~openvoice.errors.InvalidState` if it was online before: a client is used once.
    """

    def __init__(
        self,
        account: Account | Callable[[], Awaitable[Account]],
        *,
        policy: Policy | None = None,
        store: CallStore | None = None,
        interfaces: tuple[str, ...] = (),
        bandwidth: float = DEFAULT_BANDWIDTH,
        video_format: PictureFormat | None = None,
        engine: MediaEngine | None = None,
        signalling: SignallingFactory | None = None,
        keys: KeyStore | None = None,
        recordings: RecordingStore | None = None,
        network: NetworkFactory = _network,
    ) -> None:
        self._account = account
        self._keys, self._recordings = keys, recordings
        self._name = ""
        self._ca_file: Path | None = None
        self.policy = policy or Policy()
        self._books = Bookkeeping(store)
        self._interfaces, self._bandwidth = interfaces, bandwidth
        self._video_format = video_format or PictureFormat()
        remembered = MemorySecrets() if keys is None else keys.secrets
        self._certificate = CertificateWatch(remembered, self.policy.alarm, self._certificate_changed)
        self._make_engine: Callable[[], MediaEngine] = (lambda: engine) if engine is not None else _engine
        self._make_signalling = signalling or self._xmpp
        self._network = network(self._network_changed)
        self._line: Signalling | None = None
        self._handler: CallHandler | None = None
        self._happenings: Broadcast[Happening] = Broadcast()
        self._online = False
        self._calls: dict[CallId, Call] = {}
        self._drivers: dict[CallId, CallDriver] = {}
        self._dialling = 0
        self._tasks = Tasks()
        self._closing = False

    @classmethod
    def open(
        cls, home: Path | str | None = None, *, account: Address | str | None = None, policy: Policy | None = None
    ) -> Client:
        """The client of a profile: its account (the one named, or the only one), its policy, its history.

        Raises:
            ConfigurationError: naming file, key and value.
        """
        from openvoice.client.profile import Profile

        named = Address.parse(account) if isinstance(account, str) else account
        return Profile(home).client(named, policy=policy)

    # --- life ---------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._closing or self._line is not None:
            raise InvalidState("a client goes online once: make another one")
        async with AsyncExitStack() as undo:
            undo.callback(self._close)
            if not isinstance(self._account, Account):
                self._account = await self._account()
            self._name, self._ca_file = str(self._account.address), self._account.ca_file
            self._engine = self._make_engine()
            undo.push_async_callback(self._engine.close)
            self._line = self._make_signalling(self._account, self, self._screen)
            await self._signalling.open()
            undo.push_async_callback(self._signalling.close)
            self._network.start()
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closing = True
        # Whoever is cancelled while it says goodbye still lets everything go.
        async with AsyncExitStack() as stack:
            stack.callback(self._close)
            stack.push_async_callback(self._engine.close)
            stack.push_async_callback(self._signalling.close)
            stack.push_async_callback(self._tasks.end)
            await self._end_calls()
            if self._online:
                self._books.note_online(self._name)

    async def _end_calls(self) -> None:
        for driver in self._drivers.values():
            driver.post(i.HangUp())
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.gather(*(call.wait_closed() for call in self.calls)), GOODBYE_WITHIN)

    def _close(self) -> None:
        self._closing = True
        self._network.close()
        self._happenings.close()
        self._books.close()

    # --- what its user does -------------------------------------------------------------------------------------------

    @property
    def address(self) -> Address:
        """The own address, with the device. Raises :class:`~openvoice.errors.InvalidState` before it is online."""
        return self._signalling.address

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls that live now."""
        return tuple(self._calls.values())

    def events(self) -> Listener[Happening]:
        """All that happens from now on, to all calls and to the connection. Ends when the client has closed."""
        return self._happenings.listen()

    def on_call(self, handler: CallHandler) -> CallHandler:
        """Decorate the coroutine that deals with calls that come in.

        The policy comes first: the handler never hears of a call of a stranger, and a call that the policy answers
        without asking is answered by what the handler does, like any other. If it raises, the call is hung up.
        """
        self._handler = handler
        return handler

    async def call(
        self,
        address: Address | str,
        *,
        source: Source = None,
        sink: Sink = None,
        video: VideoSource | None = None,
        policy: Policy | None = None,
    ) -> Call:
        """Call somebody. Returns at once with the call on its way; see :meth:`Call.wait_for`.

        ``source`` is what to send (silence if not given), ``sink`` where to put what comes (nowhere if not given);
        ``video`` makes it a video call that shows this; ``policy`` replaces the client's for this call.

        Raises:
            InvalidAddress: ``address`` is not a JID.
            InvalidState: the client is not online.
            Busy: the policy allows no further call now.
            SecurityRefused: the policy asks for a relay, and the own server offers none.
            PeerUnavailable: no device of the peer that is online can be called.
            AudioFileError, VideoFailed: a file named cannot be used.
        """
        peer = Address.parse(address) if isinstance(address, str) else address
        self._check_open()
        if self._live_calls + self._dialling >= self.policy.maximum_calls:
            raise Busy("you are in another call: end it first")
        rules = self._towards(peer, policy)
        self._dialling += 1
        try:
            exposed = await self._admit(rules)
            target, invitation = await self._signalling.invitation(peer, video=video is not None)
        finally:
            self._dialling -= 1
        self._check_open()
        call = Call(CallId(str(uuid.uuid4())), target, Direction.OUTGOING)
        call.use(source, sink, video)
        media = frozenset({"audio"} if video is None else {"audio", "video"})
        self._signalling.begin(call.id, target, media)
        self._start(call, rules).post(i.Dial(invitation, exposed, video is not None))
        return call

    def _towards(self, peer: Address, policy: Policy | None = None) -> Policy:
        return (policy or self.policy).towards(peer, in_roster=self._signalling.in_roster(peer))

    async def _admit(self, policy: Policy) -> bool:
        return await admit(policy, self._signalling, self._certificate.look(self._signalling.facts))

    def _check_open(self) -> None:
        if self._closing:
            raise InvalidState("the client is closing")

    def answers(self, call: Call) -> bool:
        """Whether the policy answers this caller without asking."""
        return self.policy.answers(call.peer, in_roster=self._signalling.in_roster(call.peer))

    # --- what the signalling tells (SignallingListener) ---------------------------------------------------------------

    def call_incoming(self, incoming: IncomingCall, first: i.PeerInput) -> None:
        call = Call(incoming.call, incoming.peer, Direction.INCOMING, offers_video="video" in incoming.media)
        self._start(call, self._towards(incoming.peer)).post(first)

    def call_input(self, call: CallId, message: i.PeerInput) -> None:
        driver = self._drivers.get(call)
        if driver is not None:
            driver.post(message)

    def call_missed(self, incoming: IncomingCall, outcome: str) -> None:
        details = {"peer": str(incoming.peer.bare), "outcome": outcome}
        now = time.time()
        self._happenings.send(Happening(now, "missed", incoming.call, None, details))
        about = {"call": incoming.call, "time": now - incoming.age, "direction": Direction.INCOMING.value}
        self._books.keep(self._name, {**about, **details})

    def connection_changed(self, online: bool, reason: str) -> None:
        if online or self._online:
            self._books.note_online(self._name)
        self._online = online
        if online:
            # Before anybody hears that calls can be placed.
            facts = self._certificate.facts(self._signalling.facts)
            for driver in self._drivers.values():
                driver.post_all(told_to_calls(facts, self._name, self.policy.alarm))
        else:
            for driver in self._drivers.values():
                driver.post(i.SignallingLost())
        self._tell("online" if online else "offline", reason=reason)

    def _certificate_changed(self, change: CertificateChange) -> None:
        self._tell("certificate-changed", **told_of(change, self._name, self.policy.alarm))

    def _tell(self, name: str, **details: Any) -> None:
        """Say what happened to the connection."""
        self._happenings.send(Happening(time.time(), name, None, None, {"account": self._name, **details}))

    def _network_changed(self) -> None:
        self._signalling.network_changed()
        for driver in self._drivers.values():
            driver.network_changed()

    def _screen(self, incoming: IncomingCall) -> Screening:
        if self._closing:
            return Screening.SILENT
        return self.policy.screen(
            incoming.peer, in_roster=self._signalling.in_roster(incoming.peer), live_calls=self._live_calls
        )

    # --- calls --------------------------------------------------------------------------------------------------------

    @property
    def _live_calls(self) -> int:
        # A call that is over may still be closing its media: that keeps nobody from the next one.
        return sum(not driver.over for driver in self._drivers.values())

    @property
    def _signalling(self) -> Signalling:
        if self._line is None:
            raise InvalidState("the client is not online: use it in 'async with'")
        return self._line

    def _start(self, call: Call, policy: Policy) -> CallDriver:
        async def settings() -> MediaSettings:
            return MediaSettings(
                relays=await self._signalling.relays(),
                relay_only=policy.way(relay_offered=not machine.exposed) is Way.RELAYED,
                input=call.make_input,
                output=call.make_output,
                video_input=call.video.make_input,
                video_output=call.video.make_output,
                video_format=self._video_format,
                interfaces=self._interfaces,
                interface_of=self._network.interface_of,
                bandwidth=self._bandwidth,
                ca_file=self._ca_file,
            )

        def publish(event: CallEvent) -> None:
            now = time.time()
            if isinstance(event, CallIncoming):
                event = replace(event, video=call.offers_video)
            call.publish(event)
            self._happenings.send(Happening(now, event.name, call.id, event, event.as_dict()))
            if isinstance(event, CallIncoming):
                self._announce(call)
            if isinstance(event, CallEnded):
                self._books.keep(self._name, record_of(call, event, now))

        async def answer(video: bool) -> i.Accept | i.HangUp:
            try:
                return i.Accept(await self._admit(policy), video)
            except OpenVoiceError as error:
                return i.HangUp(EndReason.SECURITY_ERROR, str(error), private=True)

        seed, facts = secrets.token_bytes(32), self._certificate.facts(self._signalling.facts)
        machine = CallMachine(call.direction, str(call.peer.bare), policy=policy, seed=seed, signalling=facts)
        driver = CallDriver(
            call.id,
            machine,
            signalling=self._signalling,
            engine=self._engine,
            settings=settings,
            publish=publish,
            changed=call.changed,
        )
        call.attach(driver, answer, self._keys, self._recordings, self._name)
        self._calls[call.id] = call
        self._drivers[call.id] = driver
        self._tasks.spawn(self._drive(call, driver), f"openvoice call {call.direction}")
        return driver

    async def _drive(self, call: Call, driver: CallDriver) -> None:
        try:
            await driver.run()
        finally:
            del self._calls[call.id], self._drivers[call.id]
            call.close()

    def _announce(self, call: Call) -> None:
        if self._handler is not None:
            self._tasks.spawn(attend(self._handler, call), "openvoice call handler")

    def _xmpp(
        self, account: Account, listener: SignallingListener, screen: Callable[[IncomingCall], Screening]
    ) -> Signalling:
        return _xmpp(
            account,
            listener,
            screen,
            proposal_age=self.policy.proposal_age,
            last_online=self._books.last_online(self._name),
            keys=self._keys,
        )
