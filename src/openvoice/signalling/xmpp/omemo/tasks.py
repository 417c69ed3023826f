"""Work that goes on beside everything else, and of which nobody waits for the outcome."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from openvoice.core.faults import fault
from openvoice.signalling.xmpp.omemo.failures import OmemoFailed

_logger = logging.getLogger(__name__)


class Tasks:
    """Runs coroutines until they are done, or until :meth:`close`. What they raise ends in the log."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return task

    async def settled(self) -> None:
        """Wait until nothing goes on."""
        while self._running:
            await asyncio.wait(self._running)

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await self.settled()

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, OmemoFailed):
            _logger.warning("%s", error)
        elif error is not None:
            _logger.error("OMEMO failed: %s", fault(error))
