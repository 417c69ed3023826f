"""Contents that say next to nothing, for the other side knows the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from openvoice.core.description import Content, Media, label_of
from openvoice.jingle.model import IceTransport, JingleContent, RtpDescription


def is_stub(content: JingleContent) -> bool:
    """Whether its transport is that of other contents."""
    return isinstance(content.transport, IceTransport) and content.transport.stub


def is_sealed(content: JingleContent) -> bool:
    """Whether its key is under a seal."""
    return isinstance(content.transport, IceTransport) and bool(content.transport.sealed)


def has_plain_key(content: JingleContent) -> bool:
    """Whether it has a key of its own that nobody sealed."""
    return isinstance(content.transport, IceTransport) and bool(content.transport.fingerprints)


def without_transport(content: JingleContent) -> JingleContent:
    """The content on the transport of others, which says nothing of its own about it."""
    return replace(content, transport=IceTransport())


def refusal_of(content: JingleContent) -> JingleContent:
    """What a content-reject names: name, medium and senders as they came, for Conversations compares them."""
    description = content.description
    if isinstance(description, RtpDescription):
        description = RtpDescription(media=description.media)
    return replace(without_transport(content), description=description, category="")


def tied(ours: Content, theirs: Iterable[JingleContent]) -> bool:
    """Whether both sides add the same: a name, or pictures of the same kind."""
    return any(
        content.name == ours.name
        or (
            isinstance(content.description, RtpDescription)
            and content.description.media == Media.VIDEO
            and label_of(content.category) is ours.label
        )
        for content in theirs
    )
