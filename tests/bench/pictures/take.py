"""What two ends of a call of the bench of video saw of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from openvoice.media.video.stamp import write_stamp
from tests.bench.pictures.clip import Pixels, number_of, place
from tests.media.audio.network import Network

KEPT_OF, KEPT = 15, 7
"""Of so many pictures one is kept, to be compared with what was sent: two a second."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Orders:
    """What an end has to do: show pictures of these sides so many times a second, or only look; for so long; on which
    core, or on any."""

    width: int
    height: int
    rate: float
    seconds: float
    shows: bool
    core: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A picture at the moment when it was shown. ``kept``: its luminance, of some."""

    number: int
    time: float
    width: int
    height: int
    kept: Pixels | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EndTake:
    """Of one end. ``sent`` says when each number was given to the system. ``concealed`` is the share of the sound that
    was made up. ``cpu_pct`` is of one core."""

    sent: dict[int, float]
    seen: tuple[Seen, ...]
    concealed: float | None
    cpu_pct: float


class Camera:
    """Gives each picture of the clip with its number, and notes when."""

    def __init__(self, pictures: list[Pixels]) -> None:
        self._pictures = pictures
        self.sent: dict[int, float] = {}

    def picture(self, number: int) -> Pixels:
        data = self._pictures[place(number, len(self._pictures))].copy()
        write_stamp(data, number)
        self.sent[number] = time.time()
        return data

    def pace(self, rate: float, running: Callable[[], bool], deliver: Callable[[Pixels], None]) -> None:
        """As a camera does: what nobody had time for is skipped. Returns when ``running`` says no."""
        begin, number = time.monotonic(), 0
        while running():
            due = begin + number / rate
            now = time.monotonic()
            if now < due:
                time.sleep(due - now)
            else:
                number += int((now - due) * rate)
            deliver(self.picture(number))
            number += 1


@dataclass(slots=True)
class Watcher:
    """Notes each picture that is shown."""

    seen: list[Seen] = field(default_factory=list)

    def see(self, luminance: npt.NDArray[np.uint8]) -> None:
        now = time.time()
        number = number_of(luminance)
        if number is None or (self.seen and number == self.seen[-1].number):
            return
        kept = luminance.copy() if number % KEPT_OF == KEPT else None
        height, width = luminance.shape
        self.seen.append(Seen(number=number, time=now, width=width, height=height, kept=kept))


@dataclass(frozen=True, slots=True)
class Datagram:
    """One RTP packet of the first end at the relay: when it came (seconds after the begin), its octets, whether it
    was of the voice, how long it was held back (``None``: lost), and its RTP timestamp."""

    time: float
    octets: int
    voice: bool
    held: float | None
    timestamp: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Take:
    """A whole call. ``begin`` is when the relay began to count."""

    first: EndTake
    second: EndTake
    begin: float
    datagrams: tuple[Datagram, ...]
    stalls: int
    networks: tuple[Network, ...]
