"""What it means for a session that the peer, or a server, refused a request of this side (XEP-0166, 10)."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.types import EndReason, Origin, Role
from openvoice.jingle.model import JingleAction

TIMEOUT = "timeout"
"""Nothing was heard of the request: it may yet be acted upon."""
LOST = "lost"
"""The stream broke, and nothing will be heard of it: perhaps it never left."""
UNREACHABLE = frozenset(
    {"service-unavailable", "recipient-unavailable", "remote-server-not-found", "remote-server-timeout"}
)
_DESCRIPTIONS = (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT)


@dataclass(frozen=True, slots=True)
class PeerGone:
    """The session is over, and nobody is there who would want to hear of it."""

    reason: EndReason
    origin: Origin
    text: str


@dataclass(frozen=True, slots=True)
class Unusable:
    """The session cannot begin, and the peer is told that it is over."""

    text: str


def why_refused(error: str) -> str:
    """Why the peer does not take a change, in words; empty if it is only that the other side's went first."""
    if error == LOST or error in UNREACHABLE:
        return "the peer's device cannot be reached"
    return "" if error == "conflict" else "the peer's program cannot take it"


def reason_of(said: EndReason | None, role: Role, *, answered: bool) -> EndReason:
    """The reason for which the peer ended the session to this side, in ``role``. Not to say one is one as well.

    Before the answer, ending means giving up or declining.
    """
    if said is not None:
        return said
    if answered:
        return EndReason.SUCCESS
    return EndReason.CANCEL if role is Role.RESPONDER else EndReason.DECLINE


def meaning_of(error: str, action: JingleAction, *, answered: bool) -> PeerGone | Unusable | None:
    """What ``error`` means, a stanza error condition, ``timeout`` or ``lost``; ``None`` if the session goes on.

    ``answered`` says whether the session is past its session-accept.
    """
    if error in UNREACHABLE:
        if answered and action not in _DESCRIPTIONS:
            # A device whose stream broke is back soon. The call lives as long as its media do.
            return None
        reason = EndReason.GONE if action is JingleAction.SESSION_INITIATE else EndReason.CONNECTIVITY_ERROR
        return PeerGone(reason, Origin.NETWORK, "the peer's device cannot be reached any more")
    if error == "item-not-found":
        return PeerGone(EndReason.GONE, Origin.REMOTE, "the peer's device knows nothing of the call any more")
    if error == TIMEOUT and action is JingleAction.SESSION_ACCEPT:
        # Whether a peer that answers no request took the answer, the media will tell.
        return None
    describing = action is JingleAction.SESSION_INITIATE and not answered
    if describing or action is JingleAction.SESSION_ACCEPT:
        return Unusable("the peer's device could not use the description")
    # Dino and Monal refuse or ignore requests that are correct.
    return None
