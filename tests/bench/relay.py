"""A network between two ends of each call: a UDP relay, in a process of its own so that nothing makes it late.

Each call has two sockets. An end sends to one of them what is for the other end, and believes that the other end is
there. From the first end to the second, RTP meets the :class:`~tests.media.audio.network.Network`; RTCP, STUN, DTLS and
the way back only its ``delay``. Until :meth:`Relay.begin` everything passes at once.
"""

from __future__ import annotations

import heapq
import itertools
import multiprocessing
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from openvoice.ports import SAMPLE_RATE
from tests.media.audio.network import HEADERS, Network, Way

LATE = 0.03
"""Seconds from which a send or a read counts as a stall of the machine."""
RECEIVE_OCTETS = 2048
BEFORE_KNOWN = 16
"""Datagrams kept for an end that has not said anything yet."""

_STAMP = 35
"""``SO_TIMESTAMPNS`` of Linux: with each datagram comes the time when the kernel took it."""
Address = tuple[str, int]


def is_rtp(datagram: bytes) -> bool:
    """RFC 7983, 7 and RFC 5761, 4."""
    return len(datagram) >= 12 and 128 <= datagram[0] <= 191 and not 192 <= datagram[1] <= 223


def is_padding(datagram: bytes) -> bool:
    """Whether an RTP packet is padded: what Chromium probes the network with is nothing but padding."""
    return bool(datagram[0] & 0x20)


@dataclass(slots=True)
class Count:
    """What came from the first end since the begin. Probes are counted apart."""

    packets: int = 0
    octets: int = 0
    lost: int = 0
    probe_octets: int = 0
    control_octets: int = 0
    stalls: int = 0
    """Packets that the sender sent, or this relay took or passed on, more than :data:`LATE` late."""
    latest: float = 0.0
    """Seconds."""
    first: float = 0.0
    """When the first packet came, by the clock of the wall."""
    seconds: float = 0.0

    def note(self, late: float) -> None:
        self.latest = max(self.latest, late)
        self.stalls += late > LATE

    def kilobits(self, *, headers: bool = False) -> float:
        """kbit/s on the wire: SRTP alone, or with the headers of IPv4 and UDP."""
        octets = self.octets + (HEADERS * self.packets if headers else 0)
        return octets * 8 / 1000 / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class Flow:
    """The first end's packets: counted, compared with their timestamps, and sent on their way."""

    network: Network
    way: Way | None = None
    probes: Way | None = None
    count: Count = field(default_factory=Count)
    _begun: float = 0.0
    _newest: int | None = None
    _due: float = 0.0

    def begin(self, now: float) -> None:
        self.way = Way(self.network)
        # Probes must not shift the fates of what carries sound.
        self.probes = Way(self.network)
        self.count = Count()
        self._begun, self._newest = now, None

    def end(self, now: float) -> Count:
        self.way = self.probes = None
        self.count.seconds = now - self._begun
        return self.count

    def pass_on(self, datagram: bytes, now: float) -> float | None:
        """When the datagram arrives, or ``None``: never."""
        if self.way is None or self.probes is None:
            return now
        if not is_rtp(datagram):
            self.count.control_octets += len(datagram)
            return now + self.network.delay
        if is_padding(datagram):
            self.count.probe_octets += len(datagram)
            return self.probes.arrival(now, len(datagram))
        self.count.first = self.count.first or now
        self.count.packets += 1
        self.count.octets += len(datagram)
        self._compare(struct.unpack_from("!I", datagram, 4)[0], now)
        arrival = self.way.arrival(now, len(datagram))
        self.count.lost += arrival is None
        return arrival

    def _compare(self, timestamp: int, now: float) -> None:
        """Note by how much a packet leaves later than the one before it did, by the sender's own clock."""
        step = 0 if self._newest is None else (timestamp - self._newest) % 2**32
        if self._newest is None or SAMPLE_RATE < step < 2**31:
            self._due = now
        elif 0 < step <= SAMPLE_RATE:
            self._due += step / SAMPLE_RATE
            late = now - self._due
            self.count.note(late)
            # The earliest packets show the sender's clock; it may go a little wrong.
            self._due += min(late, 0.01 * step / SAMPLE_RATE)
        else:
            # Sent again.
            return
        self._newest = timestamp


