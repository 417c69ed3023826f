"""What the end of a call means to whoever waits for it: no error, or a typed one with a sentence to act on."""

from __future__ import annotations

from openvoice.core.types import Direction, EndReason, Origin
from openvoice.errors import (
    Busy,
    CallFailed,
    Cancelled,
    Declined,
    MediaFailed,
    NoAnswer,
    PeerUnavailable,
    SecurityRefused,
)

_FAILURES: dict[EndReason, tuple[type[CallFailed], str]] = {
    EndReason.BUSY: (Busy, "{peer} is in another call: try again later"),
    EndReason.DECLINE: (Declined, "{peer} declined the call"),
    EndReason.CANCEL: (Cancelled, "the call was given up before it was answered"),
    EndReason.TIMEOUT: (NoAnswer, "{peer} did not answer"),
    EndReason.EXPIRED: (NoAnswer, "the call had expired before it could be answered"),
    EndReason.GONE: (PeerUnavailable, "{peer} cannot be reached: the address is wrong, offline, or cannot be called"),
    EndReason.SECURITY_ERROR: (SecurityRefused, "the call was refused for security"),
}


def failure(
    reason: EndReason, origin: Origin, text: str, *, peer: str, direction: Direction, connected: bool
) -> CallFailed | None:
    """The error that the end of a call is, or ``None`` if the call took place and ended normally.

    ``connected`` says whether sound ever flowed.
    """
    if reason is EndReason.SUCCESS and connected:
        return None
    if origin is Origin.ELSEWHERE:
        if reason is EndReason.DECLINE:
            return Declined("the call was declined on another of your devices")
        return Cancelled("the call was taken on another of your devices")
    if reason is EndReason.DECLINE and origin is Origin.LOCAL:
        return Declined("you declined the call")
    if reason is EndReason.TIMEOUT and direction is Direction.INCOMING:
        return NoAnswer(f"the call of {peer} was not answered in time")
    if reason is EndReason.SUCCESS:
        return Cancelled("the call was ended before the devices were connected")
    kind, words = _FAILURES.get(reason, (MediaFailed, "the call failed"))
    sentence = words.format(peer=peer)
    if kind in (SecurityRefused, MediaFailed):
        sentence += f": {text}" if text else f" ({reason})"
    return kind(sentence)
