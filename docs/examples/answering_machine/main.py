"""Answer every contact with a greeting, and keep what they say."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import openvoice

LONGEST_MESSAGE = 120.0
"""Seconds."""


async def main(greeting: Path, messages: Path) -> None:
    messages.mkdir(exist_ok=True)
    policy = openvoice.Policy(answer=openvoice.Audience.ROSTER, maximum_calls=10)
    client = openvoice.Client.open(policy=policy)

    @client.on_call
    async def answer(call: openvoice.Call) -> None:
        if not client.answers(call):
            return
        await call.accept(source=greeting, sink=messages / f"{time.time():.0f}-{call.id[:8]}.wav")
        try:
            async with asyncio.timeout(LONGEST_MESSAGE):
                await call.wait_closed()
        except TimeoutError:
            await call.hangup()
        print("a call ended:", call.failure or "normally")

    async with client:
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2])))
    except KeyboardInterrupt:
        pass
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
