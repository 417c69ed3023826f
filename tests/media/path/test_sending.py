"""Voice and pictures over one narrow path: voice is whole, pictures take the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, pack_remb_fci
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice.media.feedback.arrivals import ArrivalReport
from openvoice.media.path.allocation import Demand
from openvoice.media.path.estimate import FIRST, LEAST, MOST
from openvoice.media.path.sending import Outgoing, SendingPath
from openvoice.media.path.sent import SentPackets
from openvoice.media.reports import PeerReport
from openvoice.testing.impairment import Conditions, Impairment
from tests.media.audio.virtual_time import run
from tests.media.path.bottleneck import path as link
from tests.media.path.call import NarrowCall, Pictures


def call(way: Impairment, seconds: int, then: dict[int, float] | None = None) -> tuple[NarrowCall, Pictures, float]:
    """The call, its pictures, and when they began; ``then`` are other rates of the way, by second."""

    async def main() -> tuple[NarrowCall, Pictures, float]:
        narrow = NarrowCall(way)
        pictures = Pictures(narrow.path)
        begin = narrow.loop.time()
        pictures.start()
        for second in range(seconds):
            if then and second in then:
                way.conditions = replace(way.conditions, rate=then[second])
            await asyncio.sleep(1)
        return narrow, pictures, begin

    return run(main())


def test_on_300_kbits_voice_is_whole_and_pictures_live_on_what_is_left() -> None:
    narrow, pictures, begin = call(link(300), 40)
    assert narrow.late(begin, begin + 39, 0.15) < 0.005
    assert narrow.late(begin + 3, begin + 39, 0.1) < 0.04
    assert 160 < narrow.rate(begin + 3, begin + 39) < 215
    assert pictures.keys == 1


def test_3_mbits_are_used_soon_and_voice_does_not_notice() -> None:
    narrow, _, begin = call(link(3000), 30)
    assert narrow.rate(begin + 4, begin + 5) > 1500
    assert narrow.rate(begin + 5, begin + 29) > 2100
    assert narrow.late(begin, begin + 29, 0.15) < 0.005
    assert narrow.late(begin, begin + 29, 0.1) < 0.02


def test_another_way_is_begun_carefully_whatever_the_one_before_took() -> None:
    async def main() -> None:
        narrow = NarrowCall(link(3000))
        pictures = Pictures(narrow.path)
        pictures.start()
        await asyncio.sleep(10)
        assert pictures.rate > 1500
        narrow.link.conditions = replace(narrow.link.conditions, rate=300)
        narrow.path.begin_anew()
        assert pictures.rate == FIRST
        begin = narrow.loop.time()
        await asyncio.sleep(10)
        assert 150 < narrow.rate(begin + 3, begin + 9) < 215
        assert narrow.late(begin + 1, begin + 9, 0.15) < 0.01
        narrow.path.close()

    run(main())


def test_what_went_the_way_before_tells_nothing_of_another() -> None:
    packets = SentPackets()
    packets.add(1000, 1.0)
    packets.forget()
    assert packets.outcomes([(0, 1.1)]) == []
    assert packets.next == 1


def test_a_step_down_costs_voice_a_second_at_most() -> None:
    narrow, _, begin = call(link(3000), 40, {12: 300, 26: 3000})
    assert narrow.late(begin + 13, begin + 25, 0.15) < 0.01
    # What left before the first report of it fills the queue of 0.2 s, and some does not even fit in there.
    assert narrow.late(begin + 12, begin + 13, 0.15) < 0.95
    assert narrow.rate(begin + 14, begin + 25) > 130
    assert narrow.rate(begin + 32, begin + 33) > 1500
    assert narrow.rate(begin + 36, begin + 39) > 1800


@pytest.mark.parametrize("loss", [0.0, 0.02])
@pytest.mark.parametrize("jitter", [0.03, 0.06, 0.1])
def test_jitter_on_a_wide_path_does_not_stop_pictures(jitter: float, loss: float) -> None:
    conditions = Conditions(rate=3000, delay=0.02 + jitter, jitter=jitter, loss=loss)
    narrow, _, begin = call(Impairment(conditions, seed=2), 20)
    assert narrow.rate(begin + 15, begin + 20) > 1000


def test_where_there_is_only_room_for_voice_pictures_pause_and_try_seldom() -> None:
    narrow, pictures, begin = call(link(95), 120)
    assert narrow.late(begin, begin + 119, 0.15) < 0.12
    assert narrow.rate(begin + 10, begin + 119) < 15
    assert 0.0 in pictures.told
    assert max(pictures.told[4:]) < 120


def test_pictures_come_back_when_there_is_room() -> None:
    narrow, _, begin = call(link(95), 60, {20: 3000})
    assert narrow.rate(begin + 56, begin + 59) > 1000


def test_voice_is_never_held_back() -> None:
    narrow, _, begin = call(link(300), 5)
    assert narrow.voice_sent == round((narrow.loop.time() - begin) / 0.02) + 1


def test_whether_pictures_make_room() -> None:
    async def main() -> None:
        narrow = NarrowCall(link(1000))
        assert not narrow.path.yields
        pictures = Pictures(narrow.path)
        pictures.start()
        await asyncio.sleep(3)
        assert narrow.path.yields
        pictures.stop()
        await asyncio.sleep(1)
        assert not narrow.path.yields
        narrow.path.close()

    run(main())


def test_two_streams_share_and_the_one_that_leaves_gives_its_part_back() -> None:
    async def main() -> None:
        narrow = NarrowCall(link(1000))
        camera, screen = Pictures(narrow.path), Pictures(narrow.path, seed=4)
        camera.start()
        screen.start()
        await asyncio.sleep(10)
        assert camera.rate == pytest.approx(screen.rate, rel=0.05)
        assert 550 < camera.rate + screen.rate < 1000
        screen.stop()
        await asyncio.sleep(3)
        assert camera.rate > 550
        assert narrow.path.statistics().available == pytest.approx(camera.rate, rel=0.05)

    run(main())


def test_what_is_paced_leaves_in_order_and_at_the_rate() -> None:
    async def main() -> None:
        sent: list[tuple[float, bytes]] = []
        loop = asyncio.get_running_loop()
        path = SendingPath(lambda packet: sent.append((loop.time(), packet)))
        pictures = Pictures(path)
        path.join(pictures)
        begin = loop.time()
        packets = [Outgoing(1100, 1, _packet(bytes([index]))) for index in range(20)]
        path.send(pictures, packets)
        path.send_voice(b"voice")
        await asyncio.sleep(3)
        assert [packet for _, packet in sent if packet != b"voice"] == [bytes([index]) for index in range(20)]
        assert sent[[packet for _, packet in sent].index(b"voice")][0] == begin
        # 20 packets of 1144 octets at 1.2 times 150 kbit/s take a second.
        assert 0.9 < sent[-1][0] - begin < 1.1
        path.close()

    run(main())


def test_a_packet_that_cannot_be_made_stops_nothing() -> None:
    async def main() -> None:
        sent: list[bytes] = []
        path = SendingPath(sent.append)
        pictures = Pictures(path)
        path.join(pictures)
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)

        def broken(number: int, now: float) -> bytes:
            raise ZeroDivisionError

        many = [Outgoing(1100, 1, _packet(b"x"))] * 3
        path.send(pictures, [*many, Outgoing(1100, 1, broken), *many])
        await asyncio.sleep(2)
        assert len(sent) == 6

    run(main())


def test_what_waits_too_long_is_dropped_and_its_stream_is_told() -> None:
    async def main() -> None:
        told = []

        class Stream(Pictures):
            def overtaken(self) -> None:
                told.append(asyncio.get_running_loop().time())

        sent: list[bytes] = []
        path = SendingPath(sent.append)
        stream = Stream(path)
        path.join(stream)
        path.send(stream, [Outgoing(1100, 1, _packet(b"old"))] * 100)
        assert not told
        path.send(stream, [Outgoing(1100, 2, _packet(b"new"))] * 100)
        assert told
        await asyncio.sleep(1)
        assert 0 < len(sent) < 5

    run(main())


def test_the_bound_of_the_peer_is_heeded_and_nonsense_is_not() -> None:
    async def main() -> None:
        path = SendingPath(lambda _: None)
        pictures = Pictures(path)
        path.join(pictures)
        for data in (b"", b"REMB", b"REMB\xff\x00\x00\x00", b"\x00" * 20):
            path.handle_rtcp([RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=data)], 1000.0)
        assert pictures.rate > 100
        remb = pack_remb_fci(60_000, [7])
        path.handle_rtcp([RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=1, media_ssrc=0, fci=remb)], 1000.0)
        assert pictures.rate == 60.0
        path.close()
        path.close()
        path.send(pictures, [Outgoing(1100, 1, _packet(b"late"))])

    run(main())


def test_the_round_trip_of_voice_is_known() -> None:
    async def main() -> None:
        path = SendingPath(lambda _: None)
        assert path.statistics().round_trip is None
        path.voice_reported(PeerReport(time=1.0, loss=0.0, round_trip=0.05))
        assert path.statistics().round_trip == 0.05

    run(main())


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 65535),
            st.integers(-(2**23), 2**23 - 1),
            st.lists(st.one_of(st.none(), st.integers(-32768, 32767)), min_size=1, max_size=30),
            st.floats(0, 2),
        ),
        max_size=20,
    )
)
def test_no_report_of_arrivals_breaks_anything(reports: list[tuple[int, int, list[int | None], float]]) -> None:
    async def main() -> None:
        path = SendingPath(lambda _: None)
        pictures = Pictures(path, least=LEAST)
        pictures.start()
        for base, reference, deltas, wait in reports:
            await asyncio.sleep(wait)
            report = ArrivalReport(ssrc=1, media_ssrc=2, number=0, base=base, reference=reference, deltas=tuple(deltas))
            path.handle_rtcp([report], asyncio.get_running_loop().time())
            assert pictures.rate == 0 or LEAST <= pictures.rate <= MOST
        pictures.stop()
        path.close()

    run(_quietly(main()))


async def _quietly(main: Coroutine[Any, Any, None]) -> None:
    errors: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
    await main
    assert not errors


def _packet(data: bytes) -> Callable[[int, float], bytes]:
    return lambda number, now: data


def test_a_demand_makes_sense() -> None:
    for least, most in ((0, 1), (2, 1), (-1, -1)):
        with pytest.raises(ValueError, match="stream takes something"):
            Demand(least, most)
