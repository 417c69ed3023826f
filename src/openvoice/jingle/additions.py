"""What is open about the contents of one session."""

from __future__ import annotations

from dataclasses import dataclass

from openvoice.core.description import Content, Senders
from openvoice.jingle.model import JingleContent


@dataclass(frozen=True, slots=True)
class OwnAddition:
    """What this side added and the peer has not answered; ``bundle`` is empty if it is not on the voice's transport."""

    content: Content
    bundle: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerAddition:
    """What the peer added and the call has not answered: as it stood on the wire, and as it was read."""

    wire: JingleContent
    content: Content


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request of this side was about; ``before`` are the senders before a content-modify."""

    name: str
    before: Senders | None = None


NOTHING_HANGS_ON_IT = Asked("")
