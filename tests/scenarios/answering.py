"""Somebody who answers, for tests that look at the other side."""

from __future__ import annotations

import asyncio
from typing import Any

from openvoice import Call, Client


def answered_by(client: Client, **how: Any) -> asyncio.Future[Call]:
    """Have ``client`` accept its next call, with ``source`` and ``sink``; gives that call."""
    taken: asyncio.Future[Call] = asyncio.get_running_loop().create_future()

    @client.on_call
    async def accept(call: Call) -> None:
        await call.accept(**how)
        if not taken.done():
            taken.set_result(call)

    return taken
