"""Work that goes on beside."""

from __future__ import annotations

import asyncio

import pytest

from openvoice.signalling.xmpp.omemo.failures import Cause, OmemoFailed
from openvoice.signalling.xmpp.tasks import Tasks, happens


async def test_what_goes_wrong_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    async def fails(error: Exception) -> None:
        raise error

    tasks = Tasks()
    tasks.spawn(fails(OmemoFailed(Cause.STORAGE)))
    tasks.spawn(fails(KeyError("a secret")))
    assert len(tasks) == 2
    await tasks.settled()
    assert len(tasks) == 0
    assert "look after the disk" in caplog.text
    assert "KeyError in fails" in caplog.text
    assert "a secret" not in caplog.text


async def test_nothing_goes_on_after_the_end() -> None:
    tasks = Tasks()
    task = tasks.spawn(asyncio.sleep(60))
    await tasks.close()
    assert task.cancelled()
    assert len(tasks) == 0


async def test_waiting_for_an_event_ends_when_it_is_cancelled_in_that_moment() -> None:
    event = asyncio.Event()

    async def waits() -> None:
        while True:
            await happens(event, 10.0)

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    await asyncio.wait({task}, timeout=1.0)
    assert task.cancelled()
    assert await happens(event, 1.0)
    event.clear()
    assert not await happens(event, 0.001)
