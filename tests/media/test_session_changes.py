"""Whatever comes and goes, and in whatever order: the voice goes on, and pictures can be seen afterwards."""

from __future__ import annotations

import random
import threading
from dataclasses import replace

import pytest

from openvoice.core import inputs
from openvoice.core.description import Content, Media, Senders
from openvoice.core.types import VideoLabel
from tests.media.peers import hears
from tests.media.video.pairs import VideoPair, sees, unbundled, unchanged
from tests.waiting import until

pytestmark = [pytest.mark.network, pytest.mark.slow, pytest.mark.once]

STEPS = 15
MOST = 4
FAILURES = (inputs.ContentsFailed, inputs.MediaFailed, inputs.MediaClosed)


class Changes:
    """Does what two people and their clients might do."""

    def __init__(self, pair: VideoPair, dice: random.Random, bundle: bool) -> None:
        self.pair = pair
        self.dice = dice
        self.bundle = bundle
        self.given = 10

    @property
    def names(self) -> list[str]:
        assert self.pair.caller.local is not None
        return [content.name for content in self.pair.caller.local.contents if content.media is Media.VIDEO]

    def new_name(self) -> str:
        self.given += 1
        return str(self.given)

    async def step(self) -> None:
        choice = self.dice.choice((self.add, self.remove, self.show, self.hide, self.hold, self.turn, self.withdraw))
        await choice()

    async def add(self) -> None:
        if len(self.names) < MOST:
            who, label = self.dice.choice(self.pair.viewers), self.dice.choice(list(VideoLabel))
            await self.pair.add(who, self.new_name(), label, bundle=self.bundle)

    async def remove(self) -> None:
        if self.names:
            name = self.dice.choice(self.names)
            await self.pair.change(lambda content: None if content.name == name else content)

    async def show(self) -> None:
        if self.names:
            media = self.dice.choice(self.pair.viewers).side.media
            await media.show(self.dice.choice(list(VideoLabel)), self.dice.choice(self.names))

    async def hide(self) -> None:
        await self.dice.choice(self.pair.viewers).side.media.show(self.dice.choice(list(VideoLabel)), None)

    async def hold(self) -> None:
        await self.dice.choice(self.pair.viewers).side.media.set_held(self.dice.random() < 0.4)

    async def turn(self) -> None:
        """Other senders."""
        if self.names:
            name, senders = self.dice.choice(self.names), self.dice.choice(list(Senders))

            def turned(content: Content) -> Content:
                return replace(content, senders=senders) if content.name == name else content

            await self.pair.change(turned)

    async def withdraw(self) -> None:
        """A proposal that comes to nothing."""
        viewer = self.dice.choice(self.pair.viewers)
        await viewer.side.media.propose_content(self.new_name(), VideoLabel.CAMERA)
        assert viewer.local is not None
        assert viewer.remote is not None
        await viewer.side.media.settle(viewer.local, viewer.remote)


@pytest.mark.parametrize("seed", range(4))
async def test_contents_come_and_go(seed: int) -> None:
    dice, bundle = random.Random(seed), seed % 2 == 0
    change = unchanged if bundle else unbundled
    pair = VideoPair()
    await pair.connect(offered=dice.random() < 0.5, change_offer=change, change_answer=change)
    changes = Changes(pair, dice, bundle)
    for _ in range(STEPS):
        await changes.step()
    for viewer in pair.viewers:
        await viewer.side.media.set_held(False)
        await viewer.side.media.show(VideoLabel.SCREEN, None)
        viewer.screens.clear()
    name = changes.new_name()
    await pair.add(pair.caller, name, bundle=bundle)
    await pair.caller.side.media.show(VideoLabel.CAMERA, name)
    await sees(pair.callee)
    for viewer in pair.viewers:
        await hears(viewer.side, viewer.side.media.statistics().packets_received + 10)
        assert [message for message in viewer.side.said if isinstance(message, FAILURES)] == []
        assert viewer.connections == (1 if bundle else 1 + len(changes.names))
    await pair.close()
    await until(lambda: not [each for each in threading.enumerate() if "video" in each.name])
