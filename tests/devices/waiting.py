"""Waiting for what a device's thread does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool]) -> None:
    """Let the event loop run until ``condition`` holds. Raises ``TimeoutError`` after 15 seconds."""
    async with asyncio.timeout(15):
        while not condition():  # noqa: ASYNC110 - a condition of the test's own has no event
            await asyncio.sleep(0.005)
