"""How long it takes from a person's yes to the first sound: two whole clients and a private Prosody on loopback.

``first_sound_ms`` is from the callee's ``proceed``, as the caller hears it, to the first frame with sound in it.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from openvoice import SAMPLE_RATE, Account, Audience, Call, Client, Policy
from openvoice.server.prosody import Prosody

CALLS = 7
TONE = (8000 * np.sin(np.arange(10 * SAMPLE_RATE) * 0.05)).astype(np.int16)


async def first_sound(alice: Client, bob: Client) -> float:
    """Milliseconds, of one call."""
    call = await alice.call(bob.address.bare, source=TONE)
    heard = 0.0
    async for frame in call.audio():
        if np.abs(frame.astype(int)).max() > 1000:
            heard = time.time()
            break
    proceed = next(moment.time for moment in call.timeline if moment.name == "proceed")
    await call.hangup()
    while bob.calls:  # noqa: ASYNC110 - a busy line would refuse the next call
        await asyncio.sleep(0.01)
    return 1000 * (heard - proceed)


async def bench(say: Callable[[str], None]) -> list[dict[str, Any]]:
    """One row: ``network`` is ``whole``."""
    async with Prosody(accounts={"alice": "alice", "bob": "bob"}) as server:

        def client(name: str, policy: Policy) -> Client:
            account = Account(
                address=server.address(name), password=name, server=(server.host, server.port), ca_file=server.ca_file
            )
            return Client(account, policy=policy, interfaces=(server.host,))

        alice, bob = client("alice", Policy()), client("bob", Policy(answer=Audience.ROSTER))

        @bob.on_call
        async def answer(call: Call) -> None:
            await call.accept(source=TONE)

        async with alice, bob:
            times = [await first_sound(alice, bob) for _ in range(CALLS)]
    median = statistics.median(times)
    say(f"openvoice  from 'proceed' to the first sound, with Prosody: {median:.0f} ms  (floor 250)")
    return [{"system": "openvoice", "network": "whole", "first_sound_ms": round(median, 1)}]
