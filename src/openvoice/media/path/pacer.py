"""When packets of pictures leave: never so many at once that voice would wait behind them. Pure.

A queue on the path delays voice as much as pictures, so what would wait there waits here, where voice passes it by.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

SLACK = 0.03
"""Seconds of the path's time that may be taken at once: a usual picture, and what voice waits behind it at most."""
HASTE = 1.2
"""Times the rate at which what waits leaves."""
LONGEST_WAIT = 1.0
"""Seconds after which pictures are too old to be sent, if a newer one waits."""
MOST_WAITING = 2000
"""Packets. A key picture of the largest size has a few hundred."""
LONGEST_AGAIN = 0.2
"""Seconds of what is sent again that may wait: more of it would keep out what is new, which may need none of it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A packet of ``octets`` on the wire, of ``owner``'s picture with that number; ``None`` for one that is sent again.

    ``leave`` sends it at the time that it is given.
    """

    owner: object
    picture: int | None
    octets: int
    since: float
    leave: Callable[[float], None]


class Pacer:
    """A queue in the order of arrival, but what is sent again goes first: the peer waits for it."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        """kbit/s on the wire; may be changed at any time."""
        self._again: deque[Waiting] = deque()
        self._pictures: deque[Waiting] = deque()
        self._octets = 0
        self._free_at = 0.0
        """When the path has carried all that left."""

    def add(self, packets: Sequence[Waiting]) -> None:
        """Let them wait, in order. Of what is sent again, what is too much is forgotten: it is asked for once more."""
        for packet in packets:
            if packet.picture is not None:
                self._pictures.append(packet)
            elif self._seconds(sum(waiting.octets for waiting in self._again)) < LONGEST_AGAIN:
                self._again.append(packet)
            else:
                continue
            self._octets += packet.octets

    def take(self, now: float) -> Waiting | None:
        """The next packet that may leave at ``now``, if there is one; it has to."""
        due = self.due
        if due is None or due > now:
            return None
        packet = (self._again or self._pictures).popleft()
        self._octets -= packet.octets
        self._free_at = max(self._free_at, now) + self._seconds(packet.octets)
        return packet

    @property
    def due(self) -> float | None:
        """When the next packet may leave; ``None`` while nothing waits."""
        return self._free_at - SLACK if self._again or self._pictures else None

    @property
    def backlog(self) -> float:
        """Seconds until all that waits will have left."""
        return self._seconds(self._octets)

    def drop_old(self, now: float) -> list[object]:
        """Drop all pictures of every owner that has some which are, or will be, too old; returns those owners.

        A single picture is never dropped: the one after it would have to be a key picture, and no smaller.
        """
        owners = dict.fromkeys(packet.owner for packet in self._pictures)
        return [owner for owner in owners if self._is_late(owner, now) and self.drop(owner)]

    def drop(self, owner: object) -> bool:
        """Drop everything of it: whether there was anything."""
        before = len(self._pictures) + len(self._again)
        self._pictures = deque(packet for packet in self._pictures if packet.owner is not owner)
        self._again = deque(packet for packet in self._again if packet.owner is not owner)
        self._octets = sum(packet.octets for packet in (*self._pictures, *self._again))
        return len(self._pictures) + len(self._again) < before

    def _seconds(self, octets: int) -> float:
        return octets * 8 / 1000 / (HASTE * self.rate)

    def _is_late(self, owner: object, now: float) -> bool:
        own = [packet for packet in self._pictures if packet.owner is owner]
        if len(own) >= MOST_WAITING:
            return True
        several = own[0].picture != own[-1].picture
        return several and max(now - own[0].since, self.backlog) > LONGEST_WAIT
