"""Runs one call: reads its inbox, feeds the machine, does what the machine wants."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial

from openvoice.client.timeline import Moment, moment
from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.faults import fault
from openvoice.core.machine import CallMachine
from openvoice.core.state import CallState
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import CallId, DeviceChange, EndReason
from openvoice.errors import MediaFailed, OpenVoiceError, SecurityRefused
from openvoice.ports import MediaEngine, MediaSession, MediaSettings, Signalling

_log = logging.getLogger(__name__)

STATISTICS_INTERVAL = 1.0
"""Seconds between two ``stats`` events of an active call."""
MAXIMUM_MOMENTS = 500
"""Entries of a timeline: most are the peer's doing."""
CLOSE_WITHIN = 1.5
"""Seconds that media may take to close."""


class CallDriver:
    """One call's task. It reads one inbox: an input, then all its effects, then the next input.

    Media effects that take time run in a second task, in their order; what comes of them is an input again. Every wait
    is bounded by the machine's deadline.
    """

    def __init__(
        self,
        call: CallId,
        machine: CallMachine,
        *,
        signalling: Signalling,
        engine: MediaEngine,
        settings: Callable[[], Awaitable[MediaSettings]],
        publish: Callable[[events.CallEvent], None],
        changed: Callable[[], None],
    ) -> None:
        self.call = call
        self.machine = machine
        self.timeline: list[Moment] = []
        self._signalling = signalling
        self._engine = engine
        self._settings = settings
        self._publish = publish
        self._changed = changed
        self._inbox: asyncio.Queue[tuple[i.CallInput, asyncio.Future[None] | None]] = asyncio.Queue()
        self._media_effects: asyncio.Queue[e.MediaEffect] = asyncio.Queue()
        self._media: MediaSession | None = None
        self._media_closed = 0
        self._told_over = False
        self._statistics = CallStatistics()

    @property
    def statistics(self) -> CallStatistics:
        """The numbers so far; after the end, the last ones."""
        return self._media.statistics() if self._media is not None else self._statistics

    @property
    def over(self) -> bool:
        """Whether the call has ended, or the word that it has waits in the inbox."""
        return self._told_over or self.machine.state is CallState.ENDED

    def post(self, message: i.CallInput) -> None:
        """Put an input of the peer or the media into the inbox."""
        self._told_over |= isinstance(message, i.Ended)
        self._inbox.put_nowait((message, None))

    def network_changed(self) -> None:
        """Tell the media, if there are any."""
        if self._media is not None:
            self._media.network_changed()

    def post_all(self, messages: Iterable[i.CallInput]) -> None:
        for message in messages:
            self.post(message)

    async def command(self, message: i.UserInput) -> None:
        """Give a command of the user, and wait until it was taken.

        Raises:
            InvalidState: the state of the call does not allow it.
        """
        loop = asyncio.get_running_loop()
        if self.machine.state is CallState.ENDED:
            self.machine.handle(message, loop.time())
            return
        taken: asyncio.Future[None] = loop.create_future()
        self._inbox.put_nowait((message, taken))
        await taken

    async def run(self) -> None:
        """Live until the call has ended and its media are closed."""
        clock = asyncio.get_running_loop()
        worker = asyncio.create_task(self._work(), name="openvoice call media")
        meter = asyncio.create_task(self._measure(), name="openvoice call statistics")
        try:
            while self.machine.state is not CallState.ENDED:
                await self._step(clock.time)
        except asyncio.CancelledError:
            await self._give_up(i.HangUp(), clock.time())
            raise
        except Exception as error:
            _log.error("a call failed: %s", fault(error))
            failed = i.HangUp(EndReason.GENERAL_ERROR, "openvoice failed: see the log")
            await self._give_up(failed, clock.time())
        finally:
            meter.cancel()
            worker.cancel()
            await asyncio.gather(meter, worker, return_exceptions=True)
            await self._close_media()
            self._refuse_commands()

    async def _step(self, clock: Callable[[], float]) -> None:
        taken: asyncio.Future[None] | None = None
        try:
            async with asyncio.timeout_at(self.machine.deadline):
                message, taken = await self._inbox.get()
        except TimeoutError:
            effects = self.machine.handle_timeout(clock())
        else:
            self._remember(message)
            try:
                effects = self.machine.handle(message, clock())
            except OpenVoiceError as error:
                if taken is not None and not taken.done():
                    taken.set_exception(error)
                return
        try:
            for effect in effects:
                self._remember(effect)
                await self._perform(effect)
        finally:
            self._changed()
            if taken is not None and not taken.done():
                taken.set_result(None)

    async def _give_up(self, farewell: i.HangUp, now: float) -> None:
        """End a call that something unexpected happened to, so that nobody waits for it for ever."""
        effects = self.machine.handle(farewell, now)
        assert self.machine.end is not None
        for effect in effects or [self.machine.end]:
            try:
                await self._perform(effect)
            except Exception as error:
                _log.error("%s failed as well: %s", type(effect).__name__, fault(error))
        self._changed()

    def _remember(self, thing: i.CallInput | e.Effect) -> None:
        entry = moment(thing, time.time())
        if entry is not None and (len(self.timeline) < MAXIMUM_MOMENTS or isinstance(thing, e.Finish)):
            self.timeline.append(entry)

    async def _perform(self, effect: e.Effect) -> None:
        match effect:
            case e.Notify(event):
                self._publish(event)
            case e.RejectInput(text):
                _log.debug("refused: %s", text)
            case e.Finish():
                await self._close_media()
                self._publish(self._ended(effect))
            case e.CloseMedia():
                await self._close_media()
            case (
                e.OpenMedia()
                | e.ApplyAnswer()
                | e.AddCandidates()
                | e.OpenGate()
                | e.RestartMedia()
                | e.ApplyRestart()
                | e.ProposeContent()
                | e.AnswerContents()
                | e.Settle()
                | e.Show()
                | e.SetPeerMuted()
                | e.SetMuted()
                | e.SetHeld()
                | e.PlayDigits()
            ):
                self._media_effects.put_nowait(effect)
            case _:
                await self._signalling.perform(self.call, effect)

    def _ended(self, finish: e.Finish) -> events.CallEnded:
        machine = self.machine
        return events.CallEnded(
            reason=finish.reason,
            origin=finish.origin,
            text=finish.text,
            duration=machine.duration(asyncio.get_running_loop().time()),
            answered=machine.answered,
            security=machine.security,
            statistics=self._statistics,
        )

    # --- media --------------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            effect = await self._media_effects.get()
            tell = partial(self._hear, self._media_closed)
            try:
                await self._perform_media(effect, tell)
            except OpenVoiceError as error:
                tell(_failure(effect, error))
            except Exception as error:
                _log.error("media effect %s failed: %s", type(effect).__name__, fault(error))
                tell(_failure(effect, MediaFailed("the media engine failed: see the log")))

    def _hear(self, media_closed: int, message: i.MediaInput) -> None:
        # A call that moved to another device of the peer does not end with the media of the device before.
        if media_closed == self._media_closed:
            self.post(message)

    async def _perform_media(self, effect: e.MediaEffect, tell: Callable[[i.MediaInput], None]) -> None:
        if isinstance(effect, e.OpenMedia):
            self._media = self._engine.session(await self._settings(), tell)
            made = await self._media.open(effect.role, effect.offer, effect.gather_fully, effect.video)
            tell(i.LocalDescription(made))
            return
        media = self._media
        if media is None:
            return
        match effect:
            case e.ApplyAnswer(answer):
                await media.apply_answer(answer)
            case e.AddCandidates(content, candidates):
                await media.add_candidates(content, candidates)
            case e.OpenGate():
                await media.open_gate()
            case e.RestartMedia(remote):
                tell(i.LocalRestart(tuple(await media.restart(remote)), answering=bool(remote)))
            case e.ApplyRestart(credentials):
                await media.apply_restart(credentials)
            case e.ProposeContent(name, label):
                tell(i.LocalContents((await media.propose_content(name, label),), answering=False))
            case e.AnswerContents(contents, bundle):
                tell(i.LocalContents(tuple(await media.answer_contents(contents, bundle)), answering=True))
            case e.Settle(local, remote):
                await media.settle(local, remote)
            case e.Show(label, shown_in):
                await media.show(label, shown_in)
            case e.SetPeerMuted(content, muted):
                await media.set_peer_muted(content, muted)
            case e.SetMuted(muted):
                await media.set_muted(muted)
            case e.SetHeld(held):
                await media.set_held(held)
            case e.PlayDigits(digits):
                await media.play_digits(digits)

    async def _close_media(self) -> None:
        while not self._media_effects.empty():
            self._media_effects.get_nowait()
        media, self._media = self._media, None
        self._media_closed += 1
        if media is not None:
            self._statistics = media.statistics()
            with suppress(TimeoutError):
                await asyncio.wait_for(media.close(), CLOSE_WITHIN)

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(STATISTICS_INTERVAL)
            if self.machine.state is CallState.ACTIVE and self._media is not None:
                self._publish(events.StatisticsMeasured(self._media.statistics()))

    def _refuse_commands(self) -> None:
        """Answer the commands that came too late: an ended call takes no more of them."""
        while not self._inbox.empty():
            message, taken = self._inbox.get_nowait()
            if taken is not None and not taken.done():
                try:
                    self.machine.handle(message, 0.0)
                except OpenVoiceError as error:
                    taken.set_exception(error)
                else:
                    taken.set_result(None)


def _failure(effect: e.MediaEffect, error: OpenVoiceError) -> i.MediaInput:
    """What the call is told: pictures that cannot be are no reason to end it."""
    match effect:
        case e.ProposeContent(name):
            return i.ContentsFailed((name,), str(error))
        case e.AnswerContents():
            return i.LocalContents((), answering=True)
        case e.Settle(local):
            pictures = tuple(content.name for content in local.contents if content.name != local.voice)
            return i.ContentsFailed(pictures, str(error))
        case e.Show(label):
            return i.VideoReported(label=label, what=DeviceChange.FAILED, text=str(error))
        case _:
            refused = isinstance(error, SecurityRefused)
            return i.MediaFailed(EndReason.SECURITY_ERROR if refused else EndReason.FAILED_APPLICATION, str(error))
