"""The watch over a path, on a clock that jumps: what it asks of the agent, and what it tells."""

from __future__ import annotations

import asyncio
from typing import cast

from openvoice.media.liveness import INTERRUPTED_AFTER, SEEK_AFTER
from openvoice.media.roaming import RoamingAgent
from openvoice.media.watch import PathWatch
from tests.media.audio import virtual_time


class Path:
    """An agent that only counts, and a watch over it. ``answers``: whether the peer answers each question at once."""

    def __init__(self, *, answers: bool = False) -> None:
        self.loop = asyncio.get_running_loop()
        self.asked = 0
        self.sought: list[float] = []
        self.told: list[tuple[str, float]] = []
        self.answers = answers
        self.began = self.loop.time()
        self.watch = PathWatch(
            lambda: cast("RoamingAgent", self),
            interrupted=lambda: self.told.append(("interrupted", self.age)),
            restored=lambda: self.told.append(("restored", self.age)),
        )

    @property
    def age(self) -> float:
        return round(self.loop.time() - self.began, 3)

    def check_consent(self) -> None:
        self.asked += 1
        if self.answers:
            self.loop.call_soon(self.watch.consented)

    def seek(self) -> None:
        self.sought.append(self.age)


def test_silence_is_asked_about_then_other_paths_are_sought_then_it_is_told() -> None:
    async def main() -> None:
        path = Path()
        await asyncio.sleep(3)
        assert path.told == [("interrupted", INTERRUPTED_AFTER)]
        assert path.sought[0] == SEEK_AFTER
        assert path.asked in (11, 12)
        path.watch.heard(path.loop.time())
        assert path.told[-1] == ("restored", 3.0)
        path.watch.close()
        before = path.asked
        await asyncio.sleep(3)
        assert path.asked == before

    virtual_time.run(main())


def test_a_muted_peer_that_answers_is_left_alone() -> None:
    async def main() -> None:
        path = Path(answers=True)
        await asyncio.sleep(60)
        assert path.told == []
        assert path.sought == []
        path.watch.close()

    virtual_time.run(main())


def test_doubt_is_acted_upon_at_once() -> None:
    async def main() -> None:
        path = Path()
        path.watch.doubt(0.3)
        assert path.sought == [0.0]
        assert path.told == []
        await asyncio.sleep(0.31)
        assert path.told == [("interrupted", 0.3)]
        path.watch.heard(path.loop.time())  # what arrives says nothing of what leaves
        assert path.watch.interrupted
        path.watch.consented()
        assert not path.watch.interrupted
        path.watch.doubt(0.0)
        assert path.told[-1][0] == "interrupted"
        path.watch.close()

    virtual_time.run(main())


def test_a_process_that_stood_still_asks_before_it_judges() -> None:
    async def main() -> None:
        path = Path()
        cast("virtual_time.VirtualLoop", path.loop).stall(20)
        await asyncio.sleep(0.3)
        assert path.told == []
        assert path.sought
        await asyncio.sleep(INTERRUPTED_AFTER)
        assert path.told[0][0] == "interrupted"
        path.watch.close()

    virtual_time.run(main())


def test_without_consent_for_long_nothing_may_be_sent() -> None:
    async def main() -> None:
        path = Path()
        assert path.watch.may_send
        await asyncio.sleep(31)
        assert not path.watch.may_send
        path.watch.close()

    virtual_time.run(main())
