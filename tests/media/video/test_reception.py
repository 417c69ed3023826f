from __future__ import annotations

import pytest
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    wrap_rtx,
)
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import Feedback
from openvoice.media.video.assembly import MOST_OCTETS, ReceivedPicture
from openvoice.media.video.reception import PATIENCE, VideoReception
from tests.media.video.streams import (
    FEEDBACK,
    OWN,
    PLAIN,
    REPAIR,
    REPETITION,
    SSRC,
    VAGUE,
    content,
    make_depayloader,
    packets,
)

TRIP = 0.08


def reception(*, feedback: tuple[Feedback, ...] = FEEDBACK, repair: int | None = REPAIR) -> VideoReception:
    made = VideoReception(
        local=content(feedback=feedback),
        remote=content(SSRC, feedback=feedback, repair=repair),
        make_depayloader=make_depayloader,
    )
    made.learn(TRIP)
    return made


def stream(count: int, *, sequence: int = 65_530, ssrc: int = SSRC, payload_type: int = PLAIN) -> list[RtpPacket]:
    """Pictures of two packets, the first a key picture. A picture's data is its place, repeated."""
    made: list[RtpPacket] = []
    for place in range(count):
        data = bytes([place]) * 20
        made += packets(data, sequence + len(made), place * 3000, key=not place, size=10, payload_type=payload_type)
    for packet in made:
        packet.ssrc = ssrc
    return made


def play(into: VideoReception, made: list[RtpPacket], now: float = 10.0) -> list[int]:
    return [picture.data[0] for packet in made for picture in into.handle(packet, now)]


def messages(into: VideoReception, now: float) -> list[object]:
    return [each for data in into.feedback(now) for each in RtcpPacket.parse(data)]


def test_pictures_leave_as_they_come() -> None:
    into = reception()
    assert play(into, stream(5)) == [0, 1, 2, 3, 4]
    assert into.reception is not None
    assert (into.reception.ssrc, into.packets, into.octets, into.reception.lost) == (SSRC, 10, 110, 0)
    assert into.deadline() is None


def test_what_is_missing_is_asked_for_in_one_message_and_comes_by_rtx() -> None:
    into = reception()
    made = stream(5)
    assert play(into, made[:3] + made[5:]) == [0]
    (message,) = messages(into, 10.0)
    assert message == RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=OWN, media_ssrc=SSRC, lost=[65_533, 65_534])
    repeated = [wrap_rtx(packet, REPETITION, 5 + n, REPAIR) for n, packet in enumerate(made[3:5])]
    assert play(into, repeated, 10.08) == [1, 2, 3, 4]
    assert into.deadline() is None
    assert into.reception is not None
    assert (into.mended, into.nacks, into.reception.lost) == (2, 2, 2), (
        "the peer hears of the loss, though it is mended"
    )


def test_what_is_repeated_though_nobody_asked_mends_nothing() -> None:
    """As libwebrtc probes a path."""
    into, made = reception(), stream(4)
    probes = [wrap_rtx(packet, REPETITION, n, REPAIR) for n, packet in enumerate(made)]
    assert play(into, [*made, *probes]) == [0, 1, 2, 3]
    assert (into.packets, into.mended) == (8, 0)


def test_what_comes_again_as_it_was_sent_is_no_less_lost() -> None:
    into = reception(repair=None)
    made = stream(3)
    play(into, made[:3] + made[4:])
    messages(into, 10.0)
    assert play(into, made[3:4], 10.08) == [1, 2]
    assert into.reception is not None
    assert (into.mended, into.reception.lost) == (1, 1)


def test_repetitions_of_another_stream_or_of_nothing_are_passed_over() -> None:
    into = reception()
    made = stream(3)
    assert play(into, [wrap_rtx(made[0], REPETITION, 1, REPAIR)]) == [], "nothing is shown yet"
    play(into, made[:2])
    stranger = wrap_rtx(made[2], REPETITION, 1, REPAIR + 1)
    padding = RtpPacket(payload_type=REPETITION, ssrc=REPAIR, payload=b"")
    short = RtpPacket(payload_type=REPETITION, ssrc=REPAIR, payload=b"\x00\x01")
    assert play(into, [stranger, padding, short]) == []
    assert into.packets == 2
    assert into.mended == 0


def test_without_a_name_repetitions_are_known_by_their_payload_type() -> None:
    into = reception(repair=None)
    made = stream(2)
    assert play(into, [*made[:2], wrap_rtx(made[2], REPETITION, 1, 99), made[3]]) == [0, 1]


def test_a_gap_that_is_not_mended_costs_a_key_picture() -> None:
    into = reception()
    made = stream(4)
    play(into, made[:2] + made[3:])
    into.feedback(10.0)
    now = 10.0
    asked: list[RtcpPsfbPacket] = []
    while not asked:
        deadline = into.deadline()
        assert deadline is not None
        now = max(deadline, now + 0.001)
        asked = [each for each in messages(into, now) if isinstance(each, RtcpPsfbPacket)]
    assert now == pytest.approx(10.0 + PATIENCE, abs=0.002)
    assert asked == [RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=OWN, media_ssrc=SSRC)]
    assert into.plis == 1
    # The key picture comes, and nothing is asked for any more.
    assert play(into, stream(1, sequence=65_538), 10.5) == [0]
    assert into.deadline() is None
    assert into.dropped == 3


