"""What can happen to a call. :class:`~openvoice.core.machine.CallMachine` takes these, one at a time.

Six sources: the user (or a program in the user's name), the peer by way of the signalling, the signalling itself, the
media engine, the own other devices, and time (which needs no input: see ``CallMachine.handle_timeout``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.remedies import UNKNOWN_DEVICE, Remedies
from openvoice.core.security import MediaFacts, SignallingFacts
from openvoice.core.types import DeviceChange, EndReason, Origin, SoundDirection, VideoLabel
from openvoice.core.words import WordsMessage


class Invitation(StrEnum):
    """How a peer is called."""

    PROPOSE = "propose"
    """By a message to all devices of the person (XEP-0353); the one that answers gets the offer."""
    OFFER = "offer"
    """By an offer to one device at once (XEP-0166)."""


# --- the user ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Dial:
    """Call the peer. Only an outgoing call that is new takes it."""

    invitation: Invitation = Invitation.PROPOSE
    exposed: bool = False
    """Whether a relay was wanted for this peer and there is none: see :class:`~openvoice.core.policy.Way`."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Answer an incoming call that rings."""

    exposed: bool = False
    """As in :class:`Dial`."""


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


# --- the peer, by way of the signalling -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PeerProposed:
    """An incoming call without an offer yet (XEP-0353). ``announce``: the caller may learn that it rings."""

    announce: bool


@dataclass(frozen=True, slots=True)
class PeerRinging:
    """A device of the peer rings."""


@dataclass(frozen=True, slots=True)
class PeerProceeded:
    """A person answered; that device now waits for the offer.

    ``answer_within`` is how many seconds its answer may take: a gateway to the telephone network answers only when the
    far end does. ``gather_fully`` says that the peer cannot take candidates after the offer (it announces
    ``urn:ietf:rfc:3264``).
    """

    answer_within: float = 30.0
    gather_fully: bool = False


@dataclass(frozen=True, slots=True)
class OfferReceived:
    """The offer of the peer. For a direct session it is also the first that is heard of the call.

    ``gather_fully`` says that the peer cannot take candidates after the answer. ``session`` is the id of the session.
    """

    offer: SessionDescription
    announce: bool = True
    gather_fully: bool = False
    session: str = ""
    remedies: Remedies = UNKNOWN_DEVICE


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer of the peer. ``takes_words`` says that its device knows verification words."""

    answer: SessionDescription
    session: str = ""
    takes_words: bool = False
    remedies: Remedies = UNKNOWN_DEVICE


@dataclass(frozen=True, slots=True)
class CandidatesReceived:
    """Trickled candidates for the content named (XEP-0176, 5.4)."""

    content: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class RestartReceived:
    """New ICE credentials for every transport of the session, by content name (RFC 8445, 2.4).

    ``ours`` says that they answer a restart that this side began.
    """

    credentials: tuple[tuple[str, str, str], ...]
    """(content, ufrag, pwd)"""
    ours: bool = False


@dataclass(frozen=True, slots=True)
class RestartRefused:
    """The restart that this side began came to nothing: the peer cannot or will not, or ``unreached`` it never heard
    of it. The call goes on as it is."""

    unreached: bool = False


@dataclass(frozen=True, slots=True)
class PeerMuted:
    muted: bool


@dataclass(frozen=True, slots=True)
class PeerHeld:
    held: bool


@dataclass(frozen=True, slots=True)
class WordsReceived:
    """A message of the exchange of verification words."""

    message: WordsMessage


@dataclass(frozen=True, slots=True)
class GlareLost:
    """Both called at once and the peer's proposal has the lower id (XEP-0353, 6.1): answer that one instead."""


@dataclass(frozen=True, slots=True)
class PeerMigrated:
    """The peer moved the call to a new session, perhaps of another of its devices (XEP-0353, 6.2): a fresh offer will
    come."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, and this side was not the one who said so."""

    reason: EndReason
    origin: Origin = Origin.REMOTE
    text: str = ""
    withheld: bool = False
    """Whether this side's offer or answer never left, nor any address: it could not be sealed as it had to be."""


