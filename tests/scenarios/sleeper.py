"""A whole client as a process of its own, to be put to sleep: it answers one call, with a tone, and says how it goes.

It reads its account as JSON from its standard input. It writes JSON objects, one a line: what happened, and often
the statistics of the call.
"""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import cycle
from pathlib import Path
from typing import Any

from openvoice import Account, Address, Call, Client, temporary_keys
from openvoice.testing.fakes import ScriptedSource, tone

REPORT_INTERVAL = 0.25
"""Seconds."""


def say(**what: Any) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201


async def main() -> None:
    given = json.loads(sys.stdin.readline())
    account = Account(
        address=Address.parse(given["address"]),
        password=given["password"],
        server=(given["host"], given["port"]),
        ca_file=Path(given["ca_file"]),
    )
    calls: asyncio.Queue[Call] = asyncio.Queue()
    async with Client(account, interfaces=(given["host"],), keys=temporary_keys()) as client:

        @client.on_call
        async def answer(call: Call) -> None:
            await call.accept(source=ScriptedSource(cycle(tone())))
            calls.put_nowait(call)

        say(name="online")
        call = await calls.get()
        ending = asyncio.ensure_future(call.wait_closed())
        while not ending.done():
            stats = call.stats
            say(
                name="stats",
                received=stats.packets_received,
                sent=stats.packets_sent,
                delay=stats.playout_delay,
                concealed=stats.concealed,
            )
            await asyncio.wait({ending}, timeout=REPORT_INTERVAL)
        say(name="ended", reason=str(ending.result().reason))


if __name__ == "__main__":
    asyncio.run(main())
