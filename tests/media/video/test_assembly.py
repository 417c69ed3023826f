from __future__ import annotations

import itertools
import random

import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.assembly import MOST_OCTETS, MOST_PACKETS, PictureAssembly, ReceivedPicture
from openvoice.media.video.codec import MalformedPayload
from tests.media.video.streams import PLAIN, VAGUE, PlainDepayloader, packets

Numbered = tuple[int, RtpPacket]


def assembly() -> PictureAssembly:
    return PictureAssembly({PLAIN: PlainDepayloader(), VAGUE: PlainDepayloader(tells_beginning=False)})


def stream(sizes: list[int], *, keys: tuple[int, ...] = (0,), payload_type: int = PLAIN) -> list[Numbered]:
    """Pictures of so many packets, 10 octets each, numbered from 100 on. A picture's data is its place, repeated."""
    numbered: list[Numbered] = []
    for place, size in enumerate(sizes):
        data = bytes([place % 256]) * (10 * size)
        made = packets(data, 100 + len(numbered), place * 3000, key=place in keys, size=10, payload_type=payload_type)
        numbered += [(100 + len(numbered) + each, packet) for each, packet in enumerate(made)]
    return numbered


def insert(into: PictureAssembly, numbered: list[Numbered]) -> list[ReceivedPicture]:
    return [picture for number, packet in numbered for picture in into.insert(number, packet, number / 1000)]


def places(pictures: list[ReceivedPicture]) -> list[int]:
    return [picture.data[0] for picture in pictures]


@pytest.mark.parametrize("payload_type", [PLAIN, VAGUE])
def test_a_picture_leaves_with_its_last_packet_not_with_the_next_one(payload_type: int) -> None:
    into = assembly()
    for place, size in enumerate([3, 1, 2]):
        picture = [each for each in stream([3, 1, 2], payload_type=payload_type) if each[1].timestamp == place * 3000]
        assert insert(into, picture[:-1]) == []
        (left,) = insert(into, picture[-1:])
        assert left == ReceivedPicture(
            data=bytes([place]) * 10 * size,
            key=place == 0,
            payload_type=payload_type,
            timestamp=place * 3000,
            began=picture[0][0] / 1000,
            ended=picture[-1][0] / 1000,
        )
    assert into.held == into.octets == 0


def test_a_picture_without_a_marker_ends_where_the_next_one_begins() -> None:
    into = assembly()
    numbered = stream([2, 2])
    numbered[1][1].marker = 0
    assert insert(into, numbered[:2]) == []
    assert places(insert(into, numbered[2:])) == [0, 1]


def test_nothing_is_decoded_before_a_key_picture() -> None:
    into = assembly()
    assert insert(into, stream([2, 2], keys=())) == []
    assert into.needs_key


def test_pictures_after_a_gap_wait_until_it_is_mended() -> None:
    into = assembly()
    numbered = stream([2, 2, 2, 2])
    late = numbered.pop(3)
    assert places(insert(into, numbered)) == [0]
    mended, *rest = into.insert(late[0], late[1], 5.0)
    assert mended.ended == 5.0
    assert places(rest) == [2, 3]
    assert all(picture.ended < 1 for picture in rest)
    assert into.dropped == 0


def test_a_key_picture_goes_on_whatever_is_missing_before_it() -> None:
    into = assembly()
    numbered = stream([2, 2, 2, 2, 1], keys=(0, 3))
    missing = numbered.pop(3)
    assert places(insert(into, numbered)) == [0, 3, 4]
    assert into.dropped == 2
    assert into.held == into.octets == 0
    assert into.insert(missing[0], missing[1], 0.0) == []
    assert into.held == 0


def test_a_beginning_that_is_vague_needs_the_packet_before() -> None:
    into = assembly()
    numbered = stream([2, 2, 3], keys=(0, 2), payload_type=VAGUE)
    del numbered[4]  # the first packet of the second key picture; what is left of it may begin a picture, too
    assert places(insert(into, numbered)) == [0, 1]
    into = assembly()
    numbered = stream([2, 2, 3], keys=(0, 2), payload_type=VAGUE)
    del numbered[2]  # the first packet of the picture between
    assert places(insert(into, numbered)) == [0, 2]


def test_padding_between_pictures_belongs_to_none() -> None:
    for payload_type in (PLAIN, VAGUE):
        into = assembly()
        first, second = stream([1, 1], payload_type=payload_type)
        paddings = [(101 + n, RtpPacket(payload_type=payload_type, timestamp=0)) for n in range(3)]
        assert places(insert(into, [first, *paddings, (104, second[1])])) == [0, 1]
        into = assembly()
        assert places(insert(into, [first, (104, second[1]), *paddings])) == [0, 1]
        assert into.held == 0


