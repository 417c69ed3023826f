"""Pictures that tell who drew them and when, and the proof that they came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from openvoice import Call, Picture, to_rgb
from openvoice.media.video.stamp import age, read_stamp
from tests.waiting import until_so

from .peer import SOON, WebPeer

Colour = tuple[int, int, int]

QUARTERS: tuple[Colour, ...] = ((192, 32, 32), (32, 160, 32), (32, 32, 192), (192, 192, 32))
"""What the page draws: above left and right, below left and right (``page/pictures.js``)."""
IN_QUARTERS = tuple((x, y) for y in (0.3, 0.75) for x in (0.25, 0.75))
BARS: tuple[Colour, ...] = (
    *((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0)),
    *((191, 0, 191), (191, 0, 0), (0, 0, 191)),
)
"""The test pattern of openvoice, from the left."""
IN_BARS = tuple(((n + 0.5) / len(BARS), 0.55) for n in range(len(BARS)))
NEAR = 40
"""How far a colour may be off, of 255, after it was coded."""
FRESH = 2000
"""Milliseconds that a picture may be old on a busy machine."""


def off(shown: Sequence[Sequence[float]], drawn: Sequence[Colour]) -> float:
    """By how much the colours differ where they differ most."""
    return float(np.abs(np.array(shown, float) - np.array(drawn, float)).max())


def colours(picture: Picture, places: Sequence[tuple[float, float]]) -> list[list[int]]:
    """What is seen there: between 0 and 1 from the left and from above."""
    image = to_rgb(picture)
    return [image[int(y * picture.height), int(x * picture.width)].tolist() for x, y in places]


async def sees_the_page(call: Call) -> Picture:
    """Wait until a fresh picture of the page is seen, in its colours."""
    async with asyncio.timeout(SOON):
        async for picture in call.pictures():
            stamp = read_stamp(picture)
            if (
                stamp is not None
                and 0 <= age(stamp, round(time.time() * 1000)) < FRESH
                and off(colours(picture, IN_QUARTERS), QUARTERS) < NEAR
            ):
                return picture
    raise AssertionError("no pictures came")


async def seen_by_the_page(web: WebPeer) -> dict[str, Any]:
    """Wait until the page sees a fresh picture of openvoice's pattern, in its colours; gives what it sees."""

    async def seen() -> dict[str, Any] | None:
        sight = await web.do("see", IN_BARS)
        good = sight and sight["age"] < FRESH and off(sight["colours"], BARS) < NEAR
        return dict(sight) if good else None

    found = await until_so(seen, SOON)
    assert found is not None
    return found
