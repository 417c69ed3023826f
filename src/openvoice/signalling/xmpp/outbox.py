"""What was said and is not known to have arrived (XEP-0198), pure.

Nothing is lost when a resumption fails, and nothing overtakes when it succeeds. Whether the server took a stanza
before the session died can stay unknown: such a message is sent again under the same id, and the ``<origin-id/>``
(XEP-0359) lets whoever receives it notice.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from xml.etree.ElementTree import Element

_COUNTER = 2**32
"""Stanza counters start over there (XEP-0198, 4)."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One stanza.

    ``durable`` says that it outlives the session. After ``expires``, on the clock of :meth:`Outbox.take`, it is not
    written any more.
    """

    stanza: Element
    durable: bool
    expires: float | None = None


class Outbox:
    """Stanzas in the order in which they were given: those in flight, then those that wait."""

    def __init__(self) -> None:
        self._in_flight: deque[Entry] = deque()
        self._waiting: deque[Entry] = deque()
        self._managed = False
        self._acknowledged = 0

    def __len__(self) -> int:
        return len(self._in_flight) + len(self._waiting)

    @property
    def in_flight(self) -> int:
        """How many were written and not acknowledged."""
        return len(self._in_flight)

    @property
    def waiting(self) -> tuple[Element, ...]:
        """Those that were not written, or not in this session."""
        return tuple(entry.stanza for entry in self._waiting)

    def add(self, stanza: Element, *, durable: bool, expires: float | None = None) -> None:
        self._waiting.append(Entry(stanza, durable, expires))

    def take(self, now: float) -> Element | None:
        """The next stanza to write, which is in flight from now on. Those that expired are dropped."""
        while self._waiting:
            entry = self._waiting.popleft()
            if entry.expires is None or now < entry.expires:
                if self._managed:
                    self._in_flight.append(entry)
                return entry.stanza
        return None

    def managed(self) -> None:
        """The server counts from here (``<enabled/>``). Until then nothing tells what arrived, and nothing is kept."""
        self._managed = True
        self._acknowledged = 0

    def acknowledge(self, handled: int) -> None:
        """The server's count of stanzas (``<a/>``, ``<resumed/>``).

        Raises:
            ValueError: it counts more than was sent.
        """
        newly = (handled - self._acknowledged) % _COUNTER
        if newly > len(self._in_flight):
            raise ValueError(f"{newly} stanzas acknowledged, {len(self._in_flight)} in flight")
        for _ in range(newly):
            self._in_flight.popleft()
        self._acknowledged = handled

    def resumed(self, handled: int) -> None:
        """The session goes on; what the server did not get is first in line. Raises ``ValueError`` as above."""
        self.acknowledge(handled)
        self._waiting.extendleft(reversed(self._in_flight))
        self._in_flight.clear()

    def lost(self, handled: int | None = None) -> None:
        """The session is over. What is durable waits for the next one, in order; all else that was in flight is gone.

        ``handled`` is the server's last count, if it remembers (XEP-0198, 5).
        """
        if handled is not None and (handled - self._acknowledged) % _COUNTER <= len(self._in_flight):
            self.acknowledge(handled)
        self._waiting.extendleft(entry for entry in reversed(self._in_flight) if entry.durable)
        self._in_flight.clear()
        self._managed = False
        self._acknowledged = 0
