"""The media engine: all calls' media on one thread with an event loop of its own.

Voice is due every 20 ms. Signalling parses XML, resolves names and waits for databases on its loop; whatever stalls
that one is not heard, because nothing of the media runs there. What both threads share is the interpreter's lock, and
:func:`_claim_turns` sees to it that no Python code keeps that for long. A single call of C that keeps it is heard.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from openvoice.core.description import Candidate, Content, SessionDescription
from openvoice.core.inputs import MediaInput
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import InvalidState
from openvoice.media.session import CallMedia
from openvoice.media.transports import Credentials
from openvoice.ports import MediaSettings

STATISTICS_INTERVAL = 0.25
"""Seconds between two snapshots."""
CLOSE_WITHIN = 1.0
"""Seconds."""
SWITCH_INTERVAL = 0.0005
"""Seconds that a thread may go on after another one asked for its turn."""

_T = TypeVar("_T")
_log = logging.getLogger(__name__)


class ThreadedMediaEngine:
    """A :class:`~openvoice.ports.MediaEngine`. The thread starts with the first session and ends with :meth:`close`."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._sessions: set[ThreadedMediaSession] = set()

    def session(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> ThreadedMediaSession:
        """A session whose methods may be called, and whose ``notify`` is called, on the event loop that runs now.

        The factories of ``settings`` are called on the media thread, and so are the devices they make.
        """
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._loop.set_exception_handler(_log_stray_exception)
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name="openvoice-media", daemon=True)
            self._thread.start()
        session = ThreadedMediaSession(self._loop, settings, notify, self._sessions.discard)
        self._sessions.add(session)
        return session

    async def close(self) -> None:
        """Close all sessions and end the thread. Twice is once.

        A sound system that never lets go is left behind after :data:`CLOSE_WITHIN` with the thread that waits for it.
        """
        loop, thread = self._loop, self._thread
        self._loop = self._thread = None
        if loop is None or thread is None:
            return
        try:
            await asyncio.wait_for(self._end(loop), CLOSE_WITHIN)
        except TimeoutError:
            _log.error("the media thread did not end in time")
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CLOSE_WITHIN)

    async def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        await asyncio.gather(*(session.close() for session in tuple(self._sessions)))
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(_cancel_all_tasks(), loop))


class ThreadedMediaSession:
    """A :class:`~openvoice.ports.MediaSession` that lives on the media thread and is spoken to from another loop."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        settings: MediaSettings,
        notify: Callable[[MediaInput], None],
        closed: Callable[[ThreadedMediaSession], None],
    ) -> None:
        self._loop = loop
        self._caller = asyncio.get_running_loop()
        self._notify = notify
        self._media = CallMedia(settings, self._carry_over)
        self._when_closed = closed
        self._closing: asyncio.Future[None] | None = None
        self._statistics = CallStatistics()
        self._snapshot: asyncio.TimerHandle | None = None

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        return await self._run_and_announce(self._open(role, offer, gather_fully, video))

    async def apply_answer(self, answer: SessionDescription) -> None:
        await self._run(self._media.apply_answer(answer))

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None:
        await self._run(self._media.add_candidates(content, candidates))

    async def open_gate(self) -> None:
        await self._run(self._media.open_gate())

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        return await self._run_and_announce(self._media.propose_content(name, label))

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        return await self._run_and_announce(self._media.answer_contents(contents, bundle))

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        await self._run(self._media.settle(local, remote))

    async def show(self, label: VideoLabel, content: str | None) -> None:
        await self._run(self._media.show(label, content))

    async def restart(self, remote: Credentials) -> Credentials:
        return await self._run_and_announce(self._media.restart(remote))

    async def apply_restart(self, credentials: Credentials) -> None:
        await self._run(self._media.apply_restart(credentials))

    def network_changed(self) -> None:
        if self._closing is None:
            self._loop.call_soon_threadsafe(self._media.network_changed)

    async def set_peer_muted(self, content: str, muted: bool) -> None:
        await self._run(self._media.set_peer_muted(content, muted))

    async def set_muted(self, muted: bool) -> None:
        await self._run(self._media.set_muted(muted))

    async def set_held(self, held: bool) -> None:
        await self._run(self._media.set_held(held))

    async def play_digits(self, digits: str) -> None:
        await self._run(self._media.play_digits(digits))

    def statistics(self) -> CallStatistics:
        """As of at most :data:`STATISTICS_INTERVAL` ago; after the end, the last."""
        return self._statistics

    async def close(self) -> None:
        if self._closing is None:
            work = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
            self._closing = asyncio.wrap_future(work)
        # A caller that is cancelled while it waits must not leave the sockets behind.
        await asyncio.shield(self._closing)
        self._when_closed(self)

    async def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        if self._closing is not None:
            work.close()
            raise InvalidState("the media of this call are closed already")
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _run_and_announce(self, work: Coroutine[Any, Any, _T]) -> _T:
        made = await self._run(work)
        # Returning does not yield, so the caller has what was made before it hears of a candidate.
        self._loop.call_soon_threadsafe(self._media.announce)
        return made

    def _carry_over(self, message: MediaInput) -> None:
        try:
            self._caller.call_soon_threadsafe(self._notify, message)
        except RuntimeError:
            _log.debug("nobody is left to be told of %s", type(message).__name__)

    # --- on the media thread ------------------------------------------------------------------------------------------

    async def _open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool, video: bool
    ) -> SessionDescription:
        # First, so that whatever becomes of the opening, the end finds the timer and stops it.
        self._take_snapshot()
        return await self._media.open(role, offer, gather_fully, video)

    def _take_snapshot(self) -> None:
        self._statistics = self._media.statistics()
        self._snapshot = self._loop.call_later(STATISTICS_INTERVAL, self._take_snapshot)

    async def _close(self) -> None:
        if self._snapshot is not None:
            self._snapshot.cancel()
        try:
            self._statistics = self._media.statistics()
        finally:
            await self._media.close()


def _claim_turns() -> None:
    """Let the rest of the process stop the media for less than can be heard.

    A thread that computes is stopped after the switch interval only, and the media threads ask for their turn after
    each call of a codec or a socket: at the usual 5 ms, a dozen times in each frame, voice breaks up. And a collection
    of all garbage stops every thread; what was loaded before the first call need never be looked at again.
    """
    sys.setswitchinterval(min(SWITCH_INTERVAL, sys.getswitchinterval()))
    if not gc.get_freeze_count():
        gc.freeze()


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    _claim_turns()
    try:
        loop.run_forever()
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        # This does not wait for a name server that does not answer, as asyncio.run() would.
        loop.close()


async def _cancel_all_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def _log_stray_exception(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    # The context names addresses and quotes packets: only the kind of the exception is fit for a log.
    error = context.get("exception")
    _log.warning("the media loop met an unexpected %s", type(error).__name__ if error else "condition")
