"""Show a square that moves, made with numpy, and say what the other side shows.

usage: main.py bob@example.org
"""

from __future__ import annotations

import asyncio
import sys

import numpy as np

import openvoice

WIDTH, HEIGHT, RATE = 320, 240, 15
TALK = 3.0
"""Seconds."""


async def draw(feed: openvoice.PictureFeed) -> None:
    """A white square on blue, 15 times a second."""
    for number in range(1_000_000):
        picture = np.full((HEIGHT, WIDTH, 3), (0, 0, 160), np.uint8)
        left = number * 4 % (WIDTH - 60)
        picture[90:150, left : left + 60] = 255
        feed.put(picture)
        await asyncio.sleep(1 / RATE)


async def main(peer: str) -> None:
    feed = openvoice.PictureFeed()
    drawing = asyncio.create_task(draw(feed))
    async with openvoice.Client.open() as client:
        call = await client.call(peer, video=feed)
        await call.wait_for(openvoice.CallState.ACTIVE, timeout=60)
        asyncio.get_running_loop().call_later(TALK, call.hangup_soon)
        count, colour = 0, np.zeros(3)
        async for picture in call.pictures():
            count += 1
            colour += openvoice.to_rgb(picture).mean(axis=(0, 1))
        red, green, blue = colour / max(1, count)
        print(f"{count} pictures came; their mean colour was #{int(red):02x}{int(green):02x}{int(blue):02x}")
    drawing.cancel()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    try:
        asyncio.run(main(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
    except openvoice.OpenVoiceError as error:
        sys.exit(f"{error}")
