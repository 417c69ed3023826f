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
from openvoice.signalling.xmpp.tasks import happens

HURRY = 5.0
"""Seconds after a change of the network in which a stream that breaks is made anew at once."""

logger = logging.getLogger(__name__)


class Link(Protocol):
    """What is kept up."""

    async def connect(self) -> None:
        """Raises a :class:`~openvoice.errors.ConnectionFailed`."""
        ...

    async def serve(self) -> ConnectionFailed:
        """Until the connection is lost; gives why."""
        ...

    def check(self) -> None:
        """See at once whether the connection still lives; if it does not, :meth:`serve` ends."""
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
        self._hurry = asyncio.Event()
        self._hurried_at = 0.0

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

    def network_changed(self) -> None:
        """The way to the server may be another one now: nothing that was tried on the old one counts."""
        self._hurry.set()
        self._hurried_at = asyncio.get_running_loop().time()
        self._link.check()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        failures = 0
        while True:
            since = loop.time()
            reason = str(await self._link.serve())
            if loop.time() - since >= self._back_off.stable:
                failures = 0
            if loop.time() - self._hurried_at >= HURRY:
                self._hurry.clear()
            self._link.changed(False, reason)
            while True:
                failures += 1
                if await self._pause(failures):
                    failures = 1
                try:
                    if await self._attempt():
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

    async def _pause(self, failures: int) -> bool:
        """Wait before the next attempt, unless the network changes; whether it did."""
        hurried = await happens(self._hurry, self._back_off.delay(failures, self._chance()))
        self._hurry.clear()
        return hurried

    async def _attempt(self) -> bool:
        """Connect; ``False`` if the network changed meanwhile, for then nobody would answer on the way of before."""
        connecting = asyncio.create_task(self._link.connect())
        hurrying = asyncio.create_task(self._hurry.wait())
        try:
            await asyncio.wait({connecting, hurrying}, return_when=asyncio.FIRST_COMPLETED)
            if connecting.done():
                connecting.result()
                return True
            return False
        finally:
            for task in (connecting, hurrying):
                task.cancel()
            await asyncio.gather(connecting, hurrying, return_exceptions=True)
