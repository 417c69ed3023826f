"""Pictures that tell who drew them and when, and the proof that they came."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from openvoice import Call, Picture, PictureFeed, to_rgb
from openvoice.media.video.conversion import from_rgb
from openvoice.media.video.stamp import age, read_stamp, write_stamp
from tests.waiting import until_so

from .peer import SOON, WebPeer

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Drawing:
    """Colours, and where they are: between 0 and 1 from the left and from above."""

    colours: tuple[Colour, ...]
    places: tuple[tuple[float, float], ...]


QUARTERS = Drawing(
    ((192, 32, 32), (32, 160, 32), (32, 32, 192), (192, 192, 32)),
    tuple((x, y) for y in (0.3, 0.75) for x in (0.25, 0.75)),
)
"""What the page draws (``page/pictures.js``)."""
BARS = Drawing(
    ((191, 191, 191), (191, 191, 0), (0, 191, 191), (0, 191, 0), (191, 0, 191), (191, 0, 0), (0, 0, 191)),
    tuple(((n + 0.5) / 7, 0.55) for n in range(7)),
)
"""The test pattern of openvoice."""
STRIPES = Drawing(((224, 128, 32), (32, 128, 224), (128, 32, 128)), tuple((0.5, (n + 0.7) / 3) for n in range(3)))
BLACK = (0, 0, 0)
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
                and off(colours(picture, QUARTERS.places), QUARTERS.colours) < NEAR
            ):
                return picture
    raise AssertionError("no pictures came")


async def seen_by_the_page(web: WebPeer, drawn: Drawing = BARS) -> dict[str, Any]:
    """Wait until the page sees a fresh picture of those colours; gives what it sees."""

    async def seen() -> dict[str, Any] | None:
        sight = await web.do("see", drawn.places)
        good = sight and sight["age"] < FRESH and off(sight["colours"], drawn.colours) < NEAR
        return dict(sight) if good else None

    found = await until_so(seen, SOON)
    assert found is not None
    return found


async def dark_at_the_page(web: WebPeer) -> None:
    """Wait until the page sees nothing but black."""

    async def is_dark() -> bool:
        sight = await web.do("see", BARS.places)
        return bool(sight) and off(sight["colours"], [BLACK] * len(BARS.places)) < NEAR

    await until_so(is_dark, SOON)


class Slides:
    """A source of :data:`STRIPES`."""

    def __init__(self) -> None:
        self._feed = PictureFeed()
        self._drawing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> PictureFeed:
        self._drawing = asyncio.create_task(self._draw())
        return self._feed

    async def __aexit__(self, *_: object) -> None:
        assert self._drawing is not None
        self._drawing.cancel()
        await asyncio.gather(self._drawing, return_exceptions=True)

    async def _draw(self) -> None:
        while True:
            self._feed.put(striped(round(time.time() * 1000)))
            await asyncio.sleep(1 / 15)


def striped(milliseconds: int) -> npt.NDArray[np.uint8]:
    """:data:`STRIPES`, stamped, as I420."""
    rows = np.array(STRIPES.colours, np.uint8)[np.arange(240) * len(STRIPES.colours) // 240]
    data = from_rgb(np.repeat(rows[:, np.newaxis], 320, axis=1), 0.0).data.copy()
    write_stamp(data, milliseconds)
    return data
