"""Place a call, play a file, record what comes, and say how well it was protected."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import openvoice


async def main(peer: str, play: Path, record: Path) -> None:
    async with openvoice.Client.open() as client:
        call = await client.call(peer, source=play, sink=record)
        await call.wait_for(openvoice.CallState.ACTIVE, timeout=60)
        async for event in call.events():
            if event.name == "source-ended":
                call.hangup_soon()
        await call.wait_closed()
        for finding in call.security.findings:
            print(f"{finding.severity}: {finding.text}")


if __name__ == "__main__":
    try:
        asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
