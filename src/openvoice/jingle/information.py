"""What a session says about itself while it lives (XEP-0167, 8): between session-info and call inputs."""

from __future__ import annotations

from collections.abc import Sequence

from openvoice.core.description import Media, SessionDescription
from openvoice.core.effects import Information, Statement
from openvoice.core.inputs import PeerHeld, PeerMuted, PeerRinging, WordsReceived
from openvoice.core.words import WordsMessage
from openvoice.jingle.model import InformationKind, InformationPayload, SessionInformation


def read_information(
    information: InformationPayload, local: SessionDescription | None
) -> Sequence[PeerRinging | PeerMuted | PeerHeld | WordsReceived]:
    """What the call is told. A mute that names no content is of all."""
    if isinstance(information, WordsMessage):
        return [WordsReceived(information)]
    match information.kind:
        case InformationKind.RINGING:
            return [PeerRinging()]
        case InformationKind.HOLD:
            return [PeerHeld(True)]
        case InformationKind.UNHOLD | InformationKind.ACTIVE:
            return [PeerHeld(False)]
        case _:
            muted, about = information.kind is InformationKind.MUTE, information.content
            voice = [PeerMuted(muted)] if about is None or about in _named(local, Media.AUDIO) else []
            pictures = [name for name in _named(local, Media.VIDEO) if about in (None, name)]
            return [*voice, *(PeerMuted(muted, name) for name in pictures)]


def write_information(
    information: Statement, local: SessionDescription, content: str | None = None
) -> Sequence[InformationPayload]:
    """What the peer is told: hold is of the session, mute is of ``content`` or of each voice in it."""
    if isinstance(information, WordsMessage):
        return [information]
    kind = InformationKind(information.value)
    if information in (Information.HOLD, Information.UNHOLD):
        return [SessionInformation(kind)]
    return [SessionInformation(kind, name) for name in (_named(local, Media.AUDIO) if content is None else [content])]


def _named(local: SessionDescription | None, media: Media) -> list[str]:
    return [content.name for content in local.contents if content.media is media] if local is not None else []
