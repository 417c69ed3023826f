"""How a call between a client of openvoice and a page in a browser begins."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, Protocol

from openvoice import Address, Call, CallState, Client
from tests.scenarios.answering import answered_by

from .peer import SOON, WebPeer


class Begin(Protocol):
    """One way to begin; ``how`` is what :meth:`Client.call` and :meth:`Call.accept` take. The call is active."""

    def __call__(self, client: Client, web: WebPeer, **how: Any) -> Awaitable[Call]: ...


async def called(client: Client, web: WebPeer, **how: Any) -> Call:
    """``client`` calls."""
    call = await client.call(person(web), **how)
    await call.wait_for(CallState.ACTIVE, SOON)
    return call


async def calling(client: Client, web: WebPeer, **how: Any) -> Call:
    """The browser calls."""
    taken = answered_by(client, **how)
    await web.do("call", str(client.address))
    call = await asyncio.wait_for(taken, SOON)
    await call.wait_for(CallState.ACTIVE, SOON)
    return call


def person(web: WebPeer) -> Address:
    return Address.parse(web.device).bare
