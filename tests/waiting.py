"""Waiting for what has no event of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(condition: Callable[[], object], within: float = 15.0) -> None:
    """Let the event loop run until ``condition`` holds. Raises ``TimeoutError`` after ``within`` seconds."""
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def until_so(condition: Callable[[], Awaitable[T]], within: float = 15.0) -> T:
    """Ask until the answer is true, and give it. Raises ``TimeoutError`` after ``within`` seconds."""
    async with asyncio.timeout(within):
        while not (answer := await condition()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return answer
