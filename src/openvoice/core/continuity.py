"""Whether the peer of an active call is still there, and what is done to keep it."""

from __future__ import annotations

from collections.abc import Iterator

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.types import Role

INTERRUPTION_LIMIT = 30.0
"""Seconds without the peer's media until the call is lost."""


class Continuity:
    """Of one session. Pure: time comes in as seconds of the clock of the machine."""

    def __init__(self) -> None:
        self._limit: float | None = None

    @property
    def deadline(self) -> float | None:
        """When something has to be done if nothing else happens."""
        return self._limit

    def lost(self, now: float) -> bool:
        """Whether the peer was away for too long."""
        return self._limit is not None and now >= self._limit

    def interrupted(self, role: Role, now: float) -> Iterator[e.Effect]:
        """Nothing comes from the peer any more."""
        if self._limit is None:
            self._limit = now + INTERRUPTION_LIMIT
            yield e.Notify(events.CallInterrupted())
            if role is Role.INITIATOR:
                yield e.RestartMedia()

    def restored(self) -> Iterator[e.Effect]:
        """It comes again."""
        if self._limit is not None:
            self._limit = None
            yield e.Notify(events.CallRestored())

    def restarted(self, message: i.RestartReceived) -> e.Effect:
        """The peer begins to restart ICE, or answers a restart of this side."""
        return e.ApplyRestart(message.credentials) if message.ours else e.RestartMedia(message.credentials)

    def left(self) -> None:
        """The session is over, and nothing of it matters any more."""
        self._limit = None
