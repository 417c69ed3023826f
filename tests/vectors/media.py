"""The media engine of a replay: descriptions with the same names, numbers and keys every time, and nothing behind."""

from __future__ import annotations

from dataclasses import replace

from openvoice.core.description import (
    SCREEN_CATEGORY,
    Candidate,
    CandidateType,
    Codec,
    Content,
    Feedback,
    Fingerprint,
    HeaderExtension,
    Media,
    SessionDescription,
    Setup,
    TransportDescription,
)
from openvoice.core.types import VideoLabel

FINGERPRINT = Fingerprint("sha-256", bytes(range(32)))
CODECS = (
    Codec(payload_type=111, name="opus", clock_rate=48000, channels=2, parameters=(("useinbandfec", "1"),)),
    Codec(payload_type=9, name="G722", clock_rate=8000),
    Codec(payload_type=0, name="PCMU", clock_rate=8000),
    Codec(payload_type=8, name="PCMA", clock_rate=8000),
    Codec(payload_type=110, name="telephone-event", clock_rate=48000),
)
VIDEO_CODECS = (
    Codec(
        payload_type=97,
        name="VP8",
        clock_rate=90000,
        feedback=(Feedback("nack"), Feedback("nack", "pli"), Feedback("goog-remb")),
    ),
    Codec(payload_type=98, name="rtx", clock_rate=90000, parameters=(("apt", "97"),)),
)
EXTENSIONS = frozenset(
    {
        "urn:ietf:params:rtp-hdrext:sdes:mid",
        "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
        "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    }
)
"""Taken in an answer, by the numbers of the offer."""
CANDIDATES = (
    Candidate(foundation="1", address="192.0.2.10", port=50000, priority=2130706431),
    Candidate(
        foundation="r1",
        address="198.51.100.9",
        port=61000,
        priority=16777215,
        type=CandidateType.RELAY,
        related_address="203.0.113.5",
        related_port=50000,
    ),
)


def offered(*, video: bool, gather_fully: bool) -> SessionDescription:
    """An offer in one bundle, with a transport for each content, for peers that do not bundle."""
    codecs = {Media.AUDIO: CODECS, Media.VIDEO: VIDEO_CODECS} if video else {Media.AUDIO: CODECS}
    contents = tuple(
        Content(name=str(number), media=media, codecs=known, transport=transport(number, Setup.ACTPASS, gather_fully))
        for number, (media, known) in enumerate(codecs.items())
    )
    return SessionDescription(contents=contents, bundle=tuple(content.name for content in contents))


def answered(offer: SessionDescription, *, gather_fully: bool) -> SessionDescription:
    """The answer, with a transport for each content outside of the bundle."""
    shared = [content.name in offer.bundle for content in offer.contents]
    contents = (
        answer_to(content, transport(0 if bundled else number, _role(content), gather_fully))
        for number, (content, bundled) in enumerate(zip(offer.contents, shared, strict=True))
    )
    return SessionDescription(contents=tuple(contents), bundle=offer.bundle)


def proposed(name: str, label: VideoLabel, local: SessionDescription, *, bundled: bool) -> Content:
    """A content of this side beyond its offer or answer."""
    category = SCREEN_CATEGORY if label is VideoLabel.SCREEN else ""
    own = _added(local, Setup.ACTPASS, bundled)
    return Content(name=name, media=Media.VIDEO, codecs=VIDEO_CODECS, transport=own, category=category)


def taken(content: Content, local: SessionDescription, *, bundled: bool) -> Content:
    """This side's half of a content that the peer added."""
    return answer_to(content, _added(local, _role(content), bundled))


def answer_to(content: Content, own: TransportDescription) -> Content:
    """``content`` with what this side knows of it, by the numbers that it has, over ``own``."""
    known = (
        codec for mine in (*CODECS, *VIDEO_CODECS) for codec in content.codecs if encoding(codec) == encoding(mine)
    )
    return replace(
        content,
        codecs=tuple(known),
        transport=own,
        header_extensions=tuple(_known(content.header_extensions)),
        source=None,
        repair=None,
    )


def transport(number: int, setup: Setup, gather_fully: bool) -> TransportDescription:
    """The transport of the content ``number``."""
    candidates = CANDIDATES if gather_fully else CANDIDATES[:1]
    return TransportDescription(
        ufrag="ov01" if number == 0 else f"ov{number}1",
        pwd="local-password-number-one" if number == 0 else f"local-password-of-content-{number}",
        fingerprint=FINGERPRINT,
        setup=setup,
        candidates=tuple(replace(candidate, port=candidate.port + number) for candidate in candidates),
    )


def encoding(codec: Codec) -> tuple[str, int, int]:
    """What a payload type stands for, whatever its number."""
    return codec.name.lower(), codec.clock_rate, codec.channels


def _role(content: Content) -> Setup:
    return Setup.PASSIVE if content.transport.setup is Setup.ACTIVE else Setup.ACTIVE


def _added(local: SessionDescription, setup: Setup, bundled: bool) -> TransportDescription:
    if bundled:
        return replace(local.contents[0].transport, setup=setup, candidates=())
    return replace(transport(5, setup, False), candidates=())


def _known(extensions: tuple[HeaderExtension, ...]) -> list[HeaderExtension]:
    return [extension for extension in extensions if extension.uri in EXTENSIONS]
