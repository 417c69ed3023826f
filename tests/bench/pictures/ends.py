"""Ends of calls in Python, each in a process of its own: its processor time is its own, and it may have a core."""

from __future__ import annotations

import asyncio
import importlib
import logging
import multiprocessing
import os
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Protocol

from tests.bench.pictures.take import EndTake, Orders

ANSWERS_WITHIN = 40.0
"""Seconds, besides those that it was told to run."""


class EndFailed(Exception):
    """An end said nothing, or what went wrong."""


class End(Protocol):
    """One end of a call. Descriptions are whatever the ends of a system exchange."""

    async def offer(self) -> Any: ...

    async def answer(self, offer: Any) -> Any: ...

    async def accept(self, answer: Any) -> None: ...

    async def connected(self) -> None: ...

    async def run(self) -> EndTake: ...

    async def close(self) -> None: ...


class ProcessEnd:
    """An end of ``system`` in a process of its own. Every method raises :class:`EndFailed`."""

    def __init__(self, system: str, orders: Orders) -> None:
        context = multiprocessing.get_context("forkserver")
        self._orders = orders
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(system, orders, theirs), daemon=True)
        self._process.start()
        theirs.close()

    async def offer(self) -> Any:
        return await self._ask("offer")

    async def answer(self, offer: Any) -> Any:
        return await self._ask("answer", offer)

    async def accept(self, answer: Any) -> None:
        await self._ask("accept", answer)

    async def connected(self) -> None:
        await self._ask("connected")

    async def run(self) -> EndTake:
        take: EndTake = await self._ask("run")
        return take

    async def close(self) -> None:
        with suppress(EndFailed):
            await self._ask("close")
        self._pipe.close()
        await asyncio.to_thread(self._process.join, 2)
        if self._process.is_alive():
            self._process.kill()

    async def _ask(self, what: str, *arguments: Any) -> Any:
        return await asyncio.to_thread(self._exchange, what, arguments)

    def _exchange(self, what: str, arguments: tuple[Any, ...]) -> Any:
        try:
            self._pipe.send((what, arguments))
            if not self._pipe.poll(ANSWERS_WITHIN + self._orders.seconds):
                raise EndFailed(f"no answer to {what}")
            failed, result = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise EndFailed(f"the process ended during {what}") from error
        if failed:
            raise EndFailed(result)
        return result


def _serve(system: str, orders: Orders, pipe: Connection) -> None:
    logging.disable(logging.CRITICAL)
    if orders.core is not None:
        os.sched_setaffinity(0, {orders.core})
    asyncio.run(_obey(system, orders, pipe))


async def _obey(system: str, orders: Orders, pipe: Connection) -> None:
    module = importlib.import_module(f"tests.bench.pictures.{system}_end")
    end: End = getattr(module, f"{system.capitalize()}End")(orders)
    while True:
        try:
            what, arguments = await asyncio.to_thread(pipe.recv)
        except EOFError:
            return
        try:
            pipe.send((False, await getattr(end, what)(*arguments)))
        except Exception as error:
            pipe.send((True, f"{type(error).__name__}: {error}"))
        if what == "close":
            return
