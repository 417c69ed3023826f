"""Offers and answers: which contents share a transport, who begins DTLS, and what may be accepted. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from openvoice.core.description import (
    SCREEN_CATEGORY,
    Codec,
    Content,
    Media,
    Senders,
    SessionDescription,
    Setup,
    Source,
    TransportDescription,
)
from openvoice.core.types import VideoLabel
from openvoice.errors import MediaFailed, SecurityRefused
from openvoice.media.audio.negotiation import answered_codecs, offered_codecs
from openvoice.media.bundling import numbered, without_clashes
from openvoice.media.video.negotiation import (
    RETRANSMISSION,
    answered_extensions,
    answered_video_codecs,
    offered_extensions,
    offered_video_codecs,
)

AUDIO_NAME, VIDEO_NAME = "0", "1"
"""The contents of our offers."""

_VIDEO_CODECS = frozenset({"vp8", "vp9", "h264", "h265", "av1"})

MakeSource = Callable[[], Source]


def make_offer(transports: Mapping[str, TransportDescription], make_source: MakeSource) -> SessionDescription:
    """One audio content and, where there is a transport for it, one with pictures; in a bundle, which may grow.

    Each has a transport of its own, so that a peer that knows nothing of bundles can answer as well (RFC 9143, 7.2.1).
    """
    contents = [
        Content(
            name=AUDIO_NAME,
            media=Media.AUDIO,
            codecs=offered_codecs(),
            transport=transports[AUDIO_NAME],
            source=make_source(),
        )
    ]
    if VIDEO_NAME in transports:
        camera = make_pictures(VIDEO_NAME, VideoLabel.CAMERA, transports[VIDEO_NAME], make_source, contents)
        contents.append(camera)
    return SessionDescription(contents=tuple(contents), bundle=tuple(content.name for content in contents))


def make_pictures(
    name: str, label: VideoLabel, transport: TransportDescription, make_source: MakeSource, others: Sequence[Content]
) -> Content:
    """A content with pictures to be offered, with numbers that fit those of ``others``, which share its transport.

    Raises:
        VideoFailed: there are no numbers left.
    """
    content = Content(
        name=name,
        media=Media.VIDEO,
        codecs=offered_video_codecs(),
        transport=transport,
        header_extensions=offered_extensions(),
        source=make_source(),
        repair=make_source().ssrc,
        category=SCREEN_CATEGORY if label is VideoLabel.SCREEN else "",
    )
    return numbered(content, others)


def make_answer(
    offer: SessionDescription,
    transports: Mapping[str, TransportDescription],
    make_source: MakeSource,
    video: bool = False,
) -> SessionDescription:
    """The answer that mirrors the offer: same names, same order, same media (Conversations insists on all three).

    The first audio content is the call. Both sides may send in the pictures of a camera if ``video``, else only the
    peer may. Every other content, and pictures that nobody here can read, are accepted to receive only and what comes
    is thrown away; refusing them would make some clients drop the whole session. A content without ``rtcp-mux`` is
    accepted as well and answered without it: RTP flows on component 1, and what RTCP the peer sends on a component 2
    that it never gets to connect is missed, not needed.
    """
    voice = voice_content(offer)
    contents: list[Content] = []
    for content in offer.contents:
        transport = transports[content.name]
        bundled = [other for other in contents if {other.name, content.name} <= set(offer.bundle)]
        shown = answer_pictures(content, transport, make_source, bundled)
        if content is voice:
            answer = replace(content, codecs=answered_codecs(content.codecs))
        elif shown is not None:
            both = content.senders is not Senders.BOTH or (video and content.label is VideoLabel.CAMERA)
            answer = shown if both else replace(shown, senders=Senders.INITIATOR)
        else:
            answer = replace(content, codecs=_received_codecs(content), senders=Senders.INITIATOR, repair=None)
        if shown is None:
            answer = replace(answer, transport=transport, header_extensions=(), source=make_source())
        contents.append(answer)
    return SessionDescription(contents=tuple(contents), bundle=offer.bundle)


def answer_pictures(
    offered: Content, transport: TransportDescription, make_source: MakeSource, others: Sequence[Content]
) -> Content | None:
    """Our half of a content with pictures, or ``None`` for what nobody here can read, or nobody could tell apart.

    ``others`` are our halves of what shares its transport. The senders are as offered.
    """
    codecs = answered_video_codecs(offered.codecs) if offered.media is Media.VIDEO else ()
    answer = without_clashes(
        replace(
            offered,
            codecs=codecs,
            transport=transport,
            header_extensions=answered_extensions(offered.header_extensions),
            source=make_source(),
            repair=None,
        ),
        others,
    )
    repairs = [codec.name == RETRANSMISSION for codec in answer.codecs]
    if all(repairs):
        return None
    return replace(answer, repair=make_source().ssrc) if any(repairs) else answer


def is_shown(content: Content) -> bool:
    """Whether what comes in a content of ours can be shown: pictures of a codec that we have."""
    return content.media is Media.VIDEO and bool(answered_video_codecs(content.codecs))


def agreed(ours: Content, theirs: Content) -> Content:
    """What both halves of a content have: header extensions, and feedback for each codec, as our half numbers them."""
    uris = {extension.uri for extension in theirs.header_extensions}
    feedback = {(codec.payload_type, codec.name.lower()): codec.feedback for codec in theirs.codecs}
    return replace(
        ours,
        header_extensions=tuple(each for each in ours.header_extensions if each.uri in uris),
        codecs=tuple(
            replace(codec, feedback=tuple(each for each in codec.feedback if each in known))
            for codec in ours.codecs
            if (known := feedback.get((codec.payload_type, codec.name.lower()))) is not None
        ),
    )


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
    """Raise ``MediaFailed`` unless ``answer`` answers ``offer``. Pictures may be left out."""
    answered = [(content.name, content.media) for content in answer.contents]
    expected = [
        (content.name, content.media)
        for content in offer.contents
        if content.media is not Media.VIDEO or answer.content(content.name) is not None
    ]
    if answered != expected:
        raise MediaFailed("the other device answered something that was not offered")
    voice_content(answer)


def only(description: SessionDescription, names: Iterable[str]) -> SessionDescription:
    """The description with the contents of those names, of which there is one at least."""
    kept = tuple(content for content in description.contents if content.name in set(names))
    known = {content.name for content in kept}
    return SessionDescription(contents=kept, bundle=tuple(name for name in description.bundle if name in known))


def transport_groups(local: SessionDescription, remote: SessionDescription) -> tuple[tuple[Content, ...], ...]:
    """The contents of ``remote`` by transport: those that both sides bundle on one (RFC 9143), the others on their own.

    The order is that of the description; the first content of a group is the one whose candidates count.
    """
    both = set(local.bundle) & set(remote.bundle)
    bundled = tuple(content for content in remote.contents if content.name in both)
    groups: list[tuple[Content, ...]] = []
    for content in remote.contents:
        if content.name not in both:
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


def is_client(local: TransportDescription, remote: TransportDescription) -> bool:
    """Whether we begin the DTLS handshake: the half decides that does not leave it open.

    Raises:
        SecurityRefused: the peer's answer does not decide (RFC 5763, 5 wants active or passive).
    """
    if local.setup in (Setup.ACTIVE, Setup.PASSIVE):
        return local.setup is Setup.ACTIVE
    if remote.setup in (Setup.ACTIVE, Setup.PASSIVE):
        return remote.setup is Setup.PASSIVE
    raise SecurityRefused("the other device did not say who begins the encryption handshake")
