"""Does a relayed call outlive the permissions of its TURN server?

::

    python -m tests.bench relayed [--minutes 6]

Two calls at once over the TURN server of ejabberd and eturnal (Debian's ``erlang-p1-stun``), which forgets a permission
after 300 s (RFC 8656, 9): one as openvoice makes them, and one that renews its channel after 500 s, as aioice by itself
does. The second must go silent, or else the server forgets nothing and the first proves nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Sequence
from unittest import mock

from openvoice.core import inputs
from openvoice.media import relay
from tests.bench.soak import say
from tests.media.erlang_turn import ErlangTurn
from tests.media.peers import Pair, settings

INTERVAL = 10.0
FORGETFUL_REFRESH = 500
PERMISSION = 300.0
"""Seconds."""


async def connected(server: ErlangTurn, refresh: float) -> Pair:
    with mock.patch.object(relay, "PERMISSION_REFRESH", refresh):
        pair = Pair(settings(server.relay(), relay_only=True), settings())
        await pair.connect()
        await pair.flow()
    return pair


async def live(minutes: float) -> bool:
    async with ErlangTurn() as server:
        pairs = {
            "renewed": await connected(server, relay.PERMISSION_REFRESH),
            "forgotten": await connected(server, FORGETFUL_REFRESH),
        }
        begin = time.monotonic()
        heard = dict.fromkeys(pairs, 0)
        last = dict.fromkeys(pairs, 0.0)
        gaps = dict.fromkeys(pairs, 0)
        say(f"{'seconds':>8}" + "".join(f"{name:>12}" for name in pairs) + "    packets heard through the relay")
        while (elapsed := time.monotonic() - begin) < 60 * minutes:
            await asyncio.sleep(min(INTERVAL, 60 * minutes - elapsed))
            elapsed = time.monotonic() - begin
            row = f"{elapsed:8.0f}"
            for name, pair in pairs.items():
                received = pair.caller.media.statistics().packets_received
                row += f"{received - heard[name]:12}"
                if received > heard[name]:
                    last[name] = elapsed
                heard[name] = received
                gaps[name] = sum(isinstance(said, inputs.MediaInterrupted) for said in pair.caller.said)
            say(row)
        for pair in pairs.values():
            await pair.close()
    for name in pairs:
        say(f"{name:10} last heard at {last[name]:.0f} s, interrupted {gaps[name]} times")
    forgets = 60 * minutes <= PERMISSION or PERMISSION - INTERVAL <= last["forgotten"] <= PERMISSION + 2 * INTERVAL
    if not forgets:
        say("The server did not forget after 300 s: this run proves nothing.")
    return forgets and not gaps["renewed"] and last["renewed"] >= 60 * minutes - INTERVAL


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench relayed", description="Permissions of TURN servers")
    parser.add_argument("--minutes", type=float, default=6.0)
    options = parser.parse_args(arguments)
    return int(not asyncio.run(live(options.minutes)))