def test_at_the_beginning_a_key_picture_is_asked_for_unless_one_is_coming() -> None:
    into = reception()
    play(into, stream(2)[2:])
    assert into.deadline() == pytest.approx(10.02)
    assert [type(each) for each in messages(into, 10.03)] == [RtcpPsfbPacket]
    into = reception()
    play(into, stream(1)[:1])
    deadline = into.deadline()
    assert deadline is not None
    assert deadline >= 10.2


def test_a_peer_without_pli_gets_fir_with_a_number_that_counts() -> None:
    into = reception(feedback=(Feedback("ccm", "fir"),))
    play(into, stream(2)[2:])
    asked = [each for n in range(3) for each in messages(into, 11.0 + 10 * n)]
    assert [each.fci for each in asked if isinstance(each, RtcpPsfbPacket) and each.fmt == RTCP_PSFB_FIR] == [
        bytes([0, 0, 0, SSRC, n, 0, 0, 0]) for n in range(3)
    ]
    assert (into.firs, into.plis) == (3, 0)


def test_another_source_takes_over_when_it_insists_and_loses_nothing_by_that() -> None:
    into = reception()
    assert play(into, stream(2)) == [0, 1]
    other = stream(3, sequence=100, ssrc=50)
    assert play(into, other) == [0, 1, 2]
    assert into.reception is not None
    assert into.reception.ssrc == 50


def test_a_source_beside_the_one_that_is_shown_does_not_take_turns_with_it() -> None:
    into = reception()
    shown, other = stream(20), stream(20, ssrc=50)
    mixed = [packet for both in zip(shown, other, strict=True) for packet in both]
    assert play(into, mixed) == list(range(20))


def test_the_payload_type_may_change() -> None:
    into = reception()
    first, second = stream(2), stream(2, sequence=65_534, payload_type=VAGUE)
    for packet in second:
        packet.timestamp += 6000
    assert play(into, first + second) == [0, 1, 0, 1]


def test_a_stray_number_changes_nothing_and_a_new_beginning_begins_anew() -> None:
    into = reception()
    made = stream(10)
    stray = packets(b"x", 30_000, 77)
    assert play(into, [*made[:10], *stray, *made[10:]]) == list(range(10))
    anew = stream(4, sequence=20_000)
    assert play(into, anew[:1]) == []
    left = play(into, anew[1:] + packets(bytes([9]), 20_008, 99_000, key=True), 10.1)
    assert left == [9], "the first packet counted as a stray, so its picture is missing"
    assert into.dropped == 4


def test_what_nobody_can_read_costs_a_key_picture_and_no_more() -> None:
    into = reception()
    made = stream(4)
    made[3].payload = b"\xff"
    assert play(into, made) == [0]
    assert [each for each in messages(into, 10.1) if isinstance(each, RtcpPsfbPacket)]


def test_padding_keeps_the_stream_together() -> None:
    into = reception()
    made = stream(2)
    padding = [RtpPacket(payload_type=PLAIN, sequence_number=65_532 + n & 0xFFFF, ssrc=SSRC) for n in range(3)]
    for packet in made[2:]:
        packet.sequence_number = packet.sequence_number + 3 & 0xFFFF
    assert play(into, made[:2] + padding + made[2:]) == [0, 1]


@st.composite
def hostile(draw: st.DrawFn) -> tuple[float, RtpPacket]:
    packet = RtpPacket(
        payload_type=draw(st.sampled_from([PLAIN, VAGUE, REPETITION, 5])),
        marker=draw(st.integers(0, 1)),
        sequence_number=draw(st.integers(0, 65_535) | st.integers(0, 30)),
        timestamp=draw(st.integers(0, 2**32 - 1) | st.integers(0, 4)),
        ssrc=draw(st.sampled_from([SSRC, SSRC, SSRC, REPAIR, 50])),
        payload=draw(st.sampled_from([b"", b"\x00", b"\x00a", b"\x01b", b"\x02c", b"\x03d", b"\x01unfit", b"\x07"])),
    )
    return draw(st.floats(0, 0.5)), packet


@given(st.lists(hostile(), max_size=120))
def test_whatever_a_peer_sends_nothing_breaks(sent: list[tuple[float, RtpPacket]]) -> None:
    into, now, left = reception(), 10.0, list[ReceivedPicture]()
    for wait, packet in sent:
        now += wait
        left += into.handle(packet, now)
        for _ in range(3):
            into.feedback(now)
        deadline = into.deadline()
        assert deadline is None or deadline > now, "it never wants to be asked again at once"
        assert into.held <= MOST_OCTETS
        assert into.dropped >= 0


def test_a_stream_of_8k_and_fragments_without_end_are_bounded() -> None:
    into = reception()
    asked = 0
    for number in range(40_000):
        payload = bytes([3 if not number % 9000 else 2]) + bytes(1200)
        into.handle(
            RtpPacket(payload_type=PLAIN, sequence_number=number & 0xFFFF, ssrc=SSRC, payload=payload), number / 5000
        )
        assert into.held <= MOST_OCTETS
        asked += len(into.feedback(number / 5000))
    assert asked < 20
