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
) -> PeerRinging | PeerMuted | PeerHeld | WordsReceived | None:
    """What the call is told, or ``None``: that video is muted means nothing to a voice call."""
    if isinstance(information, WordsMessage):
        return WordsReceived(information)
    match information.kind:
        case InformationKind.RINGING:
            return PeerRinging()
        case InformationKind.HOLD:
            return PeerHeld(True)
        case InformationKind.UNHOLD | InformationKind.ACTIVE:
            return PeerHeld(False)
        case _:
            about_voice = information.content is None or information.content in _voices(local)
            return PeerMuted(information.kind is InformationKind.MUTE) if about_voice else None


def write_information(information: Statement, local: SessionDescription) -> Sequence[InformationPayload]:
    """What the peer is told: hold is of the session, mute is of each voice in it."""
    if isinstance(information, WordsMessage):
        return [information]
    kind = InformationKind(information.value)
    if information in (Information.HOLD, Information.UNHOLD):
        return [SessionInformation(kind)]
    return [SessionInformation(kind, name) for name in _voices(local)]


def _voices(local: SessionDescription | None) -> list[str]:
    return [content.name for content in local.contents if content.media is Media.AUDIO] if local is not None else []
