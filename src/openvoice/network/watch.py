"""Tells when the ways of this device into the network came or went."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from openvoice.network.addresses import Ways, current_ways

POLL_INTERVAL = 1.0
"""Seconds between two looks where the system does not tell."""


class SystemNetworkWatch:
    """A :class:`~openvoice.ports.NetworkWatch` of this machine."""

    def __init__(self, changed: Callable[[], None], look: Callable[[], Ways] = current_ways) -> None:
        self._changed = changed
        self._look = look
        self._known: Ways = frozenset()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._known = self._look()
        self._wait()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(POLL_INTERVAL, self._poll)

    def _poll(self) -> None:
        self._wait()
        known, self._known = self._known, self._look()
        if self._known != known:
            self._changed()
