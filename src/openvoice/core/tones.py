"""Which tone the user hears, by what happens to the calls. What is said here is never sent to anybody."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.events import (
    CallAccepted,
    CallConnected,
    CallEnded,
    CallEvent,
    CallIncoming,
    CallRinging,
    CallSecured,
)
from openvoice.core.types import EndReason, Origin


class Tone(StrEnum):
    """What there is to hear beside calls."""

    RING = "ring"
    """Somebody calls; on the ring device."""
    RING_BACK = "ring-back"
    """A device of the peer rings. Until the call is taken."""
    BUSY = "busy"
    """The peer is in another call. For two seconds."""
    ENDED = "ended"
    """The call ended, and not by this user. Once, short."""

    @property
    def lasts(self) -> bool:
        """Whether it goes on until something happens."""
        return self in (Tone.RING, Tone.RING_BACK)


@dataclass(slots=True)
class _Call:
    tone: Tone | None = None
    """What is heard of it as long as it lasts."""
    incoming: bool = False
    taken: bool = False


class ToneChoice:
    """Listens to the events of all calls of a user."""

    def __init__(self) -> None:
        self._calls: dict[str, _Call] = {}

    @property
    def lasting(self) -> Tone | None:
        """What is heard until something happens."""
        tones = {known.tone for known in self._calls.values()}
        return next((tone for tone in (Tone.RING, Tone.RING_BACK) if tone in tones), None)

    def hear(self, call: str, event: CallEvent, *, answered_alone: bool = False) -> Tone | None:
        """What is heard once, now, if nothing lasting is. ``answered_alone``: nobody is asked about this call."""
        known = self._calls.setdefault(call, _Call())
        match event:
            case CallIncoming():
                known.incoming = True
                known.tone = None if answered_alone else Tone.RING
            case CallRinging() if not known.incoming and not known.taken:
                known.tone = Tone.RING_BACK
            case CallAccepted() | CallSecured() | CallConnected():
                known.tone, known.taken = None, True
            case CallEnded():
                del self._calls[call]
                return _farewell(known, event)
        return None


def _farewell(known: _Call, end: CallEnded) -> Tone | None:
    if end.origin in (Origin.LOCAL, Origin.ELSEWHERE) and end.reason in (EndReason.SUCCESS, EndReason.CANCEL):
        return None
    if known.incoming and not known.taken:
        return None
    return Tone.BUSY if end.reason is EndReason.BUSY else Tone.ENDED
