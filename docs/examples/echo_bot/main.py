"""Say back, half a second later, whatever a caller says.

usage: main.py bob@example.org [carol@example.org ...]
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque

import numpy as np

import openvoice

DELAY = 25
"""Frames of 20 ms."""


class Echo:
    """A source and a sink in one. Both are called in the media thread, so they need no lock."""

    def __init__(self) -> None:
        self._silence = np.zeros(openvoice.FRAME_SAMPLES, np.int16)
        self._frames = deque([self._silence] * DELAY, maxlen=2 * DELAY)

    def write(self, frame: openvoice.Frame) -> None:
        self._frames.append(frame)

    def read(self) -> openvoice.Frame:
        return self._frames.popleft() if self._frames else self._silence

    def close(self) -> None:
        self._frames.clear()


async def main(callers: list[str]) -> None:
    policy = openvoice.Policy(
        ring=openvoice.Audience.NAMED,
        callers=frozenset(openvoice.Address.parse(caller) for caller in callers),
        maximum_calls=10,
    )
    client = openvoice.Client.open(policy=policy)

    @client.on_call
    async def answer(call: openvoice.Call) -> None:
        echo = Echo()
        await call.accept(source=echo, sink=echo)

    async with client:
        print(f"waiting for calls to {client.address.bare}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
