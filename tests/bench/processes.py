"""Each call of openvoice and of aiortc has a process of its own: its loop and its processor time are nobody else's."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from multiprocessing.connection import Connection

from openvoice.media.audio.codec import Samples
from openvoice.ports import SAMPLE_RATE
from tests.bench import aiortc_call, openvoice_call
from tests.bench.openvoice_call import Ports, Started
from tests.bench.take import Heard

CALLS: dict[str, Callable[[Samples, Ports, Started], Awaitable[Heard]]] = {
    "openvoice": openvoice_call.call,
    "openvoice-plain": partial(openvoice_call.call, plain=True),
    "aiortc": aiortc_call.call,
}
CONNECTED_WITHIN = 30.0
HEARD_WITHIN = 60.0
"""Seconds; the second after all was said."""


def _run(system: str, said: Samples, ports: Ports, orders: Connection) -> None:
    logging.disable(logging.CRITICAL)

    async def started() -> None:
        orders.send("connected")
        await asyncio.to_thread(orders.recv)

    async def run() -> None:
        orders.send(await CALLS[system](said, ports, started))

    asyncio.run(run())


def _answer(orders: Connection, seconds: float) -> object:
    """What a process says, or ``None`` if it says nothing for so long, or ended."""
    try:
        return orders.recv() if orders.poll(seconds) else None
    except EOFError:
        return None


def together(calls: Sequence[tuple[str, Ports]], said: Samples, begin: Callable[[], None]) -> list[Heard | None]:
    """Calls of these systems at once: ``begin`` is called when all are connected. ``None`` is a call that failed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    running = []
    for system, ports in calls:
        ours, theirs = context.Pipe()
        process = context.Process(target=_run, args=(system, said, ports, theirs), daemon=True)
        process.start()
        theirs.close()
        running.append((process, ours))
    connected = [_answer(orders, CONNECTED_WITHIN) == "connected" for _, orders in running]
    begin()
    for up, (_, orders) in zip(connected, running, strict=True):
        if up:
            orders.send("begin")
    heard = []
    seconds = HEARD_WITHIN + len(said) / SAMPLE_RATE
    for up, (process, orders) in zip(connected, running, strict=True):
        result = _answer(orders, seconds) if up else None
        heard.append(result if isinstance(result, Heard) else None)
        orders.close()
        process.join(1)
        if process.is_alive():
            process.kill()
    return heard
