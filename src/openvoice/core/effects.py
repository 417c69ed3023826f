"""What a call wants done. :class:`~openvoice.core.machine.CallMachine` returns these; the driver does them in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.events import CallEvent
from openvoice.core.types import EndReason, Origin, Role, Vouching
from openvoice.core.words import WordsMessage

# --- say to the peer --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendProposal:
    """Ring all devices of the peer."""


@dataclass(frozen=True, slots=True)
class SendRinging:
    """Tell the caller that it rings here."""


@dataclass(frozen=True, slots=True)
class SendProceed:
    """Tell the caller to send its offer to this device, and the own other devices to stop ringing.

    If its offer is here already, under a seal, open it.
    """


@dataclass(frozen=True, slots=True)
class SendOffer:
    """Send the offer, but only if at least ``least`` will vouch for the peer's key; else the call ends unoffered."""

    offer: SessionDescription
    least: Vouching = Vouching.SIGNALLED


@dataclass(frozen=True, slots=True)
class SendAnswer:
    answer: SessionDescription


@dataclass(frozen=True, slots=True)
class SendCandidates:
    content: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class SendRestart:
    """New ICE credentials of this side, (content, ufrag, pwd), ``answering`` a restart of the peer or beginning one."""

    credentials: tuple[tuple[str, str, str], ...]
    answering: bool


@dataclass(frozen=True, slots=True)
class SendRenewal:
    """Leave the session, and propose another one to the same device: a ``PeerProceeded`` will follow."""


class Information(StrEnum):
    """What a call says about itself while it lives (XEP-0167, 8)."""

    MUTE = "mute"
    UNMUTE = "unmute"
    HOLD = "hold"
    UNHOLD = "unhold"


Statement = Information | WordsMessage


@dataclass(frozen=True, slots=True)
class SendInformation:
    information: Statement


@dataclass(frozen=True, slots=True)
class SendEnd:
    """End it: retract, reject or terminate, whichever the signalling has open."""

    reason: EndReason
    text: str = ""


# --- tell the media engine --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Make a media session and its local description: an offer, or the answer to ``offer``.

    ``gather_fully`` asks for a description with all candidates in it, for a peer that takes none later.
    """

    role: Role
    offer: SessionDescription | None = None
    gather_fully: bool = False


@dataclass(frozen=True, slots=True)
class ApplyAnswer:
    answer: SessionDescription


@dataclass(frozen=True, slots=True)
class AddCandidates:
    content: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class OpenGate:
    """The one permission to capture and to play: the policy has accepted the security report."""


@dataclass(frozen=True, slots=True)
class RestartMedia:
    """Make new ICE credentials; ``remote`` are the peer's, if it began."""

    remote: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ApplyRestart:
    """The peer's credentials that answer the restart of this side."""

    credentials: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class SetMuted:
    muted: bool


@dataclass(frozen=True, slots=True)
class SetHeld:
    held: bool


@dataclass(frozen=True, slots=True)
class PlayDigits:
    digits: str


@dataclass(frozen=True, slots=True)
class CloseMedia:
    """Stop everything of this call's media, at once."""


# --- tell the faces ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notify:
    event: CallEvent


@dataclass(frozen=True, slots=True)
class RejectInput:
    """A message of the peer that the state does not allow. Nothing was changed."""

    text: str


@dataclass(frozen=True, slots=True)
class Finish:
    """The call is over: the last effect of every call."""

    reason: EndReason
    origin: Origin
    text: str


SignallingEffect = (
    SendProposal
    | SendRinging
    | SendProceed
    | SendOffer
    | SendAnswer
    | SendCandidates
    | SendRestart
    | SendRenewal
    | SendInformation
    | SendEnd
)
MediaEffect = (
    OpenMedia
    | ApplyAnswer
    | AddCandidates
    | OpenGate
    | RestartMedia
    | ApplyRestart
    | SetMuted
    | SetHeld
    | PlayDigits
    | CloseMedia
)
Effect = SignallingEffect | MediaEffect | Notify | RejectInput | Finish
