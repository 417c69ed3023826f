"""Lets the people of a call say, by one key, whether they read the same words."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

from openvoice import Call, OpenVoiceError
from openvoice.cli.keyboard import keys
from openvoice.cli.printing import Printer

SAME, DIFFERENT = "v", "x"


@asynccontextmanager
async def comparing(call: Call, shown: Printer, *, asks: bool, turn: asyncio.Lock | None = None) -> AsyncIterator[None]:
    """While this lasts, and if ``asks``, the keys count as soon as there are words. ``turn`` is who may read keys."""
    if not asks:
        yield
        return
    task = asyncio.create_task(_compare(call, shown, turn))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _compare(call: Call, shown: Printer, turn: asyncio.Lock | None) -> None:
    happenings = call.events()
    async for event in happenings:
        if event.name == "words":
            async with turn or nullcontext():
                await _decide(call, shown)


async def _decide(call: Call, shown: Printer) -> None:
    """Read keys until one of the two was pressed, or there is nothing to decide any more."""
    decided: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def press(key: str) -> None:
        if key.lower() in (SAME, DIFFERENT) and not decided.done():
            decided.set_result(key.lower())

    withdrawn = asyncio.create_task(_withdrawn(call))
    waiting: set[asyncio.Future[Any]] = {decided, withdrawn}
    try:
        with keys(press):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        withdrawn.cancel()
    if not decided.done():
        return
    try:
        await (call.confirm_verified() if decided.result() == SAME else call.reject_words())
    except OpenVoiceError as error:
        shown.say(str(error))


async def _withdrawn(call: Call) -> None:
    """Wait until there is nothing to compare any more."""
    happenings = call.events()
    while call.verification_words is not None:
        event = await anext(happenings, None)
        if event is None or event.name == "verified":
            return
