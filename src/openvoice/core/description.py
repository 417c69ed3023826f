"""What two devices offer and answer each other: contents, codecs, transports. Jingle is one spelling of it.

All values are immutable and check themselves: a description that exists can be used.
"""

from __future__ import annotations

import hmac
import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum

from openvoice.core.trust import Voucher
from openvoice.core.types import VideoLabel, Vouching

FINGERPRINT_OCTETS = {"sha-256": 32, "sha-384": 48, "sha-512": 64}
"""The hash functions that may vouch for a certificate (RFC 8122, 5), and the length of what they give.
sha-1 and md5 are left out on purpose: a fingerprint made with them proves nothing any more."""

MAXIMUM_CONTENTS = 16
"""Contents of one session."""
SCREEN_CATEGORY = "slides"
"""The category of a content that shows a screen (RFC 4796, 5)."""


def label_of(category: str) -> VideoLabel:
    """What the pictures of a content of that category show."""
    return VideoLabel.SCREEN if category == SCREEN_CATEGORY else VideoLabel.CAMERA


class Media(StrEnum):
    """The kind of a content."""

    AUDIO = "audio"
    VIDEO = "video"


class Senders(StrEnum):
    """Who may send in a content (XEP-0166, 7.3), absolute: named by the roles of the session.

    ``none`` is missing on purpose: Dino and Monal refuse the whole session when they read it.
    """

    BOTH = "both"
    INITIATOR = "initiator"
    RESPONDER = "responder"


class Setup(StrEnum):
    """The DTLS role in an offer or answer (RFC 4145, RFC 5763)."""

    ACTPASS = "actpass"
    ACTIVE = "active"
    PASSIVE = "passive"


class CandidateType(StrEnum):
    """RFC 8445, 5.1.1."""

    HOST = "host"
    SERVER_REFLEXIVE = "srflx"
    PEER_REFLEXIVE = "prflx"
    RELAY = "relay"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a DTLS certificate (RFC 8122), and who vouches that the peer sent it: only the servers, if nobody.

    Raises ``ValueError`` for a hash function that proves nothing, or a digest of the wrong length.
    """

    algorithm: str
    digest: bytes
    voucher: Voucher | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        if len(self.digest) != FINGERPRINT_OCTETS.get(self.algorithm, -1):
            raise ValueError(f"not a fingerprint of a kind that protects: {self.algorithm}")

    def __str__(self) -> str:
        return self.digest.hex(":").upper()

    @property
    def vouching(self) -> Vouching:
        return Vouching.SIGNALLED if self.voucher is None else self.voucher.vouching

    def matches(self, other: Fingerprint) -> bool:
        """Compare in constant time."""
        return self.algorithm == other.algorithm and hmac.compare_digest(self.digest, other.digest)


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """A transport address where a device may be reached over UDP (RFC 8445, XEP-0176).

    ``address`` is an IPv4 or IPv6 literal, never a name. Raises ``ValueError`` for anything else.
    """

    foundation: str
    address: str
    port: int
    priority: int
    type: CandidateType = CandidateType.HOST
    component: int = 1
    generation: int = 0
    related_address: str | None = None
    related_port: int | None = None

    def __post_init__(self) -> None:
        ipaddress.ip_address(self.address)
        if not 0 < self.port < 65536 or not 0 <= self.priority < 2**32 or not 1 <= self.component <= 256:
            raise ValueError("candidate out of range")
        if not 1 <= len(self.foundation) <= 32:
            raise ValueError("foundation out of range")


@dataclass(frozen=True, slots=True)
class Feedback:
    """An RTCP feedback message that a codec may use (RFC 4585, XEP-0293)."""

    type: str
    subtype: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Codec:
    """One payload type (RFC 3551; XEP-0167 ``payload-type``).

    ``clock_rate`` is in Hz. ``parameters`` are the ``fmtp`` pairs, in the order of the offer.
    """

    payload_type: int
    name: str
    clock_rate: int
    channels: int = 1
    parameters: tuple[tuple[str, str], ...] = ()
    feedback: tuple[Feedback, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.payload_type < 128 or not 0 < self.clock_rate <= 1_000_000 or not 1 <= self.channels <= 8:
            raise ValueError("codec out of range")

    def parameter(self, name: str) -> str | None:
        return next((value for key, value in self.parameters if key == name), None)


@dataclass(frozen=True, slots=True)
class HeaderExtension:
    """An RTP header extension (RFC 8285, XEP-0294)."""

    id: int
    uri: str

    def __post_init__(self) -> None:
        if not 1 <= self.id <= 255:
            raise ValueError("header extension out of range")


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportDescription:
    """ICE credentials, DTLS fingerprint and candidates of one side (XEP-0176, XEP-0320).

    ``fingerprint`` and ``setup`` are absent only where XEP-0176 repeats a transport that already has them:
    in trickled candidates and in an ICE restart.
    """

    ufrag: str
    pwd: str = field(repr=False)
    fingerprint: Fingerprint | None = None
    setup: Setup | None = None
    candidates: tuple[Candidate, ...] = ()

    def __post_init__(self) -> None:
        # RFC 8839, 5.4: 4 to 256 and 22 to 256 characters; some clients send shorter passwords than the rule.
        if not 1 <= len(self.ufrag) <= 256 or not 1 <= len(self.pwd) <= 256:
            raise ValueError("ICE credentials out of range")

    @property
    def credentials(self) -> tuple[str, str]:
        return self.ufrag, self.pwd


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of RTP packets, as its description names it (RFC 5576, XEP-0339).

    ``cname`` is the canonical name of its sender in RTCP (RFC 3550, 6.5.1), or empty if the description has none.

    Raises ``ValueError`` when the ssrc does not have 32 bits.
    """

    ssrc: int
    cname: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.ssrc < 2**32:
            raise ValueError("an ssrc has 32 bits")


