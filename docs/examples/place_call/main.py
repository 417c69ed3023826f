"""Place a call, play a file, record what comes, and say how well it was protected.

usage: main.py bob@example.org hello.wav heard.wav
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import openvoice

LAST_WORDS = 0.5
"""Seconds that the call goes on after the file has ended, so that all of it arrives."""


async def main(peer: str, play: Path, record: Path) -> None:
    async with openvoice.Client.open() as client:
        call = await client.call(peer, source=play, sink=record)
        events = call.events()
        await call.wait_for(openvoice.CallState.ACTIVE, timeout=60)
        async for event in events:
            if event.name == "source-ended":
                asyncio.get_running_loop().call_later(LAST_WORDS, call.hangup_soon)
        await call.wait_closed()
        if call.failure is not None:
            raise call.failure
        for finding in call.security.findings:
            print(f"{finding.severity}: {finding.text}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
    except KeyboardInterrupt:
        sys.exit(130)
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
