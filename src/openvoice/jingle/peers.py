"""What is known about the clients of other projects, and what follows for a call with each.

A profile never decides whether a call is safe, only which of several correct ways the peer understands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from openvoice.jingle import namespaces as ns

GATEWAY_ANSWER_SECONDS = 120.0
"""A gateway accepts the session when the telephone at the far end is picked up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceIdentity:
    """What a device says about itself: caps node (XEP-0115), name and features (XEP-0030)."""

    node: str = ""
    name: str = ""
    features: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerProfile:
    """How to speak with one client. The defaults are the standards."""

    restarts_ice: bool = False
    """Understands new ICE credentials in a transport-info; the others end the call or ignore them."""
    gather_fully: bool = False
    """Wants every candidate in the offer and in the answer."""
    answers_with_session_accept: bool = False
    """Expects a whole session-accept in reply to content-add, content-modify and content-remove (Movim)."""
    reliable_senders: bool = True
    """Whether ``senders`` in its answers names the right side (Movim mixes them up as responder)."""
    understands_information: bool = True
    """Whether it acts on a session-info. Those that do not leave the request unanswered."""
    answer_within: float = 30.0
    """Seconds that its session-accept may take."""
    takes_words: bool = False
    """Whether it exchanges verification words."""


_PROFILES: tuple[tuple[str, PeerProfile], ...] = (
    ("openvoice", PeerProfile(restarts_ice=True)),
    ("conversations", PeerProfile(restarts_ice=True)),
    ("monal", PeerProfile(understands_information=False)),
    ("movim", PeerProfile(gather_fully=True, answers_with_session_accept=True, reliable_senders=False)),
    ("dino", PeerProfile()),
    ("stanza", PeerProfile(restarts_ice=True)),
)
"""A word in the caps node or in the name of the disco identity, and the client that it gives away."""


def profile_of(identity: DeviceIdentity) -> PeerProfile:
    """The profile of a device. An unknown one gets the standards, and all candidates at once if it asks for them."""
    takes_words = ns.VERIFICATION_WORDS in identity.features
    described = f"{identity.node} {identity.name}".lower()
    for word, profile in _PROFILES:
        if word in described:
            return replace(profile, takes_words=takes_words)
    gather_fully = ns.OFFER_ANSWER_FEATURE in identity.features
    # No end-user client wants full gathering and has no video: that is a gateway to the telephone network.
    gateway = gather_fully and ns.RTP_VIDEO not in identity.features
    answer_within = GATEWAY_ANSWER_SECONDS if gateway else 30.0
    return PeerProfile(gather_fully=gather_fully, answer_within=answer_within, takes_words=takes_words)
