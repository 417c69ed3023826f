"""Two sides of a call on loopback that see each other: what each shows, and what it sees."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import numpy as np

from openvoice.core.description import Content, SessionDescription
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import VideoFailed
from openvoice.ports import MediaSettings, Picture, PictureFormat, VideoInput
from tests.media.peers import Pair, Side, settings
from tests.media.video.feeds import Feed
from tests.waiting import until

GREY, BLACK = 128, 16
SIDES = (96, 64)

Change = Callable[[SessionDescription], SessionDescription]


def unchanged(description: SessionDescription) -> SessionDescription:
    return description


def unbundled(description: SessionDescription) -> SessionDescription:
    """As a peer says it that knows nothing of bundles."""
    return replace(description, bundle=())


class Screen:
    """Where the pictures of one track go. ``brightness`` is that of the last one."""

    def __init__(self) -> None:
        self.shown = 0
        self.brightness = 0.0
        self.sides = (0, 0)
        self.closed = False

    def write(self, picture: Picture) -> None:
        self.shown += 1
        self.sides = picture.width, picture.height
        self.brightness = float(picture.data[: picture.height].mean())

    def close(self) -> None:
        self.closed = True


class Viewer:
    """One side: the devices that were made for it, and where what it sees goes."""

    def __init__(self) -> None:
        self.broken = ""
        """Why there is no camera, if there is none."""
        self.looks = True
        """Whether it wants to see anything."""
        self.feeds: list[tuple[VideoLabel, Feed]] = []
        self.screens: dict[VideoLabel, Screen] = {}
        self.side = Side(self._settings())
        self.local: SessionDescription | None = None
        self.remote: SessionDescription | None = None

    def _settings(self) -> MediaSettings:
        return replace(
            settings(),
            video_input=self._make_feed,
            video_output=self._make_screen,
            video_format=PictureFormat(width=SIDES[0], height=SIDES[1]),
        )

    def _make_feed(self, label: VideoLabel) -> VideoInput:
        if self.broken:
            raise VideoFailed(self.broken)
        self.feeds.append((label, Feed()))
        return self.feeds[-1][1]

    def _make_screen(self, label: VideoLabel) -> Screen | None:
        return self.screens.setdefault(label, Screen()) if self.looks else None

    def put(self) -> None:
        """Have every device deliver a picture: a camera grey, a screen brighter."""
        for label, feed in self.feeds:
            grey = GREY if label is VideoLabel.CAMERA else GREY + 64
            feed.put(np.full((SIDES[1] * 3 // 2, SIDES[0]), grey, np.uint8))

    @property
    def connections(self) -> int:
        """How many transports there are."""
        return len(self.side.media._transports.distinct)

    @property
    def connected(self) -> set[str]:
        """The contents that are carried."""
        return set(self.side.media._transports.names)

    def sees(self, label: VideoLabel, brightness: int) -> bool:
        screen = self.screens.get(label)
        return screen is not None and screen.shown > 0 and abs(screen.brightness - brightness) < 8


class VideoPair:
    """A caller and a callee whose devices deliver thirty pictures a second."""

    def __init__(self) -> None:
        self.caller, self.callee = Viewer(), Viewer()
        self.pair = Pair.__new__(Pair)
        self.pair.caller, self.pair.callee = self.caller.side, self.callee.side
        self.caller.side.other, self.callee.side.other = self.callee.side, self.caller.side
        self._ticking = asyncio.ensure_future(self._tick())

    @property
    def viewers(self) -> tuple[Viewer, Viewer]:
        return self.caller, self.callee

    async def _tick(self) -> None:
        for _ in itertools.count():
            for viewer in self.viewers:
                viewer.put()
            await asyncio.sleep(1 / 30)

    async def connect(
        self,
        *,
        offered: bool = True,
        answered: bool = True,
        change_offer: Change = unchanged,
        change_answer: Change = unchanged,
    ) -> None:
        """Call, with pictures if they are ``offered``; then open both gates."""
        caller, callee = self.viewers
        offer = await caller.side.media.open(Role.INITIATOR, None, video=offered)
        caller.side.media.announce()
        callee.remote = change_offer(offer)
        answer = await callee.side.media.open(Role.RESPONDER, callee.remote, video=answered)
        callee.side.media.announce()
        callee.local, caller.remote = answer, change_answer(answer)
        caller.local = offer
        await caller.side.media.apply_answer(caller.remote)
        await self.pair.flow()

    async def add(
        self,
        adder: Viewer,
        name: str = "1",
        label: VideoLabel = VideoLabel.CAMERA,
        *,
        bundle: bool = True,
        change: Callable[[Content], Content] = lambda content: content,
        change_answer: Callable[[Content], Content] = lambda content: content,
    ) -> None:
        """Add a content, as the signalling would."""
        other = self.callee if adder is self.caller else self.caller
        proposed = await adder.side.media.propose_content(name, label)
        adder.side.media.announce()
        assert adder.local is not None
        grouped = (*adder.local.bundle, name) if bundle else ()
        answered = tuple(await other.side.media.answer_contents([change(proposed)], grouped))
        other.side.media.announce()
        await self.settle(other, answered, (change(proposed),), grouped)
        await self.settle(adder, (proposed,), tuple(map(change_answer, answered)), grouped)

    async def settle(
        self, viewer: Viewer, local: tuple[Content, ...], remote: tuple[Content, ...], bundle: tuple[str, ...]
    ) -> None:
        """Add to what a side has agreed on."""
        assert viewer.local is not None
        assert viewer.remote is not None
        viewer.local = replace(
            viewer.local, contents=(*viewer.local.contents, *local), bundle=bundle or viewer.local.bundle
        )
        viewer.remote = replace(
            viewer.remote, contents=(*viewer.remote.contents, *remote), bundle=bundle or viewer.remote.bundle
        )
        await viewer.side.media.settle(viewer.local, viewer.remote)

    async def change(self, change: Callable[[Content], Content | None]) -> None:
        """Change, or take away, what both sides agreed on."""

        def changed(description: SessionDescription | None) -> SessionDescription:
            assert description is not None
            kept = tuple(made for content in description.contents if (made := change(content)) is not None)
            names = {content.name for content in kept}
            return replace(
                description, contents=kept, bundle=tuple(name for name in description.bundle if name in names)
            )

        for viewer in self.viewers:
            viewer.local, viewer.remote = changed(viewer.local), changed(viewer.remote)
            await viewer.side.media.settle(viewer.local, viewer.remote)

    async def close(self) -> None:
        await self.pair.close()
        self._ticking.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticking


async def sees(viewer: Viewer, label: VideoLabel = VideoLabel.CAMERA, brightness: int = GREY) -> None:
    """Wait until a side sees what the other shows."""
    await until(lambda: viewer.sees(label, brightness), within=15)
