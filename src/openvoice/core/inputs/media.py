"""What the media engine says."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.contacts import Contact
from openvoice.core.description import Candidate, Content, SessionDescription
from openvoice.core.security import MediaFacts
from openvoice.core.types import DeviceChange, EndReason, SoundDirection, VideoLabel


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
    """The transport of the voice finished DTLS with the certificate that was signalled. Nothing was sent on it before.

    A transport of pictures alone that is secured later is used only if it is protected as well; ``MediaMoved`` follows.
    """

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


@dataclass(frozen=True, slots=True)
class LocalContents:
    """This side's half of contents that come to the session: what it proposes, or ``answering`` the peer's.

    An answer has those of the peer's contents that can be taken: perhaps not all of them, perhaps none.
    """

    contents: tuple[Content, ...]
    answering: bool


@dataclass(frozen=True, slots=True)
class ContentsFailed:
    """Contents that cannot be, or not any more, for want of a path, of protection or of codecs. The voice goes on."""

    names: tuple[str, ...]
    text: str
    """Why, in words for a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoReported:
    """What became of the camera, the screen or the place that received pictures go to. The call goes on."""

    label: VideoLabel
    what: DeviceChange
    device: str | None = None
    """As in :class:`DeviceChanged`."""
    text: str


MediaInput = (
    LocalDescription
    | LocalCandidates
    | LocalRestart
    | LocalContents
    | ContentsFailed
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
)
