"""Send a melody made with numpy, and print how loud the other side is.

usage: main.py bob@example.org
"""

from __future__ import annotations

import asyncio
import sys

import numpy as np

import openvoice

NOTES = (440.0, 494.0, 523.0, 587.0, 659.0, 587.0, 523.0, 494.0)
"""Hz, half a second each."""
TALK = 5.0
"""Seconds, one more than the melody has: an echo takes its time."""


def melody() -> openvoice.Frame:
    """Four seconds: ``int16``, mono, 48 kHz."""
    seconds = np.arange(openvoice.SAMPLE_RATE // 2) / openvoice.SAMPLE_RATE
    fade = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) * 50)
    notes = [np.sin(2 * np.pi * hertz * seconds) * fade for hertz in NOTES]
    return (np.concatenate(notes) * 8000).astype(np.int16)


async def main(peer: str) -> None:
    async with openvoice.Client.open() as client:
        call = await client.call(peer, source=melody())
        await call.wait_for(openvoice.CallState.ACTIVE, timeout=60)
        asyncio.get_running_loop().call_later(TALK, call.hangup_soon)
        loudest = 0
        async for frame in call.audio():
            loudest = max(loudest, int(np.abs(frame.astype(int)).max()))
        print(f"the loudest sample that came was {loudest}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
