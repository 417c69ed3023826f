"""What is known about the clients of other projects, and what follows for a call with each.

A profile never decides whether a call is safe, only which of several correct ways the peer understands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from openvoice.core.manners import Manners
from openvoice.core.remedies import Remedies, Renewal, Restart
from openvoice.core.types import Role
from openvoice.jingle import namespaces as ns

GATEWAY_ANSWER_SECONDS = 120.0
"""A gateway accepts the session when the telephone at the far end is picked up."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceIdentity:
    """What a device says about itself: caps node (XEP-0115), name and features (XEP-0030)."""

    node: str = ""
    name: str = ""
    features: frozenset[str] = frozenset()


class Restarts(StrEnum):
    """Who may restart ICE in a session with a client."""

    NOBODY = "nobody"
    """It does not understand new ICE credentials in a transport-info: it ends the call, or ignores them."""
    INITIATOR = "initiator"
    BOTH = "both"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, slots=True)
class PeerProfile:
    """How to speak with one client. The defaults are the standards."""

    restarts: Restarts = Restarts.UNKNOWN
    renewal: Renewal = Renewal.RINGING
    """What it makes of a new session in place of one that lost its path."""
    gather_fully: bool = False
    """Wants every candidate in the offer and in the answer."""
    answers_with_session_accept: bool = False
    """Expects a whole session-accept in reply to content-add, content-modify and content-remove (Movim)."""
    reliable_senders: bool = True
    """Whether ``senders`` in its answers names the right side (Movim mixes them up as responder)."""
    adds: bool = True
    """Whether contents may be added during a session."""
    screens: bool = False
    """Whether it takes a screen for a content of its own (XEP-0507)."""
    modifies: bool = True
    """Whether it follows a content-modify. Conversations says that it does, and does nothing."""
    removes: bool = True
    """Whether it lets contents go. Conversations ends the call, Dino refuses."""
    rejects: bool = True
    """Whether it takes a content-reject."""
    stubs: bool = False
    """Whether a content on a transport that is there already says nothing of its own about it (Conversations)."""
    understands_information: bool = True
    """Whether it acts on a session-info. Those that do not leave the request unanswered."""
    answer_within: float = 30.0
    """Seconds that its session-accept may take."""
    takes_words: bool = False
    """Whether it exchanges verification words."""

    @property
    def manners(self) -> Manners:
        """What a call has to know of how it takes changes to its contents."""
        return Manners(adds=self.adds, screens=self.screens, modifies=self.modifies, removes=self.removes)

    def remedies(self, role: Role) -> Remedies:
        """What helps when the path is lost, in a session in which this side has ``role``."""
        restart = _RESTARTS[self.restarts]
        if role is Role.RESPONDER and self.restarts is not Restarts.BOTH:
            # stanza.io ends the call when the responder begins, and who is unknown may be built on it.
            restart = Restart.NEVER
        return Remedies(restart=restart, renewal=self.renewal)


_RESTARTS = {
    Restarts.NOBODY: Restart.NEVER,
    Restarts.INITIATOR: Restart.ALWAYS,
    Restarts.BOTH: Restart.ALWAYS,
    Restarts.UNKNOWN: Restart.UNTRIED,
}

_PROFILES: tuple[tuple[str, PeerProfile], ...] = (
    ("openvoice", PeerProfile(restarts=Restarts.BOTH, renewal=Renewal.SILENT)),
    ("conversations", PeerProfile(restarts=Restarts.BOTH, modifies=False, removes=False, stubs=True)),
    (
        "monal",
        PeerProfile(
            restarts=Restarts.NOBODY,
            renewal=Renewal.SILENT,
            adds=False,
            modifies=False,
            removes=False,
            understands_information=False,
        ),
    ),
    (
        "movim",
        PeerProfile(
            restarts=Restarts.NOBODY,
            gather_fully=True,
            answers_with_session_accept=True,
            screens=True,
            modifies=False,
            reliable_senders=False,
        ),
    ),
    ("dino", PeerProfile(restarts=Restarts.NOBODY, removes=False, rejects=False)),
    ("stanza", PeerProfile(restarts=Restarts.INITIATOR, modifies=False, removes=False)),
)
"""A word in the caps node or in the name of the disco identity, and the client that it gives away."""


def profile_of(identity: DeviceIdentity) -> PeerProfile:
    """The profile of a device. An unknown one gets the standards, and all candidates at once if it asks for them."""
    takes_words = ns.VERIFICATION_WORDS in identity.features
    screens = ns.CATEGORY in identity.features
    described = f"{identity.node} {identity.name}".lower()
    for word, profile in _PROFILES:
        if word in described:
            return replace(profile, takes_words=takes_words, screens=screens or profile.screens)
    gather_fully = ns.OFFER_ANSWER_FEATURE in identity.features
    # No end-user client wants full gathering and has no video: that is a gateway to the telephone network.
    gateway = gather_fully and ns.RTP_VIDEO not in identity.features
    if gateway:
        return PeerProfile(
            restarts=Restarts.NOBODY,
            renewal=Renewal.NEVER,
            gather_fully=True,
            adds=False,
            answer_within=GATEWAY_ANSWER_SECONDS,
            takes_words=takes_words,
        )
    return PeerProfile(gather_fully=gather_fully, takes_words=takes_words, screens=screens)
