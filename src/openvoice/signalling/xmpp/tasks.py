"""Work that goes on beside everything else, and of which nobody waits for the outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from openvoice.core.faults import fault
from openvoice.errors import OpenVoiceError

Result = TypeVar("Result")

_logger = logging.getLogger(__name__)


class Tasks:
    """Runs coroutines until they are done, or until :meth:`close`. What they raise ends in the log."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    async def settled(self) -> None:
        """Wait until nothing goes on."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        while self._running:
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, OpenVoiceError):
            _logger.warning("%s", error)
        elif error is not None:
            _logger.error("work beside the calls failed: %s", fault(error))


async def happens(event: asyncio.Event, within: float) -> bool:
    """Wait ``within`` seconds for ``event`` at most; whether it happened.

    Unlike ``asyncio.wait_for``, before Python 3.12, it ends when it is cancelled in the moment of the event too.
    """
    waiting = asyncio.create_task(event.wait())
    try:
        done, _ = await asyncio.wait({waiting}, timeout=within)
        return bool(done)
    finally:
        waiting.cancel()
