"""What the user, or a program in the user's name, wants of a call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.types import EndReason, VideoLabel


class Invitation(StrEnum):
    """How a peer is called."""

    PROPOSE = "propose"
    """By a message to all devices of the person (XEP-0353); the one that answers gets the offer."""
    OFFER = "offer"
    """By an offer to one device at once (XEP-0166)."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Call the peer. Only an outgoing call that is new takes it."""

    invitation: Invitation = Invitation.PROPOSE
    exposed: bool = False
    """Whether a relay was wanted for this peer and there is none: see :class:`~openvoice.core.policy.Way`."""
    video: bool = False
    """Whether the offer has video, and the camera is shown once the call is active."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer an incoming call that rings."""

    exposed: bool = False
    """As in :class:`Dial`."""
    video: bool = False
    """Whether the camera is shown once the call is active, in the video of the offer if it has any."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """Give up, decline or end, whichever the state makes of it. ``reason`` replaces the usual one."""

    reason: EndReason | None = None
    text: str = ""
    private: bool = False
    """Whether ``text`` is for the own user alone."""


@dataclass(frozen=True, slots=True)
class Mute:
    """Send silence instead of the microphone, or the microphone again."""

    muted: bool


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop sending and playing, or go on."""

    held: bool


@dataclass(frozen=True, slots=True)
class CompareWords:
    """The user has compared ``words`` with what the peer reads; ``same`` is what came of it."""

    words: tuple[str, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class SendDigits:
    """Dial digits in the call (RFC 4733): ``0-9 * # A-D``."""

    digits: str


@dataclass(frozen=True, slots=True)
class ShowVideo:
    """Let the peer see the camera or the screen, from now on and as soon as that is possible."""

    label: VideoLabel


@dataclass(frozen=True, slots=True)
class HideVideo:
    """Show it no more."""

    label: VideoLabel


UserInput = Dial | Accept | HangUp | Mute | Hold | CompareWords | SendDigits | ShowVideo | HideVideo
