"""What the peer says by way of the signalling, and what becomes of the own signalling."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.description import Candidate, Content, Senders, SessionDescription
from openvoice.core.manners import STANDARD, Manners
from openvoice.core.remedies import UNKNOWN_DEVICE, Remedies
from openvoice.core.security import SignallingFacts
from openvoice.core.types import EndReason, Origin
from openvoice.core.words import WordsMessage

# --- the peer ---------------------------------------------------------------------------------------------------------


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
    manners: Manners = STANDARD


@dataclass(frozen=True, slots=True)
class AnswerReceived:
    """The answer of the peer. ``takes_words`` says that its device knows verification words.

    It has the voice, and those of the other contents of the offer that the peer takes.
    """

    answer: SessionDescription
    session: str = ""
    takes_words: bool = False
    remedies: Remedies = UNKNOWN_DEVICE
    manners: Manners = STANDARD


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
class ContentsAdded:
    """The peer wants more contents in the session (XEP-0166, 7.2.3), with names that the session does not have.

    ``bundle`` are the contents that shall share one transport, those of before among them. A content that comes without
    a transport of its own has the description of the one that it shares.
    """

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContentsAccepted:
    """The peer's half of contents that this side added."""

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ContentsRejected:
    """The peer does not take contents that this side added, or the senders that it asked for."""

    names: tuple[str, ...]
    text: str = ""
    """Why, if it is not that the peer does not want to."""


@dataclass(frozen=True, slots=True)
class ContentsModified:
    """The peer says who sends in contents from now on: (content, senders)."""

    senders: tuple[tuple[str, Senders], ...]


@dataclass(frozen=True, slots=True)
class ContentsRemoved:
    """The peer takes contents out of the session, or takes back what it wanted to add."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerMuted:
    """The peer stopped or started on purpose to send: the voice, or what ``content`` names."""

    muted: bool
    content: str | None = None


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


PeerInput = (
    PeerProposed
    | PeerRinging
    | PeerProceeded
    | OfferReceived
    | AnswerReceived
    | CandidatesReceived
    | RestartReceived
    | RestartRefused
    | ContentsAdded
    | ContentsAccepted
    | ContentsRejected
    | ContentsModified
    | ContentsRemoved
    | PeerMuted
    | PeerHeld
    | WordsReceived
    | GlareLost
    | PeerMigrated
    | Ended
)
SignallingInput = SignallingLost | SignallingRenewed
