from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from openvoice.devices.stand_in import PATIENCE, StandIn


class FakeLoop:
    """Time that passes only when told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._timers: list[tuple[float, int, Callable[[], Any], list[bool]]] = []

    def time(self) -> float:
        return self.now

    def call_soon(self, callback: Callable[[], Any]) -> Any:
        return self.call_at(self.now, callback)

    def call_at(self, when: float, callback: Callable[[], Any]) -> Any:
        cancelled: list[bool] = []
        heapq.heappush(self._timers, (when, id(cancelled), callback, cancelled))

        class Handle:
            def cancel(self) -> None:
                cancelled.append(True)

        return Handle()

    def run_until(self, end: float) -> None:
        while self._timers and self._timers[0][0] <= end + 1e-9:
            when, _, callback, cancelled = heapq.heappop(self._timers)
            self.now = max(self.now, when)
            if not cancelled:
                callback()
        self.now = max(self.now, end)


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> FakeLoop:
    fake = FakeLoop()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: fake)
    return fake


def test_steps_at_the_pace_of_frames_while_the_device_is_silent(loop: FakeLoop) -> None:
    steps: list[float] = []
    StandIn(lambda: 0, lambda: steps.append(loop.time()))
    loop.run_until(0.99)
    assert steps == pytest.approx([0.02 * number for number in range(50)])


def test_keeps_quiet_while_the_device_lives_and_steps_in_soon(loop: FakeLoop) -> None:
    signs, steps = [0], [0.0]
    StandIn(lambda: signs[0], lambda: steps.append(loop.time()))
    loop.run_until(0.005)
    steps.clear()
    for number in range(1, 101):
        signs[0] = number
        loop.run_until(number / 100)
    assert steps == []
    loop.run_until(1.5)
    assert 1.0 < steps[0] <= 1.0 + 2 * PATIENCE
    assert [later - earlier for earlier, later in pairwise(steps)] == pytest.approx([0.02] * (len(steps) - 1))


def test_makes_up_for_nothing_after_a_stall(loop: FakeLoop) -> None:
    steps: list[float] = []
    StandIn(lambda: 0, lambda: steps.append(loop.time()))
    loop.run_until(0.1)
    loop.now = 5.0
    loop.run_until(5.1)
    assert len([step for step in steps if step > 0.11]) <= 7


def test_stops_also_from_within_a_step(loop: FakeLoop) -> None:
    steps: list[float] = []

    def step() -> None:
        steps.append(loop.time())
        if len(steps) == 3:
            stand_in.stop()

    stand_in = StandIn(lambda: 0, step)
    loop.run_until(1.0)
    assert len(steps) == 3