# --- the own signalling -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SignallingLost:
    """The stream to the own server broke. What is said meanwhile waits for the next one."""


@dataclass(frozen=True, slots=True)
class SignallingRenewed:
    """The stream to the own server broke, and there is another one: its facts."""

    facts: SignallingFacts


# --- the media engine -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LocalDescription:
    """The offer or answer that the media engine prepared."""

    description: SessionDescription


@dataclass(frozen=True, slots=True)
class LocalCandidates:
    """Candidates found after the description was made. They are sent once the peer may have them."""

    content: str
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class LocalRestart:
    """The media engine's new ICE credentials, (content, ufrag, pwd), ``answering`` the peer or beginning."""

    credentials: tuple[tuple[str, str, str], ...]
    answering: bool


@dataclass(frozen=True, slots=True)
class MediaSecured:
    """Every transport finished DTLS with the certificate that was signalled. Nothing of the user was sent yet."""

    facts: MediaFacts


@dataclass(frozen=True, slots=True)
class MediaMoved:
    """The media took another way to the peer: the facts as they are now. The keys are the same."""

    facts: MediaFacts


@dataclass(frozen=True, slots=True)
class NetworkChanged:
    """This device has addresses that the media know nothing of: a restart may find a better way."""


@dataclass(frozen=True, slots=True)
class Contacted:
    """Packets of this device are sent to somebody, or somebody said how it sees this device."""

    contact: Contact


@dataclass(frozen=True, slots=True)
class MediaFlowing:
    """The first authenticated packet of the peer arrived."""


@dataclass(frozen=True, slots=True)
class MediaInterrupted:
    """Nothing authenticated arrived for a second, or nothing can be sent any more."""


@dataclass(frozen=True, slots=True)
class MediaRestored:
    """It arrives again."""


@dataclass(frozen=True, slots=True)
class MediaFailed:
    """The media engine cannot go on."""

    reason: EndReason
    text: str


@dataclass(frozen=True, slots=True)
class MediaClosed:
    """The peer ended the encrypted channel, and nothing else came of it: it hung up and its server is gone, or its
    program was ended."""


@dataclass(frozen=True, slots=True)
class DigitReceived:
    """The peer dialled a digit (RFC 4733)."""

    digit: str


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """The sound to send is over (a file ended)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceChanged:
    """Another sound device is used from now on, or none. The call goes on."""

    direction: SoundDirection
    what: DeviceChange
    device: str | None = None
    """Its name as the system has it: of the one in use now or, if there is none, of the one that is missing or lost.
    ``None`` for what is no device."""
    text: str
    """The same in words for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoReported:
    """What became of the camera, the screen or the place that received pictures go to. The call goes on."""

    label: VideoLabel
    what: DeviceChange
    device: str | None = None
    """As in :class:`DeviceChanged`."""
    text: str


@dataclass(frozen=True, slots=True)
class ContentsFailed:
    """Contents with pictures were closed, for want of a path or of protection. The voice goes on."""

    names: tuple[str, ...]
    text: str
    """Why, in words for a person."""


UserInput = Dial | Accept | HangUp | Mute | Hold | CompareWords | SendDigits
PeerInput = (
    PeerProposed
    | PeerRinging
    | PeerProceeded
    | OfferReceived
    | AnswerReceived
    | CandidatesReceived
    | RestartReceived
    | RestartRefused
    | PeerMuted
    | PeerHeld
    | WordsReceived
    | GlareLost
    | PeerMigrated
    | Ended
)
MediaInput = (
    LocalDescription
    | LocalCandidates
    | LocalRestart
    | MediaSecured
    | MediaMoved
    | NetworkChanged
    | Contacted
    | MediaFlowing
    | MediaInterrupted
    | MediaRestored
    | MediaFailed
    | MediaClosed
    | DigitReceived
    | SourceEnded
    | DeviceChanged
    | VideoReported
    | ContentsFailed
)
CallInput = UserInput | PeerInput | MediaInput | SignallingLost | SignallingRenewed
