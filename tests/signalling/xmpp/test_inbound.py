"""A fair share at a time, in order, and no more than fits."""

from __future__ import annotations

import asyncio
from xml.etree.ElementTree import Element

from openvoice.signalling.xmpp.inbound import FAIR_SHARE, FULL, Inbound


def items(count: int) -> list[Element]:
    return [Element("item", number=str(number)) for number in range(count)]


async def test_a_share_now_and_the_rest_soon_in_order() -> None:
    handled: list[Element] = []
    inbound = Inbound(asyncio.get_running_loop(), handled.append, lambda on: None)
    came = items(FAIR_SHARE * 2 + 1)
    for item in came:
        inbound.add(item)
    inbound.work()
    inbound.work()
    assert handled == came[:FAIR_SHARE], "a second packet gives no second share"
    await asyncio.sleep(0)
    assert handled == came[: FAIR_SHARE * 2]
    await asyncio.sleep(0)
    assert handled == came


async def test_reading_stops_while_it_is_full_and_goes_on_when_it_is_empty() -> None:
    read: list[bool] = []
    inbound = Inbound(asyncio.get_running_loop(), lambda item: None, read.append)
    for item in items(FAIR_SHARE + FULL + 1):
        inbound.add(item)
    inbound.work()
    inbound.work()
    assert read == [False]
    for _ in range(FULL // FAIR_SHARE + 1):
        await asyncio.sleep(0)
    assert read == [False, True]


async def test_what_is_cleared_while_it_is_handled_is_handled_no_more() -> None:
    handled: list[Element] = []

    def handle(item: Element) -> None:
        handled.append(item)
        inbound.clear()

    inbound = Inbound(asyncio.get_running_loop(), handle, lambda on: None)
    for item in items(5):
        inbound.add(item)
    inbound.work()
    assert len(handled) == 1
