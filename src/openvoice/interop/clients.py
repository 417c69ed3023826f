"""How the clients in use introduce themselves: the names in their capabilities, and what they announce (XEP-0030)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from openvoice.jingle import namespaces as ns

OLD_ICE_UDP = "urn:xmpp:jingle:transports:ice-udp:0"
MUJI = "urn:xmpp:jingle:muji:0"
CALL_INVITES = "urn:xmpp:call-invites:0"

_VOICE = frozenset({ns.JINGLE, ns.ICE_UDP, ns.DTLS, ns.RTP, ns.RTP_AUDIO})
_CALLS = _VOICE | {ns.RTP_VIDEO}
_DETAILS = frozenset({ns.RTCP_FEEDBACK, ns.RTP_HEADER_EXTENSIONS})
_SDP = frozenset({ns.GROUPING_FEATURE, ns.SOURCES_FEATURE})


@dataclass(frozen=True, kw_only=True, slots=True)
class Appearance:
    """What a client says of itself. ``node`` is that of its capabilities (XEP-0115), ``name`` that of its identity."""

    node: str
    name: str
    features: frozenset[str]


CLIENTS: dict[str, Appearance] = {
    "conversations": Appearance(
        node="https://conversations.im", name="Conversations", features=_CALLS | {ns.JINGLE_MESSAGE}
    ),
    "dino": Appearance(node="https://dino.im", name="Dino", features=_CALLS | {ns.JINGLE_MESSAGE, MUJI}),
    "movim": Appearance(
        node="https://moxl.movim.eu/",
        name="Movim",
        features=_CALLS
        | _DETAILS
        | _SDP
        | {ns.JINGLE_MESSAGE, ns.OFFER_ANSWER_FEATURE, MUJI, CALL_INVITES, OLD_ICE_UDP},
    ),
    "monal": Appearance(
        node="http://monal-im.org/", name="Monal", features=_CALLS | _DETAILS | _SDP | {ns.JINGLE_MESSAGE}
    ),
    "stanza": Appearance(node="https://stanzajs.org", name="StanzaJS", features=_CALLS | _DETAILS),
    "gateway": Appearance(
        node="https://gateway.example",
        name="Gateway",
        features=_VOICE | {ns.JINGLE_MESSAGE, ns.OFFER_ANSWER_FEATURE},
    ),
}
"""By the word that names their vectors. Of Dino, Monal and the rest what stands here is what decides about calls.
Dino's transport without encryption is left out: a tested client must not come to choose it."""

STANDARD = Appearance(node="urn:example:client", name="Client", features=_CALLS | _DETAILS | _SDP | {ns.JINGLE_MESSAGE})
"""A client that is none of the known ones, and keeps to the standards."""


def appearance_of(node: str, features: frozenset[str] = frozenset()) -> Appearance:
    """How the client of a vector introduces itself, by its name there; one that is unknown has ``features`` too."""
    known = next((client for client in CLIENTS.values() if client.node == node), None)
    return known or replace(STANDARD, features=STANDARD.features | features)
