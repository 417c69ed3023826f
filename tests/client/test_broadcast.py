from __future__ import annotations

import asyncio
import gc

from openvoice.client.broadcast import Broadcast


async def test_everybody_hears_everything_in_order() -> None:
    broadcast: Broadcast[int] = Broadcast()
    one, other = broadcast.listen(), broadcast.listen()
    assert broadcast.has_listeners
    for number in range(3):
        broadcast.send(number)
    broadcast.close()
    assert [number async for number in one] == [0, 1, 2]
    assert [number async for number in other] == [0, 1, 2]
    assert [number async for number in broadcast.listen()] == []


async def test_a_slow_listener_loses_the_oldest_and_slows_nobody() -> None:
    broadcast: Broadcast[int] = Broadcast(backlog=2)
    slow = broadcast.listen()
    for number in range(1000):
        broadcast.send(number)
    broadcast.close()
    assert [number async for number in slow] == [998, 999]


async def test_waiting_wakes_and_leaving_stops() -> None:
    broadcast: Broadcast[int] = Broadcast()
    listener = broadcast.listen()
    waiting = asyncio.ensure_future(anext(listener))
    await asyncio.sleep(0)
    broadcast.send(7)
    assert await waiting == 7
    await listener.aclose()
    await listener.aclose()
    broadcast.send(8)
    assert not broadcast.has_listeners
    assert [number async for number in listener] == []


async def test_whoever_leaves_a_loop_is_forgotten() -> None:
    broadcast: Broadcast[int] = Broadcast()

    async def hear_one() -> int:
        async for item in broadcast.listen():
            return item
        raise AssertionError("nothing was said")

    hearing = asyncio.ensure_future(hear_one())
    await asyncio.sleep(0)
    assert broadcast.has_listeners
    broadcast.send(1)
    assert await hearing == 1
    del hearing
    gc.collect()
    assert not broadcast.has_listeners
