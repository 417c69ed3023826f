"""What is missing of a stream of pictures, and when it is asked for again (generic NACK: RFC 4585, 6.2.1). Pure.

Packets are known by numbers that do not wrap, times are seconds of any steady clock. A gap is asked for as soon as it
is seen. What does not come within the round trip is asked for once more, and then twice in each: what was lost may have
been the request or the answer, and every round trip more is a picture that stands still.
"""

from __future__ import annotations

from dataclasses import dataclass

MOST_MISSING = 300
"""Packets. Of more than a second of usual pictures, a new key picture costs less."""
LONGEST_AGE = 1.0
"""Seconds after which nobody waits for a packet any more."""
MOST_ATTEMPTS = 10
_ROUND_TRIP = 0.1
"""Seconds that are taken for the round trip until it is known."""
_SHORTEST_PAUSE, _PAUSE = 0.02, 0.01
"""Seconds between two requests at least, and beyond the round trip until the second one: the peer has a pace."""
_MOST_PATIENCE = 0.02
_FORGETTING = 0.95
"""What remains of the patience with each gap that was a loss after all."""


@dataclass(slots=True)
class _Missing:
    noticed: float
    due: float
    attempts: int = 0
    asked: float = 0.0


class Requests:
    """What this side misses of one stream. A packet that was only late makes it more patient for a while."""

    def __init__(self) -> None:
        self._highest: int | None = None
        self._missing: dict[int, _Missing] = {}
        self._patience = 0.0
        self._given_up: int | None = None
        self.count = 0
        """Sequence numbers asked for."""

    @property
    def hopeless(self) -> bool:
        """Whether something that was given up is still needed."""
        return self._given_up is not None

    @property
    def missing_since(self) -> float | None:
        """When the oldest of what is missing was noticed; ``None`` if nothing is."""
        return next(iter(self._missing.values())).noticed if self._missing else None

    def was_asked(self, number: int) -> bool:
        """Whether the packet is missing and was asked for."""
        missing = self._missing.get(number)
        return missing is not None and missing.attempts > 0

    def received(self, number: int, now: float, round_trip: float | None) -> None:
        """A packet came, as it was sent first or again."""
        missing = self._missing.pop(number, None)
        if missing is not None and missing.attempts:
            late = now - missing.asked < 0.5 * (round_trip or _ROUND_TRIP) and missing.attempts == 1
            longer = min(_MOST_PATIENCE, now - missing.noticed) if late else 0.0
            self._patience = max(longer, self._patience * _FORGETTING)
        if self._highest is None or number <= self._highest:
            self._highest = number if self._highest is None else self._highest
            return
        found = range(self._highest + 1, number)
        self._highest = number
        if len(found) + len(self._missing) > MOST_MISSING:
            self._missing.clear()
            self._given_up = number - 1
            return
        for each in found:
            self._missing[each] = _Missing(noticed=now, due=now + self._patience)

    def forget_before(self, number: int) -> None:
        """Nobody needs what is older."""
        for each in [each for each in self._missing if each < number]:
            del self._missing[each]
        if self._given_up is not None and self._given_up < number:
            self._given_up = None

    @property
    def deadline(self) -> float | None:
        """When to look at :meth:`due` next; ``None`` if nothing is missing."""
        return min((missing.due for missing in self._missing.values()), default=None)

    def due(self, now: float, round_trip: float | None) -> list[int]:
        """The numbers to ask for at ``now``, in order. What is too old is given up."""
        numbers = []
        for number, missing in list(self._missing.items()):
            if now < missing.due:
                continue
            if missing.attempts == MOST_ATTEMPTS or now - missing.noticed >= LONGEST_AGE:
                del self._missing[number]
                self._given_up = max(number, self._given_up or number)
                continue
            trip = round_trip or _ROUND_TRIP
            missing.due = now + (max(_SHORTEST_PAUSE, 0.5 * trip) if missing.attempts else trip + _PAUSE)
            missing.attempts += 1
            missing.asked = now
            numbers.append(number)
        self.count += len(numbers)
        return sorted(numbers)
