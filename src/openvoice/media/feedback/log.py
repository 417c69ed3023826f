"""Which packets arrived, by their transport-wide numbers, and what of them is told next. Pure; times are seconds."""

from __future__ import annotations

from openvoice.media.feedback.arrivals import DELTA_SECONDS, MAXIMUM_STATUSES, REFERENCE_SECONDS, ArrivalReport
from openvoice.media.unwrap import Unwrapper

_REMEMBERED = 0.5
"""Seconds: a packet that came late is told of together with those after it, and they are told of again."""
_LONGEST_PAUSE = 5.0
"""Seconds without a packet after which the report begins anew: one can tell of eight."""
_TICKS = round(REFERENCE_SECONDS / DELTA_SECONDS)


class ArrivalLog:
    """Of one transport."""

    def __init__(self) -> None:
        self._begin()
        self._count = 0

    def _begin(self) -> None:
        self._numbers = Unwrapper(16)
        self._arrivals: dict[int, float] = {}
        """By number, those of the last report's time as well."""
        self._first_new: int | None = None
        self._highest = 0
        self._since = 0.0
        """When the first of the packets came that the next report is about, or else the last that came."""

    @property
    def waiting(self) -> int:
        """How many packets the next report is about."""
        return 0 if self._first_new is None else self._highest - self._first_new + 1

    def add(self, sequence: int, arrival: float) -> None:
        """The packet with the transport-wide number ``sequence`` (16 bits) came."""
        number = self._numbers.unwrap(sequence)
        first = self._highest if self._first_new is None else self._first_new
        far = max(number, self._highest) - min(number, first) >= MAXIMUM_STATUSES
        if self._arrivals and (far or arrival - self._since > _LONGEST_PAUSE):
            self._begin()
            number = self._numbers.unwrap(sequence)
        if number in self._arrivals:
            return
        self._highest = max(self._highest, number) if self._arrivals else number
        self._arrivals[number] = arrival
        if self._first_new is None:
            self._first_new, self._since = number, arrival
        self._first_new = min(self._first_new, number)

    def report(self, ssrc: int, media_ssrc: int) -> ArrivalReport | None:
        """What came since the last one, and what is missing between; ``None`` if nothing came."""
        if self._first_new is None:
            return None
        first = self._first_new
        ticks = round(self._arrivals[first] / DELTA_SECONDS)
        reference = ticks // _TICKS
        before = reference * _TICKS
        deltas: list[int | None] = []
        for number in range(first, self._highest + 1):
            arrival = self._arrivals.get(number)
            if arrival is None:
                deltas.append(None)
            else:
                after = round(arrival / DELTA_SECONDS)
                deltas.append(after - before)
                before = after
        while deltas[-1] is None:
            deltas.pop()
        self._forget()
        self._count += 1
        return ArrivalReport(
            ssrc=ssrc,
            media_ssrc=media_ssrc,
            number=(self._count - 1) & 0xFF,
            base=first & 0xFFFF,
            reference=(reference + 2**23) % 2**24 - 2**23,
            deltas=tuple(deltas),
        )

    def _forget(self) -> None:
        self._first_new = None
        self._since = max(self._arrivals.values())
        for number in [each for each, arrival in self._arrivals.items() if self._since - arrival > _REMEMBERED]:
            del self._arrivals[number]
