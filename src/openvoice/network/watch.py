"""Tells when the ways of this device into the network came or went, and when the device had slept.

Where the system tells of changes they are heard at once; several in a row are one. Elsewhere it is asked once a
second. After sleep everything may be different, and nobody tells: the clock does.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress

from openvoice.network import system
from openvoice.network.ways import Ways

TICK = 1.0
"""Seconds between two looks at the clock, and at the addresses where the system does not tell."""
SLEPT = 3.0
"""Seconds that a tick is late after sleep; a busy machine is less so."""
SETTLING = 0.05
"""Seconds without another change until changes count as over ..."""
SETTLING_LIMIT = 0.2
"""... and the most that is waited for that."""
MOST_AT_ONCE = 64
"""Datagrams that are read before others get their turn."""


class SystemNetworkWatch:
    """A :class:`~openvoice.ports.NetworkWatch` of this machine. ``look``, ``listen`` and ``clock`` are the system."""

    def __init__(
        self,
        changed: Callable[[], None],
        *,
        look: Callable[[], Ways] = system.current_ways,
        listen: Callable[[], socket.socket] = system.change_socket,
        clock: Callable[[], float] = system.elapsed,
    ) -> None:
        self._changed = changed
        self._look = look
        self._listen = listen
        self._clock = clock
        self._known: Ways = frozenset()
        self._socket: socket.socket | None = None
        self._tick: asyncio.TimerHandle | None = None
        self._ticked = 0.0
        self._settling: asyncio.TimerHandle | None = None
        self._settled_by = 0.0

    def start(self) -> None:
        with suppress(OSError):
            self._socket = self._listen()
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._hear)
        self._known = self._look()
        self._wait()

    def interface_of(self, address: str) -> str:
        return system.interface_of(address)

    def close(self) -> None:
        for timer in (self._tick, self._settling):
            if timer is not None:
                timer.cancel()
        self._tick = self._settling = None
        self._stop_listening()

    def _stop_listening(self) -> None:
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _hear(self) -> None:
        assert self._socket is not None
        for _ in range(MOST_AT_ONCE):
            try:
                self._socket.recv(1)
            except BlockingIOError:
                break
            except OSError as error:
                # More happened than fits in the buffer: that is a change as well.
                if error.errno != errno.ENOBUFS:
                    self._stop_listening()
                    break
        loop = asyncio.get_running_loop()
        if self._settling is None:
            self._settled_by = loop.time() + SETTLING_LIMIT
        else:
            self._settling.cancel()
        self._settling = loop.call_at(min(loop.time() + SETTLING, self._settled_by), self._settle)

    def _settle(self) -> None:
        self._settling = None
        self._compare()

    def _wait(self) -> None:
        self._ticked = self._clock()
        self._tick = asyncio.get_running_loop().call_later(TICK, self._handle_tick)

    def _handle_tick(self) -> None:
        slept = self._clock() - self._ticked > TICK + SLEPT
        self._wait()
        if slept or self._socket is None:
            self._compare(slept)

    def _compare(self, slept: bool = False) -> None:
        known, self._known = self._known, self._look()
        if slept or self._known != known:
            self._changed()
