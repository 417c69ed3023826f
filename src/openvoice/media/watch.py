"""The watch over one transport: it looks at the liveness of the path in time, and has it checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openvoice.media.liveness import Liveness
from openvoice.media.roaming import RoamingAgent


class PathWatch:
    """Runs from now on, until :meth:`close`. ``path`` gives the agent whose path is in use."""

    def __init__(
        self, path: Callable[[], RoamingAgent], *, interrupted: Callable[[], None], restored: Callable[[], None]
    ) -> None:
        self._path = path
        self._tell_interrupted = interrupted
        self._tell_restored = restored
        self._loop = asyncio.get_running_loop()
        self._liveness = Liveness(self._loop.time())
        self._timer: asyncio.TimerHandle | None = None
        self._look()

    @property
    def interrupted(self) -> bool:
        return self._liveness.interrupted

    @property
    def may_send(self) -> bool:
        """Whether the peer's consent stands."""
        return self._liveness.may_send(self._loop.time())

    def heard(self, now: float) -> None:
        """Something authenticated arrived."""
        if self._liveness.heard(now):
            self._tell_restored()

    def consented(self) -> None:
        """A consent check of the path in use was answered."""
        if self._liveness.consented(self._loop.time()):
            self._tell_restored()

    def doubt(self, patience: float) -> None:
        """The path may be dead: check it now. It is interrupted after ``patience`` seconds without an answer."""
        self._liveness.doubt(self._loop.time(), patience)
        self._look()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        if self._liveness.asks_consent(now):
            self._path().check_consent()
        if self._liveness.seeks(now):
            self._path().seek()
        if self._liveness.breaks(now):
            self._tell_interrupted()
        if self._timer is not None:
            self._timer.cancel()
        due = self._liveness.due()
        self._timer = self._loop.call_at(due, self._look_in_time, due)

    def _look_in_time(self, due: float) -> None:
        self._liveness.looked(self._loop.time(), due)
        self._look()
