"""What to ask for again, and what to give again (generic NACK: RFC 4585, 6.2.1). Pure.

Only what can come in time is asked for, so only where the round trip is short. What is given is the protected packet as
it was sent the first time: with the same index and the same octets SRTP allows it (RFC 3711, 3.3), and the peer's
replay protection drops it if it was not missing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from openvoice.media.unwrap import Unwrapper

LONGEST_ROUND_TRIP = 0.06
"""Seconds. What takes longer comes too late, however long the playout waits for other reasons."""
LONGEST_GAP = 2
"""Packets missing in a row that are asked for: of more the first would come too late, and the rest help little."""
_ATTEMPTS = 3
_PAUSE = 0.01
"""Seconds more than the round trip to wait before one is asked for once more."""
_ASKED_PER_SECOND, _ASKED_AT_ONCE = 20.0, 12.0
_GIVEN_PER_SECOND, _GIVEN_AT_ONCE = 20.0, 12.0
"""Four packets in ten, whatever is asked for: nobody makes this side send much more than it does anyhow."""
_GIVEN_OFTEN = 3
_REMEMBERED = 64
_REMEMBERED_PACKETS, _WORTH_WAITING = 150, 0.08
"""The share of packets that is missing, of so many on a moving average, above which speech gains more by their coming
again than it loses by waiting for them. With less, what Opus itself repeats is nearly as good."""


class Allowance:
    """So many things a second on average, so many at once."""

    def __init__(self, per_second: float, at_once: float) -> None:
        self._per_second = per_second
        self._most = self._left = at_once
        self._time: float | None = None

    def take(self, now: float) -> bool:
        """Whether one more is allowed at ``now``, in seconds; if so, it is taken."""
        if self._time is not None:
            self._left = min(self._most, self._left + self._per_second * max(0.0, now - self._time))
        self._time = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(slots=True)
class _Missing:
    noticed: float
    behind: float
    """Seconds that it was late when it was noticed."""
    asked: float = 0.0
    attempts: int = 0


class Requests:
    """What this side misses of one stream. A packet that turns out to be late, not lost, makes it more patient."""

    def __init__(self) -> None:
        self._begin()
        self._allowance = Allowance(_ASKED_PER_SECOND, _ASKED_AT_ONCE)

    def _begin(self) -> None:
        self._sequences = Unwrapper(16)
        self._highest: int | None = None
        self._missing: dict[int, _Missing] = {}
        self._patience = 0.0
        self._share = 0.0
        self.regretted: int | None = None
        """The sequence number (16 bits) that is missing right before the last packet."""

    def received(
        self, sequence: int, now: float, *, round_trip: float | None, wait: float, length: float
    ) -> tuple[int, ...]:
        """A packet of ``length`` seconds came at ``now``; the sequence numbers to ask for, in order.

        Sound is waited for ``wait`` seconds after its time.
        """
        number = self._sequences.unwrap(sequence)
        if self._highest is not None and self._highest - number > _REMEMBERED:
            # Nothing is so late: another stream has begun.
            self._begin()
            number = self._sequences.unwrap(sequence)
        found = range(0)
        known = self._missing.pop(number, None)
        if known is not None and known.attempts and round_trip is not None and now - known.asked < 0.5 * round_trip:
            self._patience = max(self._patience, now - known.noticed)
        if self._highest is None or not 0 < number - self._highest <= LONGEST_GAP + 1:
            if self._highest is not None and number - self._highest > 1:
                self._missing.clear()
        else:
            found = range(self._highest + 1, number)
            self._missing |= {each: _Missing(now, length * (number - each)) for each in found}
        self._highest = number if self._highest is None else max(self._highest, number)
        if round_trip is None or round_trip > LONGEST_ROUND_TRIP:
            self._missing.clear()
            self.regretted = None
            return ()
        self._share += (len(found) - self._share * (len(found) + 1)) / _REMEMBERED_PACKETS
        self.regretted = found[-1] & 0xFFFF if found else None
        return tuple(self._due(now, round_trip, wait))

    def worth(self, round_trip: float, length: float) -> float:
        """Seconds that sound in packets of ``length`` seconds should wait for one that was lost.

        Where much is lost, until it is noticed, asked for and given; else until the next one, which repeats it roughly.
        """
        return length + round_trip + _PAUSE if self._share >= _WORTH_WAITING else length

    def _due(self, now: float, round_trip: float, wait: float) -> list[int]:
        due = []
        for number, missing in list(self._missing.items()):
            if missing.behind + now - missing.noticed + round_trip > wait or missing.attempts == _ATTEMPTS:
                del self._missing[number]
            elif now >= (
                missing.asked + round_trip + _PAUSE if missing.attempts else missing.noticed + self._patience
            ) and self._allowance.take(now):
                missing.asked = now
                missing.attempts += 1
                due.append(number & 0xFFFF)
        return due


class Answers:
    """Which requests of the peer are met: each packet a few times, and not too many of them."""

    def __init__(self) -> None:
        self._allowance = Allowance(_GIVEN_PER_SECOND, _GIVEN_AT_ONCE)
        self._given: deque[int] = deque(maxlen=_REMEMBERED)

    def allows(self, sequence: int, now: float) -> bool:
        """Whether ``sequence`` is sent again at ``now``."""
        if self._given.count(sequence) >= _GIVEN_OFTEN or not self._allowance.take(now):
            return False
        self._given.append(sequence)
        return True
