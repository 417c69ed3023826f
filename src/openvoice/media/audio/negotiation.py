"""Which codecs are offered, answered and sent with (XEP-0167, RFC 3264, RFC 7587, RFC 2198, RFC 4733)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from openvoice.core.description import Codec, Feedback
from openvoice.errors import MediaFailed
from openvoice.media.audio.codec import Decoder, Encoder, PayloadFormat
from openvoice.media.audio.g711 import G711Decoder, G711Encoder
from openvoice.media.audio.g722 import G722Decoder, G722Encoder
from openvoice.media.audio.opus import OpusDecoder, OpusEncoder

EVENTS = "telephone-event"
REDUNDANCY = "red"
RETRANSMISSION = Feedback("nack")

_OPUS_PARAMETERS = (("minptime", "10"), ("useinbandfec", "1"))
_OFFER = (
    Codec(
        payload_type=111,
        name="opus",
        clock_rate=48_000,
        channels=2,
        parameters=_OPUS_PARAMETERS,
        feedback=(RETRANSMISSION,),
    ),
    # RFC 2198, 5 would list the payload types within; as a parameter without a name that breaks some clients.
    Codec(payload_type=63, name=REDUNDANCY, clock_rate=48_000, channels=2),
    Codec(payload_type=9, name="G722", clock_rate=8000),
    Codec(payload_type=0, name="PCMU", clock_rate=8000),
    Codec(payload_type=8, name="PCMA", clock_rate=8000),
    Codec(payload_type=110, name=EVENTS, clock_rate=48_000),
    Codec(payload_type=101, name=EVENTS, clock_rate=8000),
)


def offered_codecs() -> tuple[Codec, ...]:
    """All that can be sent and received, best first."""
    return _OFFER


def answered_codecs(offer: Sequence[Codec]) -> tuple[Codec, ...]:
    """What of ``offer`` is understood: in our order of preference, with the payload types of the offer.

    Empty if no voice codec is in common. Telephone events and redundancy stay only in the clocks of the voice codecs
    answered.
    """
    found = [
        replace(
            ours,
            payload_type=theirs.payload_type,
            channels=theirs.channels,
            feedback=tuple(each for each in ours.feedback if each in theirs.feedback),
        )
        for ours in _OFFER
        if (theirs := _find(offer, ours)) is not None
    ]
    clocks = {codec.clock_rate for codec in found if is_voice(codec)}
    return tuple(codec for codec in found if codec.clock_rate in clocks)


def sending_codec(local: Sequence[Codec], remote: Sequence[Codec]) -> Codec:
    """The codec to send with: the first of ``local`` that ``remote`` takes, as ``remote`` numbers it.

    Raises:
        MediaFailed: no voice codec is in common.
    """
    for ours in local:
        if is_voice(ours) and _is_known(ours) and (theirs := _find(remote, ours)) is not None:
            return theirs
    raise MediaFailed("The other side offers no voice codec that this side has.")


def event_codec(codecs: Sequence[Codec], clock_rate: int) -> Codec | None:
    """The telephone events in the clock of the voice codec that they interrupt (RFC 4733, 2.1)."""
    return next((codec for codec in codecs if is_event(codec) and codec.clock_rate == clock_rate), None)


def redundancy_codec(local: Sequence[Codec], remote: Sequence[Codec], voice: Codec) -> Codec | None:
    """What carries copies of ``voice`` (RFC 2198), as ``remote`` numbers it, if both sides have it."""
    for ours in local:
        if is_redundancy(ours) and ours.clock_rate == voice.clock_rate:
            return _find(remote, ours)
    return None


def retransmits(local: Sequence[Codec], voice: Codec) -> bool:
    """Whether both sides ask for and give lost packets again (RFC 4585); ``voice`` is as the peer describes it."""
    ours = _find(local, voice)
    return ours is not None and RETRANSMISSION in ours.feedback and RETRANSMISSION in voice.feedback


def is_event(codec: Codec) -> bool:
    return codec.name.lower() == EVENTS


def is_redundancy(codec: Codec) -> bool:
    return codec.name.lower() == REDUNDANCY


def is_voice(codec: Codec) -> bool:
    return not is_event(codec) and not is_redundancy(codec)


def create_encoder(codec: Codec) -> Encoder:
    """Raises ``MediaFailed`` for a codec that is not one of :func:`offered_codecs`."""
    match codec.name.upper():
        case "OPUS":
            return OpusEncoder()
        case "G722":
            return G722Encoder()
        case "PCMU" | "PCMA" as law:
            return G711Encoder(law)
    raise MediaFailed("The other side wants a voice codec that this side does not have.")


def create_formats(codecs: Sequence[Codec]) -> dict[int, PayloadFormat]:
    """What reads each voice codec, by payload type."""
    formats: dict[int, PayloadFormat] = {}
    for codec in codecs:
        decoder: Decoder
        match codec.name.upper():
            case "OPUS":
                decoder = OpusDecoder()
            case "G722":
                decoder = G722Decoder()
            case "PCMU" | "PCMA" as law:
                decoder = G711Decoder(law)
            case _:
                continue
        formats[codec.payload_type] = PayloadFormat(decoder, codec.clock_rate)
    return formats


def _find(codecs: Sequence[Codec], wanted: Codec) -> Codec | None:
    return next((codec for codec in codecs if _is_same(codec, wanted)), None)


def _is_known(codec: Codec) -> bool:
    return _find(_OFFER, codec) is not None


def _is_same(one: Codec, other: Codec) -> bool:
    if (one.name.lower(), one.clock_rate) != (other.name.lower(), other.clock_rate):
        return False
    # RFC 7587, 7 wants opus to be named with two channels, whatever is sent; some name one.
    return one.name.lower() in ("opus", REDUNDANCY) or one.channels == other.channels == 1
