"""A network of the bench on the event loop's time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from tests.media.audio.network import Network

Packet = TypeVar("Packet")


class Impaired(Generic[Packet]):
    """Brings packets to ``deliver`` late, or never."""

    def __init__(self, network: Network, deliver: Callable[[Packet], None]) -> None:
        self._deliver = deliver
        self._fates = network.fates()
        self._reorder = network.reorder
        self._last = 0.0
        self._loop = asyncio.get_running_loop()

    def send(self, packet: Packet) -> None:
        late = next(self._fates)
        if late is None:
            return
        arrival = self._loop.time() + late
        if not self._reorder:
            arrival = self._last = max(arrival, self._last)
        self._loop.call_at(arrival, self._deliver, packet)
