"""Which codecs and header extensions of pictures are offered, answered and sent with (XEP-0167, XEP-0293, XEP-0294,
RFC 3264, RFC 4588, RFC 6184, 8.2.2; RFC 7741, 6; RFC 9628, 7; the AV1 RTP specification, 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from openvoice.core.description import Codec, Feedback, HeaderExtension
from openvoice.errors import MediaFailed
from openvoice.media.video.codec import CLOCK_RATE, Depayloader, Payloader, PictureDecoder, PictureEncoder
from openvoice.media.video.codecs import av1, libvpx, libx264
from openvoice.media.video.codecs.av1 import Av1Encoder
from openvoice.media.video.codecs.decoder import Decoder
from openvoice.media.video.codecs.h264 import H264Encoder
from openvoice.media.video.codecs.limited import LimitedEncoder
from openvoice.media.video.codecs.vpx import VpxEncoder
from openvoice.media.video.parameters import answered_parameters, picture_limits, profile, variant
from openvoice.media.video.payload.av1 import Av1Depayloader, Av1Payloader
from openvoice.media.video.payload.h264 import H264Depayloader, H264Payloader
from openvoice.media.video.payload.vp8 import Vp8Depayloader, Vp8Payloader
from openvoice.media.video.payload.vp9 import Vp9Depayloader, Vp9Payloader

RETRANSMISSION: Final = "rtx"
MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
ABSOLUTE_SEND_TIME: Final = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_WIDE: Final = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

NACK, PLI, FIR = Feedback("nack"), Feedback("nack", "pli"), Feedback("ccm", "fir")
REMB, TRANSPORT_CC = Feedback("goog-remb"), Feedback("transport-cc")
FEEDBACK: Final = (NACK, PLI, FIR, REMB, TRANSPORT_CC)
"""RFC 4585, RFC 5104, and what libwebrtc calls the two ways to estimate a path."""

_EXTENSIONS: Final = (
    HeaderExtension(2, ABSOLUTE_SEND_TIME),
    HeaderExtension(3, TRANSPORT_WIDE),
    HeaderExtension(4, MID),
)
_ONE_OCTET_IDS: Final = range(1, 15)
"""RFC 8285, 4.2: the others need headers of two octets, which nobody agreed to."""


def _codec(payload_type: int, name: str, *parameters: tuple[str, str]) -> Codec:
    return Codec(payload_type=payload_type, name=name, clock_rate=CLOCK_RATE, parameters=parameters, feedback=FEEDBACK)


def _repair(payload_type: int, codec: Codec) -> Codec:
    parameters = (("apt", str(codec.payload_type)),)
    return Codec(payload_type=payload_type, name=RETRANSMISSION, clock_rate=CLOCK_RATE, parameters=parameters)


def _h264(payload_type: int, mode: str) -> Codec:
    parameters = (
        ("level-asymmetry-allowed", "1"),
        ("packetization-mode", mode),
        ("profile-level-id", "42e01f"),
    )
    return _codec(payload_type, "H264", *parameters)


_OFFER: Final = (
    _codec(96, "VP8"),
    _h264(102, "1"),
    _h264(104, "0"),
    _codec(98, "VP9", ("profile-id", "0")),
    _codec(45, "AV1"),
)
"""Best first: what every client has and what costs least comes before what looks better."""


def offered_video_codecs() -> tuple[Codec, ...]:
    """All that can be received, best first, each followed by its retransmissions (RFC 4588)."""
    return tuple(each for codec in _OFFER for each in (codec, _repair(codec.payload_type + 1, codec)))


def answered_video_codecs(offer: Sequence[Codec]) -> tuple[Codec, ...]:
    """What of ``offer`` is understood: in our order of preference, numbered as in the offer, with the feedback that
    both know. Each is followed by its retransmissions if the offer has them. Empty if nothing is in common."""
    found: list[Codec] = []
    for ours in _OFFER:
        theirs = _find(offer, ours)
        if theirs is None or any(codec.payload_type == theirs.payload_type for codec in found):
            continue
        found.append(
            replace(
                theirs,
                name=ours.name,
                parameters=answered_parameters(theirs),
                feedback=tuple(each for each in FEEDBACK if each in theirs.feedback),
            )
        )
        if (repair := repair_codec(offer, theirs.payload_type)) is not None:
            found.append(_repair(repair.payload_type, theirs))
    return tuple(found)


def sending_video_codec(local: Sequence[Codec], remote: Sequence[Codec]) -> Codec | None:
    """The codec to send with: the first of ``local`` that ``remote`` takes and that this machine can code, as
    ``remote`` describes it; ``None`` if there is none.

    Dino reads and writes the first codec of an answer only: ours is in our order, so it is the one that this gives.
    """
    for ours in local:
        if is_known(ours) and (theirs := _find(remote, ours)) is not None and can_encode(theirs):
            return theirs
    return None


def repair_codec(codecs: Sequence[Codec], payload_type: int) -> Codec | None:
    """What carries packets of ``payload_type`` again (RFC 4588, 8.1)."""
    for codec in codecs:
        repairs = codec.name.lower() == RETRANSMISSION and codec.clock_rate == CLOCK_RATE
        if repairs and codec.parameter("apt") == str(payload_type) != str(codec.payload_type):
            return codec
    return None


def offered_extensions() -> tuple[HeaderExtension, ...]:
    """In one-octet headers (RFC 8285): whose packet it is, when it left, and its number on the transport."""
    return _EXTENSIONS


def answered_extensions(offer: Sequence[HeaderExtension]) -> tuple[HeaderExtension, ...]:
    """What of ``offer`` is understood, with its ids. Of an id or a name that comes twice, the first counts."""
    known = {extension.uri for extension in _EXTENSIONS}
    found: list[HeaderExtension] = []
    for extension in offer:
        taken = any(extension.id == other.id or extension.uri == other.uri for other in found)
        if extension.uri in known and extension.id in _ONE_OCTET_IDS and not taken:
            found.append(extension)
    return tuple(found)


def is_known(codec: Codec) -> bool:
    """Whether it is a codec of pictures that this side has, with parameters that are understood and in range."""
    return any(variant(ours) == variant(codec) for ours in _OFFER)


def can_encode(codec: Codec) -> bool:
    """Whether this machine has what codes it, and keeps up."""
    match _known_name(codec):
        case "VP8" | "VP9":
            return libvpx.is_usable()
        case "H264":
            return libx264.is_usable()
        case "AV1":
            return av1.is_usable()
    return False


def make_encoder(codec: Codec, *, screen: bool = False) -> PictureEncoder:
    """For ``codec`` as the peer describes it, whose limits it keeps. ``screen`` is for text that mostly stands still.

    Raises:
        MediaFailed: this machine cannot code it.
    """
    encoder: PictureEncoder
    match _known_name(codec):
        case "VP8" | "VP9" as name:
            encoder = VpxEncoder(name.lower(), screen=screen)
        case "H264":
            encoder = H264Encoder(slices=not _packetization_mode(codec))
        case _:
            encoder = Av1Encoder()
    return LimitedEncoder(encoder, picture_limits(codec))


def make_decoder(codec: Codec) -> PictureDecoder:
    """Raises ``MediaFailed`` for a codec that is not one of :func:`offered_video_codecs`."""
    return Decoder(_known_name(codec))


def make_payloader(codec: Codec) -> Payloader:
    """For ``codec`` as the peer describes it. Raises ``MediaFailed`` for one that is not known."""
    match _known_name(codec):
        case "VP8":
            return Vp8Payloader()
        case "H264":
            return H264Payloader(_packetization_mode(codec))
        case "VP9":
            return Vp9Payloader()
    return Av1Payloader()


def make_depayloader(codec: Codec) -> Depayloader:
    """Raises ``MediaFailed`` for a codec that is not one of :func:`offered_video_codecs`."""
    match _known_name(codec):
        case "VP8":
            return Vp8Depayloader()
        case "H264":
            return H264Depayloader()
        case "VP9":
            return Vp9Depayloader()
    return Av1Depayloader()


def _packetization_mode(codec: Codec) -> int:
    return int(codec.parameter("packetization-mode") or 0)


def _known_name(codec: Codec) -> str:
    if not is_known(codec):
        raise MediaFailed("The other side wants a video codec that this side does not have.")
    return codec.name.upper()


def _find(codecs: Sequence[Codec], wanted: Codec) -> Codec | None:
    same = [codec for codec in codecs if variant(codec) == variant(wanted)]
    # Of several profiles of H.264 the one that is wanted, else the first.
    exact = (codec for codec in same if profile(codec) is profile(wanted))
    return next(exact, same[0] if same else None)