class _Call:
    """The sockets of one call. What comes to ``to_second`` is from the first end, and leaves by ``to_first``."""

    def __init__(self, network: Network | Flow) -> None:
        self.flow = network if isinstance(network, Flow) else Flow(network)
        self.to_first, self.to_second = _socket(), _socket()
        self.first: Address | None = None
        self.second: Address | None = None
        self.early: list[tuple[bool, bytes]] = []

    @property
    def ports(self) -> tuple[int, int]:
        """Where the second end finds the first, and where the first finds the second."""
        return self.to_first.getsockname()[1], self.to_second.getsockname()[1]

    def send(self, forward: bool, datagram: bytes) -> None:
        target, by = (self.second, self.to_first) if forward else (self.first, self.to_second)
        if target is None:
            self.early = [*self.early, (forward, datagram)][-BEFORE_KNOWN:]
            return
        try:
            by.sendto(datagram, target)
        except OSError:
            # The other end has closed already.
            return

    def known(self, forward: bool, address: Address) -> None:
        """Who sends is who is there."""
        if (self.first if forward else self.second) is not None:
            return
        if forward:
            self.first = address
        else:
            self.second = address
        early, self.early = self.early, []
        for way, datagram in early:
            self.send(way, datagram)

    def close(self) -> None:
        self.to_first.close()
        self.to_second.close()


def _socket() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    made.setsockopt(socket.SOL_SOCKET, _STAMP, 1)
    made.setblocking(False)
    made.bind(("", 0))
    return made


class _Loop:
    """Runs in the process of the relay."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders
        self._calls: dict[int, _Call] = {}
        self._readers: dict[int, tuple[socket.socket, _Call, bool]] = {}
        self._waiting: list[tuple[float, int, _Call, bool, bytes]] = []
        self._turn = itertools.count()

    def run(self) -> None:
        while True:
            due = self._waiting[0][0] - time.time() if self._waiting else 1.0
            # Of all ways to wait this is the one that counts in microseconds.
            ready, _, _ = select.select([*self._readers, self._orders.fileno()], [], [], max(0.0, due))
            for descriptor in ready:
                if descriptor in self._readers:
                    self._read(*self._readers[descriptor])
                elif not self._obey():
                    return
            now = time.time()
            while self._waiting and self._waiting[0][0] <= now:
                arrival, _, call, forward, datagram = heapq.heappop(self._waiting)
                if call.flow.way is not None:
                    call.flow.count.note(now - arrival)
                call.send(forward, datagram)

    def _read(self, reader: socket.socket, call: _Call, forward: bool) -> None:
        while True:
            try:
                datagram, extra, _, address = reader.recvmsg(RECEIVE_OCTETS, 64)
            except (BlockingIOError, ConnectionError):
                return
            call.known(forward, address)
            # The kernel's clock: what this process does later is not the sender's fault, nor a part of the network.
            came = _came(extra)
            flow = call.flow
            if flow.way is not None:
                flow.count.note(time.time() - came)
            if forward:
                arrival = flow.pass_on(datagram, came)
            else:
                arrival = came + (flow.network.delay if flow.way is not None else 0.0)
            if arrival is not None:
                heapq.heappush(self._waiting, (arrival, next(self._turn), call, forward, datagram))

    def _obey(self) -> bool:
        try:
            order, number, network = self._orders.recv()
        except EOFError:
            return False
        answer: Any = None
        if order == "open":
            call = self._calls[number] = _Call(network)
            for reader, forward in ((call.to_second, True), (call.to_first, False)):
                self._readers[reader.fileno()] = (reader, call, forward)
            answer = call.ports
        elif order == "begin":
            self._calls[number].flow.begin(time.time())
        elif order == "end":
            answer = self._calls[number].flow.end(time.time())
        elif order == "close":
            call = self._calls.pop(number)
            for reader in (call.to_first, call.to_second):
                del self._readers[reader.fileno()]
            call.close()
        self._orders.send(answer)
        return True


def _came(extra: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == _STAMP and len(data) >= 16:
            seconds, nanoseconds = struct.unpack_from("@qq", data)
            return float(seconds + nanoseconds / 1e9)
    return time.time()


class Relay:
    """The relay as the bench sees it."""

    def __init__(self, orders: Connection) -> None:
        self._orders = orders

    def open(self, call: int, network: Network | Flow) -> tuple[int, int]:
        """The port where the second end finds the first, and where the first finds the second."""
        ports: tuple[int, int] = self._order("open", call, network)
        return ports

    def begin(self, call: int) -> None:
        """From now on the network is bad, and everything counts."""
        self._order("begin", call)

    def end(self, call: int) -> Count:
        """From now on everything passes again."""
        count: Count = self._order("end", call)
        return count

    def close(self, call: int) -> None:
        self._order("close", call)

    def _order(self, order: str, call: int, network: Network | Flow | None = None) -> Any:
        self._orders.send((order, call, network))
        return self._orders.recv()


def _serve(orders: Connection) -> None:
    try:
        _Loop(orders).run()
    except KeyboardInterrupt:
        return


@contextmanager
def relay() -> Iterator[Relay]:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,), name="relay", daemon=True)
    process.start()
    theirs.close()
    try:
        yield Relay(ours)
    finally:
        ours.close()
        process.join()
