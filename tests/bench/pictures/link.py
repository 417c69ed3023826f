"""The way of the first end's packets through the relay, where pictures and voice share it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.bench.pictures.take import Datagram
from tests.bench.relay import Count, Flow, is_rtp
from tests.media.audio.network import Network, Way


@dataclass(slots=True)
class LinkCount(Count):
    """What came, packet by packet."""

    begin: float = 0.0
    datagrams: list[Datagram] = field(default_factory=list)


class Link(Flow):
    """All RTP passes one network after the other; ``voice`` are the payload types of the voice.

    Stalls are those of the relay only: pictures leave in bursts, as their sender likes.
    """

    def __init__(self, networks: Sequence[Network], voice: frozenset[int]) -> None:
        super().__init__(networks[0])
        self.networks, self.voice = tuple(networks), voice
        self._ways: list[Way] = []
        self._link_count = LinkCount()

    def begin(self, now: float) -> None:
        Flow.begin(self, now)
        self._ways = [Way(network) for network in self.networks]
        self.count = self._link_count = LinkCount(begin=now)

    def pass_on(self, datagram: bytes, now: float) -> float | None:
        if not self._ways or not is_rtp(datagram):
            return Flow.pass_on(self, datagram, now)
        voice = datagram[1] & 0x7F in self.voice
        arrival: float | None = now
        for way in self._ways:
            if arrival is not None:
                arrival = way.arrival(arrival, len(datagram))
        count = self._link_count
        held = None if arrival is None else arrival - now
        timestamp = struct.unpack_from("!I", datagram, 4)[0]
        count.datagrams.append(Datagram(now - count.begin, len(datagram), voice, held, timestamp))
        count.packets += 1
        count.octets += len(datagram)
        count.lost += arrival is None
        return arrival
