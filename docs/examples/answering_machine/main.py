"""Answer every contact with a greeting, and keep what they say.

usage: main.py greeting.wav messages/
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import openvoice

LONGEST_MESSAGE = 120.0
"""Seconds."""


async def main(greeting: Path, messages: Path) -> None:
    policy = openvoice.Policy(answer=openvoice.Audience.ROSTER, maximum_calls=10)
    client = openvoice.Client.open(policy=policy)

    @client.on_call
    async def answer(call: openvoice.Call) -> None:
        message = messages / f"{time.time():.0f}-{call.id[:8]}.wav"
        await call.accept(source=greeting, sink=message)
        try:
            async with asyncio.timeout(LONGEST_MESSAGE):
                await call.wait_closed()
        except TimeoutError:
            await call.hangup()
        print(message.name, call.failure or "is complete", flush=True)

    async with client:
        print(f"waiting for calls to {client.address.bare}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    Path(sys.argv[2]).mkdir(exist_ok=True)
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except KeyboardInterrupt:
        sys.exit(130)
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
