"""What the history keeps of a call."""

from __future__ import annotations

from typing import Any

from openvoice.client.call import Call
from openvoice.core.events import CallEnded
from openvoice.core.types import Direction, EndReason, Origin


def record_of(call: Call, event: CallEnded, now: float) -> dict[str, Any]:
    """The record of a call that ended at ``now`` (Unix time); ``docs/events.md`` is its schema."""
    return {
        "call": call.id,
        "time": call.timeline[0].time if call.timeline else now,
        "direction": call.direction.value,
        "peer": str(call.peer.bare),
        "outcome": _outcome(call, event),
        **event.as_dict(),
    }


def _outcome(call: Call, event: CallEnded) -> str:
    """What became of the call, in the words of the history."""
    if event.duration:
        return "answered"
    if event.origin is Origin.ELSEWHERE:
        return "answered-elsewhere" if event.reason is EndReason.SUCCESS else "declined-elsewhere"
    if call.direction is Direction.INCOMING and event.reason in _MISSED:
        return "missed"
    # Given up after the answer and before the first sound: no call took place.
    return EndReason.CANCEL.value if event.reason is EndReason.SUCCESS else event.reason.value


_MISSED = frozenset({EndReason.CANCEL, EndReason.EXPIRED, EndReason.TIMEOUT})
