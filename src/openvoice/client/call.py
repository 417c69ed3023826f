"""A call, as its user sees it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from openvoice.client.broadcast import Broadcast
from openvoice.client.call_sound import CallSound
from openvoice.client.call_video import CallVideo
from openvoice.client.decision import decide
from openvoice.client.failures import failure
from openvoice.client.pictures import VideoSource, film_of
from openvoice.client.recorder import Recorder
from openvoice.client.sound import Sink, Source
from openvoice.client.video import VideoCommands
from openvoice.core import inputs as i
from openvoice.core.address import Address
from openvoice.core.events import CallEnded, CallEvent
from openvoice.core.machine import CallMachine
from openvoice.core.security import SecurityReport
from openvoice.core.state import CallState
from openvoice.core.statistics import CallStatistics
from openvoice.core.talk import Talk
from openvoice.core.trust import DeviceKey, Trust
from openvoice.core.types import CallId, Direction, EndReason, VideoLabel, WordsOutcome
from openvoice.errors import CallFailed, InvalidState, OpenVoiceError
from openvoice.ports import AudioInput, AudioOutput, Frame, KeyStore, RecordingStore

if TYPE_CHECKING:
    from openvoice.client.driver import CallDriver
    from openvoice.client.timeline import Moment

_log = logging.getLogger(__name__)

_ORDER = list(CallState)


class Call(VideoCommands):
    """One call: a read-only snapshot, commands, and what happens in it as events.

    Made by :meth:`Client.call` and by :attr:`Client.on_call`; never by hand.
    """

    def __init__(self, call: CallId, peer: Address, direction: Direction, *, offers_video: bool = False) -> None:
        self.id = call
        self.peer = peer
        self.direction = direction
        self.offers_video = offers_video
        """Whether the caller offers pictures; you may take the call without showing any."""
        self.ended: CallEnded | None = None
        """How it ended, once it has."""
        self._driver: CallDriver | None = None
        self._events: Broadcast[CallEvent] = Broadcast()
        self._pulse: Broadcast[CallState] = Broadcast(backlog=1)
        self._loop = asyncio.get_running_loop()
        self._closed = self._loop.create_future()
        self._sound = CallSound(lambda: self.muted or self.held)
        self._video = CallVideo(lambda message: self._driven.post(message))
        self._used = False
        self._recordings: RecordingStore | None = None
        self._account = ""

    # --- snapshot -----------------------------------------------------------------------------------------------------

    @property
    def state(self) -> CallState:
        return self._machine.state

    @property
    def muted(self) -> bool:
        return self._machine.conduct.muted

    @property
    def held(self) -> bool:
        return self._machine.conduct.held

    @property
    def security(self) -> SecurityReport:
        """What protects the call, as far as is known now."""
        return self._machine.security

    @property
    def stats(self) -> CallStatistics:
        return self._driven.statistics

    @property
    def timeline(self) -> tuple[Moment, ...]:
        """What happened so far, by the names of the standards."""
        return tuple(self._driven.timeline)

    @property
    def verification_words(self) -> tuple[str, ...] | None:
        """Four words to read to each other: the same on both sides unless somebody sits in between.

        ``None`` as long as there are none, and after something disturbed their exchange.
        """
        return self._machine.words.words

    # --- commands -----------------------------------------------------------------------------------------------------

    async def accept(self, *, source: Source = None, sink: Sink = None, video: VideoSource | None = None) -> None:
        """Answer an incoming call. Sound and pictures are captured only after the peer's keys were checked.

        ``None`` is what was set before, or else silence to send and no place to play. Pictures are sent only if
        ``video`` says which; those of the peer come in any case.

        If the policy forbids it, the call ends here with ``security-error`` before anything is told to the caller.

        Raises:
            InvalidState: it does not ring here any more.
            AudioFileError, VideoFailed: a file named cannot be used.
        """
        if self.state is not CallState.RINGING or self.direction is not Direction.INCOMING:
            raise InvalidState(f"a call that is {self.state} cannot be accepted")
        self.use(source, sink, video)
        await self._driven.command(await self._answer(video is not None))

    async def reject(self, reason: EndReason = EndReason.DECLINE) -> None:
        """Say no to an incoming call."""
        await self._driven.command(i.HangUp(reason))

    async def hangup(self) -> None:
        """End the call, whatever its state, and wait until its media are closed. Twice is once."""
        await self._driven.command(i.HangUp())
        await self.wait_closed()

    def hangup_soon(self) -> None:
        """End the call without waiting for it: for timers and other places that cannot wait."""
        self._driven.post(i.HangUp())

    async def mute(self, muted: bool = True) -> None:
        """Send silence instead of the source, or the source again."""
        await self._driven.command(i.Mute(muted))

    async def set_input(self, source: Source) -> None:
        """Send something else from now on: another microphone, a file, an array, an object, or ``None`` for silence.

        At any time of the call. Before the keys of the peer are checked nothing is opened; after that, the new one runs
        before the old one stops, and between the two no sound is missing.

        Raises:
            DeviceFailed: the microphone does not work; the old one goes on.
            AudioFileError: the file cannot be used; the old one goes on.
            InvalidState: the call is over.
        """
        await self._sound.set_input(source)

    async def set_output(self, sink: Sink) -> None:
        """Play on another loudspeaker, or write elsewhere, from now on; all that :meth:`set_input` says holds here.

        Raises:
            DeviceFailed: the loudspeaker does not work; the old one goes on.
            AudioFileError: the file cannot be used; the old one goes on.
            InvalidState: the call is over.
        """
        film = film_of(sink)
        await self._sound.set_output(film or sink)
        if film is not None:
            self.watch(film.pictures)

    @property
    def talk(self) -> Talk:
        """The key for push-to-talk and hold-to-mute."""
        return self._sound.talk

    async def hold(self, held: bool = True) -> None:
        """Stop sending and playing, or go on."""
        await self._driven.command(i.Hold(held))

    async def send_dtmf(self, digits: str) -> None:
        """Press keys: ``0-9 * # A-D``.

        Raises:
            InvalidState: the call is not active.
            ValueError: there is no such key.
        """
        if not digits or set(digits.upper()) - set("0123456789*#ABCD"):
            raise ValueError("keys are 0-9, *, # and A-D")
        await self._driven.command(i.SendDigits(digits.upper()))

    def record(self) -> str:
        """Keep both sides of the call from now on, encrypted in the profile; the name of the recording.

        Stereo: this side left, the peer right. What is muted or held is silence. The peer is not told: tell them.
        An event ``device`` says so if the disk takes no more.

        Raises:
            InvalidState: the client has no profile to keep it in, or the call is recorded already, or over.
            ConfigurationError: it cannot be kept.
        """
        if self._recordings is None:
            raise InvalidState("only the client of a profile can record")
        if self.state is CallState.ENDED or self._sound.recorder is not None:
            raise InvalidState("the call is over" if self._sound.recorder is None else "the call is recorded already")
        about = {"call": self.id, "account": self._account, "peer": str(self.peer.bare)}
        recording = self._recordings.begin({**about, "direction": self.direction.value, "time": time.time()})
        self._sound.recorder = Recorder(recording)
        return recording.id

    async def confirm_verified(self) -> None:
        """Say that the words are the same on both sides: the OMEMO key of the peer's device is verified for good.

        Raises:
            InvalidState: there are no words to compare.
            OpenVoiceError: it could not be kept; nothing is verified.
        """
        words, key = self._compared()
        decide(self._keys, key, Trust.VERIFIED)
        await self._driven.command(i.CompareWords(words, same=True))

    async def reject_words(self) -> None:
        """Say that the words differ: the OMEMO key of the peer's device is distrusted, and the call ends.

        Raises:
            InvalidState: there are no words to compare.
            OpenVoiceError: that the key is distrusted could not be kept; the call ends all the same.
        """
        words, key = self._compared()
        try:
            decide(self._keys, key, Trust.DISTRUSTED)
        finally:
            await self._driven.command(i.CompareWords(words, same=False))

    def _compared(self) -> tuple[tuple[str, ...], DeviceKey]:
        """The words that are shown, and whose key they are about."""
        words, voucher = self.verification_words, self._machine.words.voucher
        if words is None or voucher is None or self.state is not CallState.ACTIVE:
            raise InvalidState("there are no words to compare in this call now")
        return words, voucher.peer

    # --- waiting and listening ----------------------------------------------------------------------------------------

    async def wait_for(self, state: CallState, timeout: float | None = None) -> None:
        """Wait until the call has come as far as ``state``.

        Raises:
            Busy, Declined, NoAnswer, PeerUnavailable, Cancelled, SecurityRefused, MediaFailed: it ended before that.
            TimeoutError: ``timeout`` seconds went by.
        """
        pulse = self._pulse.listen()
        try:
            async with asyncio.timeout(timeout):
                while _ORDER.index(self.state) < _ORDER.index(state):
                    await anext(pulse)
        finally:
            await pulse.aclose()
        if state is not CallState.ENDED and self.state is CallState.ENDED:
            await self.wait_closed()
            raise self.failure or CallFailed("the call is already over")

    async def wait_for_words(self, timeout: float | None = None) -> tuple[str, ...]:
        """Wait until there are words to compare. With most peers there never are: give a ``timeout``.

        Raises:
            InvalidState: something disturbed their exchange, or the call ended without words.
            CallFailed: the call failed before that.
            TimeoutError: ``timeout`` seconds went by.
        """
        pulse = self._pulse.listen()
        try:
            async with asyncio.timeout(timeout):
                while self.state is not CallState.ENDED and self._machine.words.outcome is WordsOutcome.NONE:
                    await anext(pulse)
        finally:
            await pulse.aclose()
        words = self.verification_words
        if words is not None:
            return words
        if self.state is CallState.ENDED:
            await self.wait_closed()
            raise self.failure or InvalidState("the call ended without words to compare")
        raise InvalidState("something disturbed the exchange of the words: this call has none")

    async def wait_closed(self) -> CallEnded:
        """Wait until the call has ended and nothing of it is left."""
        await asyncio.shield(self._closed)
        assert self.ended is not None
        return self.ended

    @property
    def failure(self) -> CallFailed | None:
        """What went wrong, or ``None`` if nothing did (so far)."""
        if self.ended is None:
            return None
        return failure(
            self.ended.reason,
            self.ended.origin,
            self.ended.text,
            peer=str(self.peer.bare),
            direction=self.direction,
            connected=self._machine.active_since is not None,
        )

    def events(self) -> AsyncIterator[CallEvent]:
        """All that happens from now on; ends with :class:`~openvoice.core.events.CallEnded`."""
        return self._events.listen()

    def audio(self) -> AsyncIterator[Frame]:
        """The received sound: ``int16`` arrays of shape ``(960,)``, 20 ms each. Ends with the call."""
        return self._sound.frames.listen()

    # --- for the client -----------------------------------------------------------------------------------------------

    def use(self, source: Source, sink: Sink, video: VideoSource | None) -> None:
        """Choose sound and pictures, once, before the call is answered.

        Raises:
            InvalidState: it is chosen already.
            AudioFileError, VideoFailed: a file named cannot be used.
        """
        if self._used:
            raise InvalidState("the call is being accepted already")
        if video is not None:
            self._video.choose(VideoLabel.CAMERA, video)
        film = film_of(sink)
        try:
            self._sound.choose(source, film or sink)
        except OpenVoiceError:
            if film is not None:
                film.close()
            raise
        if film is not None:
            self.watch(film.pictures)
        self._used = True

    @property
    def video(self) -> CallVideo:
        """What makes the inputs and outputs of the pictures."""
        return self._video

    def make_input(self) -> AudioInput:
        return self._sound.make_input()

    def make_output(self) -> AudioOutput:
        return self._sound.make_output()

    def attach(
        self,
        driver: CallDriver,
        answer: Callable[[bool], Awaitable[i.Accept | i.HangUp]],
        keys: KeyStore | None,
        recordings: RecordingStore | None,
        account: str,
    ) -> None:
        """``answer`` says what becomes of the call when its user says yes, with pictures or not; ``keys`` keep what its
        user verifies."""
        self._driver = driver
        self._answer = answer
        self._keys = keys
        self._recordings, self._account = recordings, account

    def publish(self, event: CallEvent) -> None:
        """Tell all listeners."""
        if isinstance(event, CallEnded):
            self.ended = event
            # Whoever hears of the end finds files whole.
            self._video.end()
            self._sound.end()
        self._video.hear(event)
        self._events.send(event)

    def changed(self) -> None:
        """Wake those who wait for a state."""
        self._pulse.send(self.state)

    def close(self) -> None:
        """The driver is done."""
        self._video.end()
        self._sound.close()
        self._pulse.close()
        self._events.close()
        if not self._closed.done():
            self._closed.set_result(None)

    @property
    def _driven(self) -> CallDriver:
        assert self._driver is not None
        return self._driver

    @property
    def _machine(self) -> CallMachine:
        return self._driven.machine
