"""A router with a bad line, in user space on loopback: real datagrams, no privileges, conditions that change."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import socket
from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self

from openvoice.testing.impairment import Conditions, Impairment
from openvoice.testing.nat import Endpoint, Nat, Permissions

LOOPBACK = "127.0.0.1"
_LARGEST_DATAGRAM = 65_535


class ImpairedLink:
    """Puts a device behind NAT and an impaired line, as an async context manager of the event loop that runs.

    The device sends to *gates* in place of the real addresses; whoever it speaks to sees an outside port of the link.
    Two devices that are each behind a link of their own are as two homes on the Internet::

                  gate               outside port
        device  ------->  [ link ]  ------------->  peer
                  up: conditions out, down: conditions in
    """

    def __init__(
        self,
        *,
        nat: Nat = Nat.NONE,
        up: Conditions | None = None,
        down: Conditions | None = None,
        seed: int = 0,
    ) -> None:
        """``up`` is from the device to the network, ``down`` back to it. The same seed draws the same fates."""
        self.nat = nat
        self.up = Impairment(up, seed=2 * seed)
        self.down = Impairment(down, seed=2 * seed + 1)
        self._refused = 0
        self._gates: dict[Endpoint, _Port] = {}
        self._mappings: dict[tuple[Endpoint, Endpoint | None], _Mapping] = {}
        self._lines: tuple[_Line, _Line] | None = None

    @property
    def refused(self) -> int:
        """How many datagrams from outside the NAT did not let in."""
        return self._refused

    async def __aenter__(self) -> Self:
        self._lines = (_Line(self.up), _Line(self.down))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for line in self._lines or ():
            line.close()
        for gate in self._gates.values():
            gate.close()
        for mapping in self._mappings.values():
            mapping.port.close()

    def change(self, conditions: Conditions) -> None:
        """Let ``conditions`` hold in both directions from now on."""
        self.up.conditions = self.down.conditions = conditions

    def cut(self, is_cut: bool = True) -> None:
        """Pull the cable, or plug it in again under the conditions of before."""
        for direction in (self.up, self.down):
            direction.conditions = replace(direction.conditions, cut=is_cut)

    def gate(self, target: Endpoint) -> Endpoint:
        """Where the device sends what is for ``target``, and where it hears ``target`` from."""
        return self._gate(target).endpoint

    def outside(self, device: Endpoint) -> Endpoint:
        """Where everybody can reach a socket of the device.

        Raises:
            ValueError: there is a NAT, which gives it no port before it sent something.
        """
        if self.nat is not Nat.NONE:
            raise ValueError("behind a NAT a device is not reachable before it sent something")
        return self._mapping(device, None).port.endpoint

    def _gate(self, target: Endpoint) -> _Port:
        if target not in self._gates:
            self._gates[target] = _Port(lambda data, device: self._leave(data, device, target))
        return self._gates[target]

    def _mapping(self, device: Endpoint, target: Endpoint | None) -> _Mapping:
        key = (device, target if self.nat.maps_by_destination else None)
        if key not in self._mappings:
            self._mappings[key] = _Mapping(self.nat, device, self._enter)
        return self._mappings[key]

    def _leave(self, data: bytes, device: Endpoint, target: Endpoint) -> None:
        mapping = self._mapping(device, target)
        mapping.permissions.sent_to.add(target)
        self._open_lines[0].carry(len(data), lambda: mapping.port.send(data, target))

    def _enter(self, mapping: _Mapping, data: bytes, sender: Endpoint) -> None:
        if not mapping.permissions.admits(sender):
            self._refused += 1
            return
        gate = self._gate(sender)
        self._open_lines[1].carry(len(data), lambda: gate.send(data, mapping.device))

    @property
    def _open_lines(self) -> tuple[_Line, _Line]:
        if self._lines is None:
            raise ValueError("the link is not open: use it in 'async with'")
        return self._lines


class _Mapping:
    """A socket of the device, as the outside sees it."""

    def __init__(self, nat: Nat, device: Endpoint, enter: Callable[[_Mapping, bytes, Endpoint], None]) -> None:
        self.device = device
        self.permissions = Permissions(nat)
        self.port = _Port(lambda data, sender: enter(self, data, sender))


class _Port:
    """A UDP socket that tells what comes, and never waits."""

    def __init__(self, receive: Callable[[bytes, Endpoint], None]) -> None:
        self._receive = receive
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind((LOOPBACK, 0))
        self.endpoint: Endpoint = self._socket.getsockname()
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._socket, self._read)

    def send(self, data: bytes, target: Endpoint) -> None:
        try:
            self._socket.sendto(data, target)
        except OSError:
            # A full buffer, or nobody there: a network loses such a datagram without a word.
            return

    def close(self) -> None:
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                data, sender = self._socket.recvfrom(_LARGEST_DATAGRAM)
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            self._receive(data, sender)


class _Line:
    """Carries datagrams, each at the time that the model says; those of one time in the order they came."""

    def __init__(self, impairment: Impairment) -> None:
        self._impairment = impairment
        self._loop = asyncio.get_running_loop()
        self._under_way: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._timer: asyncio.TimerHandle | None = None

    def carry(self, size: int, deliver: Callable[[], None]) -> None:
        for departure in self._impairment.departures(size, self._loop.time()):
            heapq.heappush(self._under_way, (departure, next(self._order), deliver))
        self._deliver_due()

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._under_way.clear()

    def _deliver_due(self) -> None:
        while self._under_way and self._under_way[0][0] <= self._loop.time():
            heapq.heappop(self._under_way)[2]()
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._under_way[0][0], self._deliver_due) if self._under_way else None
