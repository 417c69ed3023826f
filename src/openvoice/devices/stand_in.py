"""Keeps the rhythm of a device that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openvoice.ports import FRAME_SECONDS

PATIENCE = 0.1
"""Seconds without a sign of the device before somebody steps in for it."""


class StandIn:
    """Calls ``step`` every 20 ms for as long as a device gives no sign of life, and keeps quiet while it does.

    ``signs`` counts those signs. After a stall of the event loop no steps are made up for: sound that is late is
    silence that was heard already.
    """

    def __init__(self, signs: Callable[[], int], step: Callable[[], None]) -> None:
        self._signs = signs
        self._step = step
        self._seen = signs()
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._stopped = False
        self._timer = self._loop.call_soon(self._look)

    def stop(self) -> None:
        self._stopped = True
        self._timer.cancel()

    def _look(self) -> None:
        signs, now = self._signs(), self._loop.time()
        if signs != self._seen:
            self._seen = signs
            self._due = now + PATIENCE
        else:
            self._due = max(self._due + FRAME_SECONDS, now)
            self._step()
        if not self._stopped:
            self._timer = self._loop.call_at(self._due, self._look)
