"""When a key picture is asked for (PLI: RFC 4585, 6.3.1; FIR: RFC 5104, 4.3.1). Pure; times are seconds."""

from __future__ import annotations

_SOON = 0.02
"""Seconds that a key picture may yet come without being asked for: packets overtake each other."""
_ARRIVING = 0.2
"""Seconds without a packet of it after which a key picture that has begun is not waited for."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.3, 4.0
"""Seconds between two requests, beyond the round trip: it doubles as long as none is answered."""


class KeyRequests:
    """Of one stream. Key pictures are dear: one that is on its way is not asked for again."""

    def __init__(self) -> None:
        self._wanted_since: float | None = None
        self._patient_until: float | None = None
        self._arriving_at: float | None = None
        self._asked_at: float | None = None
        self._unanswered = 0

    def want(self, now: float) -> None:
        """Nothing goes on without a key picture."""
        if self._wanted_since is None:
            self._wanted_since = now

    def wait(self, until: float | None) -> None:
        """Pictures wait for something missing, which may come ``until`` then; ``None``: they do not."""
        self._patient_until = until

    def arrive(self, now: float) -> None:
        """A packet of a key picture that would help came: the peer answers."""
        self._arriving_at = now
        self._unanswered = 0

    def satisfy(self) -> None:
        """A key picture is whole."""
        self._wanted_since = self._patient_until = self._arriving_at = None
        self._unanswered = 0

    def deadline(self, round_trip: float) -> float | None:
        """When :meth:`ask` is to be called; ``None`` while no key picture is needed."""
        if self._wanted_since is not None:
            due = self._wanted_since + _SOON
        elif self._patient_until is not None:
            due = self._patient_until
        else:
            return None
        if self._arriving_at is not None:
            due = max(due, self._arriving_at + _ARRIVING)
        if self._asked_at is not None:
            pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** max(0, self._unanswered - 1))
            due = max(due, self._asked_at + pause + round_trip)
        return due

    def ask(self, now: float, round_trip: float) -> bool:
        """Whether to ask at ``now``; the caller then does."""
        due = self.deadline(round_trip)
        if due is None or now < due:
            return False
        self._asked_at = now
        self._unanswered += 1
        return True
