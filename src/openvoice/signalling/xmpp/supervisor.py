"""Keeps a connection up: waits and tries again, longer each time, until it may not go on."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from openvoice.core.faults import fault
from openvoice.errors import CertificateRejected, ConnectionFailed, LoginRefused

logger = logging.getLogger(__name__)


class Link(Protocol):
    """What is kept up."""

    async def connect(self) -> None:
        """Raises a :class:`~openvoice.errors.ConnectionFailed`."""
        ...

    async def serve(self) -> ConnectionFailed:
        """Until the connection is lost; gives why."""
        ...

    def changed(self, online: bool, reason: str) -> None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class BackOff:
    """Seconds to wait after the n-th failure in a row: doubling from ``first`` to ``limit``.

    ``stable`` is how long a connection has to last to count as none.
    """

    first: float = 1.0
    limit: float = 60.0
    stable: float = 30.0

    def delay(self, failures: int, chance: float) -> float:
        """``chance`` in [0, 1) spreads the clients of a server that comes back: between half and the whole wait."""
        return min(self.limit, self.first * 2.0 ** min(failures - 1, 30)) * (0.5 + chance / 2)


class Supervisor:
    """Runs one link. A refused login or certificate ends it: trying again would help an attacker, or lock the
    account."""

    def __init__(self, link: Link, back_off: BackOff, chance: Callable[[], float] = random.random) -> None:
        self._link = link
        self._back_off = back_off
        self._chance = chance
        self._task: asyncio.Task[None] | None = None

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    async def open(self) -> None:
        """Connect, and stay connected until :meth:`close`. Raises what the first attempt raises."""
        await self._link.connect()
        self._task = asyncio.create_task(self._run())
        self._link.changed(True, "")

    async def close(self) -> None:
        """Stop trying. The link itself is for its owner to close."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            since = loop.time()
            reason = str(await self._link.serve())
            if loop.time() - since >= self._back_off.stable:
                failures = 0
            self._link.changed(False, reason)
            while True:
                failures += 1
                await asyncio.sleep(self._back_off.delay(failures, self._chance()))
                try:
                    await self._link.connect()
                    break
                except (LoginRefused, CertificateRejected) as error:
                    self._link.changed(False, str(error))
                    return
                except ConnectionFailed as error:
                    logger.info("no connection to the server yet (%s)", type(error).__name__)
                except Exception as error:
                    # Nobody would notice that this task has ended: the account would stay offline for ever.
                    logger.error("an attempt to connect failed: %s", fault(error))
            self._link.changed(True, "")
