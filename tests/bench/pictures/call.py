"""Makes one call of the bench of video over the relay."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.bench.pictures.chromium_end import ChromiumEnd
from tests.bench.pictures.ends import End, ProcessEnd
from tests.bench.pictures.link import Link, LinkCount
from tests.bench.pictures.rows import Row
from tests.bench.pictures.take import Orders, Take
from tests.bench.relay import Relay

SYSTEMS = ("openvoice", "aiortc", "chromium")
CONNECTED_WITHIN = 40.0
"""Seconds."""
CORES = (0, 1)


async def call(system: str, row: Row, seed: int, relay: Relay, number: int) -> Take:
    """One call. Raises ``EndFailed``, ``ChromiumError`` or ``TimeoutError`` where it does not come about."""
    orders = Orders(width=row.width, height=row.height, rate=row.rate, seconds=row.seconds, shows=True)
    module: Any = importlib.import_module(f"tests.bench.pictures.{system}_end")
    networks = tuple(replace(network, seed=seed) for network in row.networks)
    ports = relay.open(number, Link(networks, module.VOICE_TYPES))
    pins = CORES if row.duplex else (None, None)
    first = _end(system, replace(orders, core=pins[0]))
    second = _end(system, replace(orders, core=pins[1], shows=row.duplex))
    try:
        async with asyncio.timeout(CONNECTED_WITHIN):
            await _connect(first, second, module.relayed, ports)
        relay.begin(number)
        one, other = await asyncio.gather(first.run(), second.run())
    finally:
        count = relay.end(number)
        await asyncio.gather(first.close(), second.close(), return_exceptions=True)
        relay.close(number)
    assert isinstance(count, LinkCount)
    return Take(
        first=one,
        second=other,
        begin=count.begin,
        datagrams=tuple(count.datagrams),
        stalls=count.stalls,
        networks=networks,
    )


async def _connect(first: End, second: End, relayed: Callable[[Any, int], Any], ports: tuple[int, int]) -> None:
    answer = await second.answer(relayed(await first.offer(), ports[0]))
    await first.accept(relayed(answer, ports[1]))
    await asyncio.gather(first.connected(), second.connected())


def _end(system: str, orders: Orders) -> End:
    return ChromiumEnd(orders) if system == "chromium" else ProcessEnd(system, orders)
