"""What was sent under which transport-wide number, and what the peer says became of it. Pure.

draft-holmer-rmcat-transport-wide-cc-extensions-01: every packet of a transport has a number of its own, whatever stream
it is of; the peer reports when each came.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

_REMEMBERED = 4096
"""Packets: ten seconds at 4 Mbit/s. What is reported later tells nothing of the path as it is."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A packet of ``octets`` on the wire left at ``sent`` and came at ``arrived``, on the peer's clock, in seconds.

    ``None`` is for one that did not come.
    """

    sent: float
    arrived: float | None
    octets: int


@dataclass(slots=True)
class _Sent:
    time: float
    octets: int
    missed: bool = False


class SentPackets:
    """Numbers packets, and looks up what is reported of them, whatever nonsense that is."""

    def __init__(self) -> None:
        self._sent: OrderedDict[int, _Sent] = OrderedDict()
        self._next = 0

    @property
    def next(self) -> int:
        """The number of the packet that leaves next, in 16 bits."""
        return self._next & 0xFFFF

    def add(self, octets: int, now: float) -> None:
        """The packet with the next number leaves now."""
        self._sent[self._next] = _Sent(now, octets)
        self._next += 1
        if len(self._sent) > _REMEMBERED:
            self._sent.popitem(last=False)

    def forget(self) -> None:
        """Nothing is to be told of what was sent until now. Numbers go on."""
        self._sent.clear()

    def outcomes(self, reported: Iterable[tuple[int, float | None]]) -> list[Outcome]:
        """What is new in a report: pairs of a number and its arrival, ``None`` for one that is missing so far.

        A packet that was missing first and came after all is told twice; numbers that were never sent are passed over.
        """
        outcomes = []
        for number, arrived in reported:
            latest = self._next - 1
            known = latest - (latest - number & 0xFFFF)
            sent = self._sent.get(known)
            if sent is None or (arrived is None and sent.missed):
                continue
            if arrived is None:
                sent.missed = True
            else:
                del self._sent[known]
            outcomes.append(Outcome(sent.time, arrived, sent.octets))
        return outcomes
