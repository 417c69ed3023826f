"""Row 9: RTP that was injected, altered or replayed (ES2017-04 "RTP bleed", ES2025-01)."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest

from openvoice import CallState
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.clients import ClientFactory
from openvoice.testing.impairment import Conditions
from openvoice.testing.link import ImpairedLink, _Mapping
from tests.media.audio.sound import tone

from .scene import talk
from .wire import Endpoint, Kind, Wire

pytestmark = pytest.mark.live

LinkMaker = Callable[..., ImpairedLink]


TONE = tone(440, seconds=30)


async def test_duplicates_from_the_right_address_are_heard_once(
    clients: ClientFactory, impaired_link: LinkMaker
) -> None:
    """Every packet in both directions comes twice, a little later and out of order, as somebody on the path could."""
    twice = Conditions(duplicate=1.0, jitter=0.03, delay=0.03, reorder=True)
    async with impaired_link(up=twice, down=twice) as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with clients("alice", "bob", engines={"alice": engine}) as (alice, bob):
            call, other = await talk(alice, bob, said=TONE, answered=TONE)
            await asyncio.sleep(2.0)
            assert link.up.statistics.duplicated > 80
            for hears, speaks in ((call.stats, other.stats), (other.stats, call.stats)):
                assert 50 < hears.packets_received <= speaks.packets_sent + 25
            assert call.state is other.state is CallState.ACTIVE


async def test_altered_packets_from_the_right_address_are_not_heard(
    clients: ClientFactory, impaired_link: LinkMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One bit is turned in each packet of the voice, in the header, the sound or the tag; or the tag is cut."""
    altered = 0
    enter = ImpairedLink._enter

    def alter(link: ImpairedLink, mapping: _Mapping, data: bytes, sender: Endpoint) -> None:
        nonlocal altered
        if attacking and data[0] & 0xC0 == 0x80 and not 192 <= data[1] < 224:
            altered += 1
            at = (2, 8, 20, len(data) - 1)[altered % 4]
            broken = bytes(octet ^ (1 if place == at else 0) for place, octet in enumerate(data))
            data = (broken, broken[:-16], data[:-1], data + b"\0")[altered // 4 % 4]
        enter(link, mapping, data, sender)

    attacking = False
    monkeypatch.setattr(ImpairedLink, "_enter", alter)
    async with impaired_link() as link:
        engine = EngineBehindLink(ThreadedMediaEngine(), link)
        async with clients("alice", "bob", engines={"alice": engine}) as (alice, bob):
            call, _ = await talk(alice, bob, said=TONE, answered=TONE)
            await asyncio.sleep(0.5)
            attacking = True
            await asyncio.sleep(0.5)
            before = call.stats.packets_received
            assert before > 10
            await asyncio.sleep(1.0)
            assert altered > 50
            assert call.stats.packets_received == before
            attacking = False
            await asyncio.sleep(1.0)
            assert call.stats.packets_received > before + 20, "the true packets are heard again"
            assert call.state is CallState.ACTIVE


async def test_a_third_socket_is_not_heard(clients: ClientFactory, wire: Wire) -> None:
    """It sends what it saw pass by, and packets of its own, to every port of the call."""
    async with clients("alice", "bob") as (alice, bob):
        call, other = await talk(alice, bob, said=TONE, answered=TONE)
        await asyncio.sleep(0.5)
        true = wire.of(Kind.RTP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            own = b"\x80\x6f\0\1\0\0\0\1\0\0\0\7" + bytes(120)
            for datagram in true[-50:]:
                for data in (datagram.data, own, datagram.data[:12] + bytes(len(datagram.data) - 12)):
                    stranger.sendto(data, datagram.destination)
            there = stranger.getsockname()
            await asyncio.sleep(1.0)
        await call.hold()
        await asyncio.sleep(0.5)
        for hears, speaks in ((call.stats, other.stats), (other.stats, call.stats)):
            assert 0 < hears.packets_received <= speaks.packets_sent + 25
            assert hears.loss == 0.0
        assert [datagram for datagram in wire.sent if datagram.destination == there] == []