def test_the_codec_may_change_with_a_key_picture() -> None:
    into = assembly()
    numbered = stream([2, 2])
    changed = stream([2, 2, 2], keys=(2,), payload_type=VAGUE)[4:]
    assert [picture.payload_type for picture in insert(into, [*numbered, *changed])] == [PLAIN, PLAIN, VAGUE]


def test_what_nobody_can_read_is_refused_and_changes_nothing() -> None:
    into = assembly()
    with pytest.raises(MalformedPayload):
        into.insert(100, RtpPacket(payload_type=PLAIN, payload=b"\xff"), 0.0)
    assert into.held == 0


def test_fragments_that_do_not_fit_together_make_a_key_picture_needed() -> None:
    into = assembly()
    numbered = stream([1, 1, 1, 1], keys=(0, 3))
    numbered[1][1].payload = b"\x01unfit"
    assert places(insert(into, numbered[:3])) == [0]
    assert into.needs_key
    assert places(insert(into, numbered[3:])) == [3]


def test_a_picture_that_never_ends_takes_no_more_than_the_bound() -> None:
    into = assembly()
    for number in range(5 * MOST_PACKETS):
        payload = (b"\x03" if not number else b"\x02") + bytes(10)
        into.insert(number, RtpPacket(payload_type=PLAIN, payload=payload), 0.0)
        assert into.held <= MOST_PACKETS
    for number in range(200):
        payload = b"\x02" + bytes(65_000)
        into.insert(20_000 + number, RtpPacket(payload_type=PLAIN, payload=payload), 0.0)
        assert into.octets <= MOST_OCTETS
    into.insert(30_000, RtpPacket(payload_type=PLAIN, payload=b"\x03x", timestamp=9, marker=1), 0.0)
    assert into.held == into.octets == 0, "and the next key picture goes on"


@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=20),
    st.integers(0, 2**32),
    st.lists(st.integers(0, 99), max_size=20),
)
def test_in_whatever_order_packets_come_and_how_often_pictures_leave_in_order(
    sizes: list[int], seed: int, again: list[int]
) -> None:
    numbered = stream(sizes)
    order = numbered + [numbered[each % len(numbered)] for each in again]
    random.Random(seed).shuffle(order)
    into = assembly()
    assert places(insert(into, order)) == list(range(len(sizes)))
    assert into.held == into.octets == into.dropped == 0


@given(
    st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=25),
    st.sets(st.integers(0, 60)),
    st.integers(0, 2**32),
    st.sampled_from([PLAIN, VAGUE]),
)
def test_only_what_can_be_decoded_leaves(
    pictures: list[tuple[int, bool]], lost: set[int], seed: int, payload_type: int
) -> None:
    keys = tuple(place for place, (_, key) in enumerate(pictures) if key)
    numbered = stream([size for size, _ in pictures], keys=keys, payload_type=payload_type)
    chance = random.Random(seed)
    came = [each for place, each in enumerate(numbered) if place not in lost]
    came = [each for _, each in sorted((place + chance.choice([0, 0, 0, 3]), each) for place, each in enumerate(came))]
    left = insert(assembly(), came)
    whole = {packet.timestamp // 3000 for _, packet in numbered} - {
        numbered[place][1].timestamp // 3000 for place in lost if place < len(numbered)
    }
    if payload_type == PLAIN:
        assert set(places(left)) <= whole
        for before, after in itertools.pairwise([-1, *places(left)]):
            assert after in keys or after == before + 1
    assert places(left) == sorted(places(left))


@st.composite
def hostile(draw: st.DrawFn) -> tuple[int, RtpPacket]:
    packet = RtpPacket(
        payload_type=draw(st.sampled_from([PLAIN, VAGUE])),
        marker=draw(st.integers(0, 1)),
        timestamp=draw(st.integers(0, 4)),
        payload=draw(st.sampled_from([b"", b"\x00a", b"\x01b", b"\x02c", b"\x03d", b"\x01unfit", b"\x07"])),
    )
    return draw(st.integers(0, 25)), packet


@given(st.lists(hostile(), max_size=120))
def test_whatever_a_peer_sends_nothing_breaks_and_nothing_is_kept_twice(sent: list[tuple[int, RtpPacket]]) -> None:
    into = assembly()
    for number, packet in sent:
        try:
            into.insert(number, packet, 0.0)
        except MalformedPayload:
            continue
        assert into.octets == sum(len(each.fragment.data) for each in into._packets.values() if each.fragment)
        assert all(number >= (into.floor or 0) for number in (*into._packets, *into._whole))
        assert {id(each) for each in into._pictures.values()} <= {id(each.picture) for each in into._packets.values()}
