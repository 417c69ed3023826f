"""A call with voice and pictures over one narrow link, on the loop whose time is virtual."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable

from openvoice.media.feedback.arrivals import ArrivalReport
from openvoice.media.path.allocation import Demand
from openvoice.media.path.sending import OVERHEAD, Outgoing, SendingPath
from openvoice.testing.impairment import Impairment

VOICE_OCTETS, FRAME, PICTURE = 181, 0.02, 1 / 30
"""Voice is 90 kbit/s on the wire."""
_LARGEST = 1150


class Pictures:
    """Thirty a second, as large as allowed, and five times that if all is to be seen anew; as an encoder makes them."""

    def __init__(self, path: SendingPath, *, least: float = 40.0, most: float = 4000.0, seed: int = 3) -> None:
        self.demand = Demand(least, most)
        self.rate = 0.0
        self.told: list[float] = []
        self.keys = 0
        self._path = path
        self._random = random.Random(seed)
        self._loop = asyncio.get_running_loop()
        self._key = True
        self._number = 0
        self._debt = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        self._path.join(self)
        self._draw()

    def stop(self) -> None:
        self._path.leave(self)
        if self._timer is not None:
            self._timer.cancel()

    def allocated(self, rate: float) -> None:
        if self.rate == 0:
            self._key = True
        self.rate = rate
        self.told.append(rate)

    def overtaken(self) -> None:
        self._key, self._debt = True, 0.0

    def _draw(self) -> None:
        self._timer = self._loop.call_later(PICTURE, self._draw)
        usual = self.rate * 1000 / 8 * PICTURE * 0.92
        self._debt = max(0.0, self._debt - usual)
        if self.rate == 0 or (self._debt > 6 * usual and not self._key):
            return
        octets = round(usual * (5 if self._key else self._random.uniform(0.6, 1.4)))
        self.keys += self._key
        self._key = False
        self._debt += octets
        self._number += 1
        sizes = [min(_LARGEST, octets - at) for at in range(0, octets, _LARGEST)]
        self._path.send(self, [Outgoing(size, self._number, self._packet(size)) for size in sizes])

    def _packet(self, size: int) -> Callable[[int, float], bytes]:
        return lambda number, now: struct.pack("!BHd", 1, number, now) + bytes(max(0, size - 11))


class NarrowCall:
    """Voice every 20 ms, and whatever pictures are started, over ``link``; the other side reports arrivals."""

    def __init__(self, link: Impairment, *, back: float = 0.02, silent: bool = False) -> None:
        self.link, self.back, self.silent = link, back, silent
        self.loop = asyncio.get_running_loop()
        self.path = SendingPath(self._transmit)
        self.voice: list[tuple[float, float]] = []
        """When each packet of voice came, and how long it took."""
        self.voice_sent = 0
        self.pictures: list[tuple[float, int]] = []
        """When packets of pictures came, and how large they are."""
        self._arrivals: dict[int, float] = {}
        self._next = 0
        self._messages = 0
        self._speak()
        self._tell()

    def rate(self, begin: float, end: float) -> float:
        """kbit/s of pictures on the wire that came in that time."""
        return sum(size for time, size in self.pictures if begin <= time < end) * 8 / 1000 / (end - begin)

    def late(self, begin: float, end: float, delay: float) -> float:
        """The share of voice of that time that was lost or took longer than ``delay``."""
        came = [taken for time, taken in self.voice if begin <= time - taken < end]
        return 1 - sum(taken <= delay for taken in came) * FRAME / (end - begin)

    def _speak(self) -> None:
        self.voice_sent += 1
        self.path.send_voice(struct.pack("!BHd", 0, 0, self.loop.time()) + bytes(VOICE_OCTETS - 11))
        self.loop.call_later(FRAME, self._speak)

    def _transmit(self, packet: bytes) -> None:
        kind, number, sent = struct.unpack_from("!BHd", packet)
        size = len(packet) + OVERHEAD
        for departure in self.link.departures(size - 28, self.loop.time()):
            self.loop.call_at(departure, self._arrive, kind, number, sent, size)

    def _arrive(self, kind: int, number: int, sent: float, size: int) -> None:
        now = self.loop.time()
        if kind:
            self.pictures.append((now, size))
            self._arrivals[self._next + (number - self._next + 2**15) % 2**16 - 2**15] = now
        else:
            self.voice.append((now, now - sent))

    def _tell(self) -> None:
        self.loop.call_later(0.1, self._tell)
        if not self._arrivals or self.silent:
            return
        begin, end = min(self._next, *self._arrivals), max(self._arrivals)
        reference = int(min(self._arrivals.values()) / 0.064)
        last = reference * 256
        deltas: list[int | None] = []
        for number in range(begin, end + 1):
            at = self._arrivals.get(number)
            deltas.append(None if at is None else round(at / 0.00025) - last)
            last = last if at is None else round(at / 0.00025)
        self._next, self._arrivals = end + 1, {}
        report = ArrivalReport(
            ssrc=1,
            media_ssrc=2,
            number=self._messages & 255,
            base=begin & 0xFFFF,
            reference=reference,
            deltas=tuple(deltas),
        )
        self._messages += 1
        self.loop.call_later(self.back, lambda: self.path.handle_rtcp([report], self.loop.time()))
