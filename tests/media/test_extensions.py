"""Header extensions of received packets."""

from __future__ import annotations

from aiortc import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import HeaderExtension
from openvoice.media.extensions import ExtensionReader
from openvoice.media.video.negotiation import ABSOLUTE_SEND_TIME, MID, TRANSPORT_WIDE


def reader(*extensions: HeaderExtension) -> ExtensionReader:
    made = ExtensionReader()
    made.agree(extensions)
    return made


def packet(mid: int, time: int, number: int) -> bytes:
    """A packet whose extensions have these ids."""
    ids = {MID: mid, ABSOLUTE_SEND_TIME: time, TRANSPORT_WIDE: number}
    written = HeaderExtensionsMap()
    written.configure(
        RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(number, uri) for uri, number in ids.items()])
    )
    made = RtpPacket(payload=b"picture")
    made.extensions.mid = "v"
    made.extensions.abs_send_time = 0x123456
    made.extensions.transport_sequence_number = 77
    return bytes(made.serialize(written))


def test_contents_may_number_them_differently() -> None:
    known = reader(
        HeaderExtension(1, MID),
        HeaderExtension(2, ABSOLUTE_SEND_TIME),
        HeaderExtension(3, TRANSPORT_WIDE),
        HeaderExtension(4, MID),
        HeaderExtension(5, "urn:example:unknown"),
    )
    for mid in (1, 4):
        found = RtpPacket.parse(packet(mid, 2, 3), known).extensions
        assert (found.mid, found.abs_send_time, found.transport_sequence_number) == ("v", 0x123456, 77)


def test_what_nobody_announced_is_passed_over() -> None:
    for known in (reader(), reader(HeaderExtension(9, MID))):
        found = RtpPacket.parse(packet(1, 2, 3), known).extensions
        assert (found.mid, found.abs_send_time, found.transport_sequence_number) == (None, None, None)


def test_what_is_of_the_wrong_length_is_passed_over() -> None:
    known = reader(HeaderExtension(1, ABSOLUTE_SEND_TIME), HeaderExtension(2, TRANSPORT_WIDE))
    found = RtpPacket.parse(packet(3, 2, 1), known).extensions
    assert (found.abs_send_time, found.transport_sequence_number) == (None, None)


@given(st.sampled_from([0xBEDE, 0x1000, 7]), st.binary(max_size=40))
def test_whatever_comes_is_read_or_refused(profile: int, value: bytes) -> None:
    known = reader(
        *(HeaderExtension(number, uri) for number, uri in enumerate((MID, ABSOLUTE_SEND_TIME, TRANSPORT_WIDE), 1))
    )
    try:
        known.get(profile, value)
    except ValueError as error:
        assert str(error)  # noqa: PT017
