"""Offers and answers: which contents share a transport, who begins DTLS, and what may be accepted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from openvoice.core.description import (
    Codec,
    Content,
    Media,
    Senders,
    SessionDescription,
    Setup,
    Source,
    TransportDescription,
)
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media.audio.negotiation import answered_codecs, offered_codecs

AUDIO_NAME = "0"
"""The content of our offers."""

_VIDEO_CODECS = frozenset({"vp8", "vp9", "h264", "h265", "av1"})


def make_offer(transport: TransportDescription, source: Source) -> SessionDescription:
    """One audio content, bundled with nothing: a peer that wants to add video may add it to the bundle."""
    content = Content(name=AUDIO_NAME, media=Media.AUDIO, codecs=offered_codecs(), transport=transport, source=source)
    return SessionDescription(contents=(content,), bundle=(AUDIO_NAME,))


def make_answer(
    offer: SessionDescription, transports: Mapping[str, TransportDescription], make_source: Callable[[], Source]
) -> SessionDescription:
    """The answer that mirrors the offer: same names, same order, same media (Conversations insists on all three).

    The first audio content is the call. Every other content is accepted to receive only and what comes is thrown
    away; refusing it would make some clients drop the whole session. A content without ``rtcp-mux`` is accepted as
    well and answered without it: RTP flows on component 1, and what RTCP the peer sends on a component 2 that it
    never gets to connect is missed, not needed.
    """
    voice = voice_content(offer)
    contents = []
    for content in offer.contents:
        if content is voice:
            codecs, senders = answered_codecs(content.codecs), content.senders
        else:
            codecs, senders = _received_codecs(content), Senders.INITIATOR
        contents.append(
            replace(
                content,
                codecs=codecs,
                senders=senders,
                transport=transports[content.name],
                header_extensions=(),
                source=make_source(),
            )
        )
    return SessionDescription(contents=tuple(contents), bundle=offer.bundle)


def _received_codecs(content: Content) -> tuple[Codec, ...]:
    """The first codec of the offer that carries pictures or sound by itself (not ``rtx``, ``red``, ``ulpfec``)."""
    if content.media is Media.AUDIO:
        return answered_codecs(content.codecs) or content.codecs[:1]
    known = [codec for codec in content.codecs if codec.name.lower() in _VIDEO_CODECS]
    return tuple(replace(codec, feedback=()) for codec in (known or content.codecs)[:1])


def voice_content(description: SessionDescription) -> Content:
    """The audio content that carries the voices.

    Raises:
        MediaFailed: there is none, or it has no codec that we have.
    """
    for content in description.contents:
        if content.media is Media.AUDIO:
            if not answered_codecs(content.codecs):
                break
            return content
    raise MediaFailed("the two devices have no sound format in common")


def check_answer(offer: SessionDescription, answer: SessionDescription) -> None:
    """Raise ``MediaFailed`` unless ``answer`` answers ``offer``."""
    offered = [(content.name, content.media) for content in offer.contents]
    answered = [(content.name, content.media) for content in answer.contents]
    if offered != answered:
        raise MediaFailed("the other device answered something that was not offered")
    voice_content(answer)


def transport_groups(description: SessionDescription) -> tuple[tuple[Content, ...], ...]:
    """The contents of each transport: those of the bundle on one (RFC 9143), all others on one of their own.

    The order is that of the description; the first content of a group is the one whose candidates count.
    """
    bundled = tuple(content for content in description.contents if content.name in description.bundle)
    groups: list[tuple[Content, ...]] = []
    for content in description.contents:
        if content.name not in description.bundle:
            groups.append((content,))
        elif content is bundled[0]:
            groups.append(bundled)
    return tuple(groups)


def remote_transport(group: tuple[Content, ...]) -> TransportDescription:
    """What the peer says about the transport of a group.

    Raises:
        SecurityRefused: the fingerprint is missing, or the contents name several.
    """
    first = group[0].transport
    if first.fingerprint is None:
        raise SecurityRefused("the other device announced no key for the call, so it cannot be encrypted")
    for content in group[1:]:
        other = content.transport.fingerprint
        if other is None or not other.matches(first.fingerprint):
            raise SecurityRefused("the other device announced conflicting keys for one connection")
    candidates = tuple(
        candidate
        for content in group
        if content.transport.credentials == first.credentials
        for candidate in content.transport.candidates
    )
    return replace(first, candidates=candidates)


def answering_setup(offered: Setup | None) -> Setup:
    """Our DTLS role in an answer: active, as RFC 5763, 5 recommends, unless the offer already decided."""
    return Setup.PASSIVE if offered is Setup.ACTIVE else Setup.ACTIVE


def is_client_of(answer: TransportDescription) -> bool:
    """Whether we, having offered actpass, begin the DTLS handshake.

    Raises:
        SecurityRefused: the answer does not decide (RFC 5763, 5 wants active or passive).
    """
    if answer.setup is Setup.PASSIVE:
        return True
    if answer.setup is Setup.ACTIVE:
        return False
    raise SecurityRefused("the other device did not say who begins the encryption handshake")
