"""What a Jingle stanza says, before anybody asks whether it makes sense.

These values keep what stood on the wire, bounded. :mod:`openvoice.jingle.describe` turns them into the checked
descriptions of :mod:`openvoice.core.description`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from xml.etree.ElementTree import Element

from openvoice.core.description import Candidate, Codec, HeaderExtension, Senders, Source
from openvoice.core.types import EndReason
from openvoice.core.words import WordsMessage


class JingleAction(StrEnum):
    """XEP-0166, 7.2."""

    CONTENT_ACCEPT = "content-accept"
    CONTENT_ADD = "content-add"
    CONTENT_MODIFY = "content-modify"
    CONTENT_REJECT = "content-reject"
    CONTENT_REMOVE = "content-remove"
    DESCRIPTION_INFO = "description-info"
    SECURITY_INFO = "security-info"
    SESSION_ACCEPT = "session-accept"
    SESSION_INFO = "session-info"
    SESSION_INITIATE = "session-initiate"
    SESSION_TERMINATE = "session-terminate"
    TRANSPORT_ACCEPT = "transport-accept"
    TRANSPORT_INFO = "transport-info"
    TRANSPORT_REJECT = "transport-reject"
    TRANSPORT_REPLACE = "transport-replace"


class InformationKind(StrEnum):
    """XEP-0167, 8."""

    ACTIVE = "active"
    HOLD = "hold"
    MUTE = "mute"
    RINGING = "ringing"
    UNHOLD = "unhold"
    UNMUTE = "unmute"


@dataclass(frozen=True, slots=True)
class SessionInformation:
    """The payload of a session-info; ``content`` is what it is about, or ``None`` for the whole session."""

    kind: InformationKind
    content: str | None = None


InformationPayload = SessionInformation | WordsMessage


@dataclass(frozen=True, slots=True)
class DtlsFingerprint:
    """XEP-0320 ``fingerprint``: hash name in lower case, text in upper case without white space, unchecked."""

    hash: str
    value: str
    setup: str


@dataclass(frozen=True, slots=True)
class SealedFingerprint:
    """The same, its text under a seal: ``encrypted`` is the OMEMO element, ``None`` if there is not just one."""

    hash: str
    encrypted: Element | None
    setup: str


@dataclass(frozen=True, kw_only=True, slots=True)
class IceTransport:
    """XEP-0176 ``transport``. Every part may be missing, for there are stubs and trickles."""

    ufrag: str = ""
    pwd: str = field(default="", repr=False)
    fingerprints: tuple[DtlsFingerprint, ...] = ()
    sealed: tuple[SealedFingerprint, ...] = ()
    candidates: tuple[Candidate, ...] = ()

    @property
    def stub(self) -> bool:
        """Whether it says nothing of its own: the content is on the transport of others."""
        return not (self.ufrag or self.pwd or self.fingerprints or self.sealed)


@dataclass(frozen=True, kw_only=True, slots=True)
class RtpDescription:
    """XEP-0167 ``description``; a stub has a ``media`` only."""

    media: str
    codecs: tuple[Codec, ...] = ()
    header_extensions: tuple[HeaderExtension, ...] = ()
    mux: bool = False
    source: Source | None = None
    repair: int | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """An application or a transport that is not RTP over ICE."""

    namespace: str


@dataclass(frozen=True, kw_only=True, slots=True)
class JingleContent:
    """XEP-0166 ``content``. ``senders`` is ``None`` where the peer wrote ``none``."""

    name: str
    senders: Senders | None = Senders.BOTH
    category: str = ""
    description: RtpDescription | Foreign | None = None
    transport: IceTransport | Foreign | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Jingle:
    """XEP-0166 ``jingle``.

    ``initiator`` is written and never believed: half of the clients in use write something else into it.
    """

    action: JingleAction
    sid: str
    contents: tuple[JingleContent, ...] = ()
    bundle: tuple[str, ...] = ()
    """The contents that the XEP-0338 ``group`` puts on one transport."""
    reason: EndReason | None = None
    text: str = ""
    information: InformationPayload | None = None
    unsupported: bool = False
    """Whether a session-info has a payload of an unknown kind."""
    initiator: str = ""


class MessageKind(StrEnum):
    """XEP-0353, 3 to 6."""

    ACCEPT = "accept"
    FINISH = "finish"
    PROCEED = "proceed"
    PROPOSE = "propose"
    REJECT = "reject"
    RETRACT = "retract"
    RINGING = "ringing"


@dataclass(frozen=True, kw_only=True, slots=True)
class JingleMessage:
    """What a XEP-0353 message says. ``id`` is the id of the session to come: opaque, compared octet by octet."""

    kind: MessageKind
    id: str
    media: frozenset[str] = frozenset()
    reason: EndReason | None = None
    text: str = ""
    device: int | None = None
    """The OMEMO device that answers, in a ``proceed``."""
    tie_break: bool = False
    migrated: str = ""
    """The id of the session that replaces this one, in a ``finish``."""
