from __future__ import annotations

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, unwrap_rtx

from openvoice.core.description import HeaderExtension
from openvoice.media.path.sending import Outgoing
from openvoice.media.video.packets import PacketWriter

EXTENSIONS = (
    HeaderExtension(2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
    HeaderExtension(3, "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"),
    HeaderExtension(4, "urn:ietf:params:rtp-hdrext:sdes:mid"),
)


def writer(
    *, repair: bool = True, extensions: tuple[HeaderExtension, ...] = EXTENSIONS
) -> tuple[PacketWriter, list[int]]:
    resent: list[int] = []

    def resend(sequence: int) -> bool:
        resent.append(sequence)
        return True

    return PacketWriter(
        payload_type=96,
        ssrc=7,
        repair=(97, 8) if repair else None,
        extensions=extensions,
        mid="video",
        first=(65534, 100),
        resend=resend,
    ), resent


def read(data: bytes | None) -> RtpPacket:
    assert data is not None
    extensions = HeaderExtensionsMap()
    extensions.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=each.id, uri=each.uri) for each in EXTENSIONS]
        )
    )
    return RtpPacket.parse(data, extensions)


def leave(packets: list[Outgoing], number: int = 0, now: float = 5.0) -> list[RtpPacket]:
    return [read(packet.make(number + index, now)) for index, packet in enumerate(packets)]


def test_a_picture_becomes_packets_of_one_timestamp_the_last_one_marked() -> None:
    packets, _ = writer()
    sent = leave(packets.picture([b"a", b"b", b"c"], 9000), 500)
    assert [(each.payload, each.marker, each.sequence_number) for each in sent] == [
        (b"a", 0, 65534),
        (b"b", 0, 65535),
        (b"c", 1, 0),
    ]
    assert {(each.timestamp, each.ssrc, each.payload_type) for each in sent} == {(9000, 7, 96)}
    assert packets.counts == {"packets": 3, "octets": 3}


def test_extensions_are_of_the_moment_in_which_a_packet_leaves() -> None:
    packets, _ = writer()
    (sent,) = leave(packets.picture([b"a"], 0), 513, now=64.5)
    assert sent.extensions.transport_sequence_number == 513
    assert sent.extensions.abs_send_time == round(0.5 * 2**18)
    assert sent.extensions.mid == "video"


def test_without_extensions_there_are_none() -> None:
    packets, _ = writer(extensions=())
    (outgoing,) = packets.picture([b"abc"], 0)
    assert len(outgoing.make(1, 1.0) or b"") == 15


def test_what_never_leaves_has_no_number() -> None:
    packets, _ = writer()
    packets.picture([b"dropped"], 1)
    (sent,) = leave(packets.picture([b"a"], 2))
    assert sent.sequence_number == 65534


def test_a_picture_that_is_cut_leaves_a_gap_and_a_whole_one_none() -> None:
    packets, _ = writer()
    begun = packets.picture([b"a", b"b"], 1)
    leave(begun[:1])
    packets.skip()
    packets.skip()
    (sent,) = leave(packets.picture([b"key"], 2))
    assert sent.sequence_number == 0
    packets.skip()
    (sent,) = leave(packets.picture([b"next"], 3))
    assert sent.sequence_number == 1


def test_what_is_asked_for_is_sent_again_on_the_source_of_repairs() -> None:
    packets, _ = writer()
    first, second = leave(packets.picture([b"a", b"b"], 9000))
    again = leave(packets.again([65535, 12345, 65534], 0.05, 5.1), 900, now=5.1)
    assert [(each.ssrc, each.payload_type, each.sequence_number) for each in again] == [(8, 97, 100), (8, 97, 101)]
    restored = [unwrap_rtx(each, payload_type=96, ssrc=7) for each in again]
    assert [(each.sequence_number, each.payload, each.marker) for each in restored] == [
        (65535, b"b", 1),
        (65534, b"a", 0),
    ]
    assert [each.extensions.transport_sequence_number for each in again] == [900, 901]
    assert packets.counts["retransmitted"] == 2
    assert packets.counts["packets"] == 2
    assert first.timestamp == second.timestamp == again[0].timestamp


def test_without_repairs_the_same_octets_are_sent_again() -> None:
    packets, resent = writer(repair=False)
    leave(packets.picture([b"a"], 9000))
    (again,) = packets.again([65534], None, 5.1)
    assert again.picture is None
    assert again.make(1, 5.1) is None
    assert resent == [65534]
    assert packets.counts["retransmitted"] == 1


def test_rates_are_of_the_last_second() -> None:
    packets, _ = writer()
    for number in range(30):
        leave(packets.picture([bytes(1000)] * 2, number), now=number / 10)
    kbits, pictures = packets.rates(2.9)
    assert (kbits, pictures) == (10 * 2 * 8, 10) or (kbits, pictures) == (11 * 2 * 8, 11)
    assert packets.rates(60.0) == (0, 0)
