"""What a client tells of all its calls and of its connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openvoice.core.events import CallEvent
from openvoice.core.types import CallId


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened: to a call, or to the connection (``call`` is ``None``).

    ``time`` is Unix time in seconds.
    """

    time: float
    name: str
    call: CallId | None
    event: CallEvent | None
    details: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """One line of ``--json``; ``docs/events.md`` is its schema."""
        return {"event": self.name, "time": self.time, "call": self.call, **self.details}
