"""What a call wants done. :class:`~openvoice.core.machine.CallMachine` returns these; the driver does them in order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.description import Candidate, Content, Senders, SessionDescription
from openvoice.core.events import CallEvent
from openvoice.core.types import EndReason, Origin, Role, VideoLabel, Vouching
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
    """Leave the session, and propose another one to the same device: a ``PeerProceeded`` will follow.

    ``video`` says whether the offer will have video.
    """

    video: bool = False


class Information(StrEnum):
    """What a call says about itself while it lives (XEP-0167, 8)."""

    MUTE = "mute"
    UNMUTE = "unmute"
    HOLD = "hold"
    UNHOLD = "unhold"


Statement = Information | WordsMessage


@dataclass(frozen=True, slots=True)
class SendInformation:
    """``content`` names the one that is muted or not any more; ``None`` is the voice, or the session."""

    information: Statement
    content: str | None = None


@dataclass(frozen=True, slots=True)
class SendContentAdd:
    """Ask the peer to take more contents into the session (XEP-0166, 7.2.3); ``bundle`` as in the description."""

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendContentAccept:
    """Take contents that the peer added."""

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SendContentReject:
    """Do not take contents that the peer added."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendContentModify:
    """Say who sends in contents from now on: (content, senders)."""

    senders: tuple[tuple[str, Senders], ...]


@dataclass(frozen=True, slots=True)
class SendContentRemove:
    """Take contents out of the session."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SendEnd:
    """End it: retract, reject or terminate, whichever the signalling has open."""

    reason: EndReason
    text: str = ""


# --- tell the media engine --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """Make a media session and its local description: an offer, or the answer to ``offer``.

    ``gather_fully`` asks for a description with all candidates in it, for a peer that takes none later. ``video`` asks
    for an offer with video in it; in an answer it says that this side may send in the video of the offer.
    """

    role: Role
    offer: SessionDescription | None = None
    gather_fully: bool = False
    video: bool = False


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
class ProposeContent:
    """Make this side's half of a content that it wants to add for ``label``: a ``LocalContents`` will follow."""

    name: str
    label: VideoLabel


@dataclass(frozen=True, slots=True)
class AnswerContents:
    """Make this side's half of contents that the peer added: a ``LocalContents`` ``answering`` it will follow."""

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settle:
    """These are the two halves of the session from now on. What was proposed and is not among them is void."""

    local: SessionDescription
    remote: SessionDescription


@dataclass(frozen=True, slots=True)
class Show:
    """Send the camera or the screen in ``content`` from now on; ``None`` lets it go."""

    label: VideoLabel
    content: str | None


@dataclass(frozen=True, slots=True)
class SetPeerMuted:
    """The peer says that it shows nothing in ``content``, or something again."""

    content: str
    muted: bool


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
    | SendContentAdd
    | SendContentAccept
    | SendContentReject
    | SendContentModify
    | SendContentRemove
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
    | ProposeContent
    | AnswerContents
    | Settle
    | Show
    | SetPeerMuted
    | SetMuted
    | SetHeld
    | PlayDigits
    | CloseMedia
)
Effect = SignallingEffect | MediaEffect | Notify | RejectInput | Finish