@dataclass(frozen=True, kw_only=True, slots=True)
class Content:
    """One medium of a session with its transport; in SDP an m-line.

    ``codecs`` stand in the order of preference. ``mux`` is RTP and RTCP on one port (RFC 5761). ``category`` says what
    its pictures show (XEP-0507, RFC 4796): empty is a camera, ``slides`` a screen. ``repair`` is the ssrc of the
    packets that repeat those of ``source`` (RFC 4588, grouped by ``FID`` of RFC 5576).
    """

    name: str
    media: Media
    codecs: tuple[Codec, ...]
    transport: TransportDescription
    senders: Senders = Senders.BOTH
    header_extensions: tuple[HeaderExtension, ...] = ()
    mux: bool = True
    source: Source | None = None
    category: str = ""
    repair: int | None = None

    @property
    def label(self) -> VideoLabel:
        """What the pictures of a video content show."""
        return label_of(self.category)

    def codec(self, payload_type: int) -> Codec | None:
        return next((codec for codec in self.codecs if codec.payload_type == payload_type), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionDescription:
    """An offer or an answer: contents with unique names, and which of them share one transport (RFC 9143).

    Raises ``ValueError`` when it is empty, when a name comes twice, or when the group names nothing.
    """

    contents: tuple[Content, ...]
    bundle: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [content.name for content in self.contents]
        if not names or len(set(names)) != len(names):
            raise ValueError("contents must exist and have names of their own")
        if not set(self.bundle) <= set(names):
            raise ValueError("a bundle groups contents of the session")

    def content(self, name: str) -> Content | None:
        return next((content for content in self.contents if content.name == name), None)

    @property
    def voice(self) -> str:
        """The name of the content that is the call: the first one with sound, or empty if there is none."""
        return next((content.name for content in self.contents if content.media is Media.AUDIO), "")

    @property
    def media(self) -> frozenset[Media]:
        return frozenset(content.media for content in self.contents)

    @property
    def vouching(self) -> Vouching:
        """The weakest vouching of all fingerprints: a chain is as strong as that."""
        return min(
            (
                content.transport.fingerprint.vouching if content.transport.fingerprint else Vouching.NONE
                for content in self.contents
            ),
            default=Vouching.NONE,
        )

    @property
    def voucher(self) -> Voucher | None:
        """The one that vouches for every fingerprint; ``None`` if only the servers vouch for one of them."""
        vouchers = {
            content.transport.fingerprint.voucher if content.transport.fingerprint else None
            for content in self.contents
        }
        return vouchers.pop() if len(vouchers) == 1 else None
