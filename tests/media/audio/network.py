"""A network made from a seed: which packets come, and when."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openvoice.media.audio.codec import Samples
from openvoice.media.audio.playout import PlayoutBuffer
from openvoice.ports import FRAME_SECONDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """``loss`` is a share, ``burst`` the mean length of a run of lost packets (Gilbert), ``jitter`` seconds."""

    loss: float = 0.0
    burst: float = 1.0
    jitter: float = 0.0
    delay: float = 0.0005
    reorder: bool = False
    seed: int = 1

    def fates(self) -> Iterator[float | None]:
        """For each packet in turn by how many seconds it is delayed, or ``None`` for lost."""
        chance = random.Random(self.seed)
        lost = False
        while True:
            if self.burst == 1:
                lost = chance.random() < self.loss
            else:
                leave = 1 / self.burst
                enter = leave * self.loss / (1 - self.loss)
                lost = chance.random() >= leave if lost else chance.random() < enter
            late = self.delay + chance.random() * self.jitter
            yield None if lost else late

    def arrivals(self, departures: Sequence[float]) -> list[tuple[float, int]]:
        """(arrival, index) of the packets that come, in the order of their coming."""
        last = 0.0
        arrivals = []
        for index, (departure, late) in enumerate(zip(departures, self.fates(), strict=False)):
            if late is not None:
                arrival = departure + late
                if not self.reorder:
                    arrival = last = max(arrival, last)
                arrivals.append((arrival, index))
        return sorted(arrivals)


def play(
    buffer: PlayoutBuffer,
    packets: Sequence[tuple[float, int, bytes]],
    *,
    until: float,
    phase: float = 0.007,
    payload_type: int = 111,
) -> list[Samples]:
    """Bring (arrival, timestamp, payload) to ``buffer`` and pull from it every 20 ms; the frames pulled."""
    waiting = sorted(packets, key=lambda packet: packet[0])
    place, heard = 0, []
    for tick in range(round(until / FRAME_SECONDS)):
        now = phase + tick * FRAME_SECONDS
        while place < len(waiting) and waiting[place][0] <= now:
            arrival, timestamp, payload = waiting[place]
            buffer.insert(payload_type, timestamp, payload, arrival)
            place += 1
        heard.append(buffer.pull(now))
    return heard
