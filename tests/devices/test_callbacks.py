"""What runs on PortAudio's thread: nothing that grows, waits or logs."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import tracemalloc
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from openvoice.devices.line import Line
from openvoice.devices.loudspeaker import PlayingLine
from openvoice.devices.microphone import RecordingLine
from openvoice.devices.processing.reference import Reference
from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE

CALLBACKS = 10_000
GROWTH = CALLBACKS
"""Octets. Of each callback not even one may stay; what measures the tests' coverage needs some of its own."""
WAITING = {"acquire", "acquire_lock", "wait", "sleep", "join", "get", "put", "print"}


def playing() -> Line:
    return PlayingLine(
        SAMPLE_RATE, asyncio.get_running_loop(), lambda line: True, lambda: np.ones(FRAME_SAMPLES, np.int16)
    )


def playing_what_is_processed() -> Line:
    reference: Any = Reference(SAMPLE_RATE // 100)
    return PlayingLine(
        SAMPLE_RATE, asyncio.get_running_loop(), lambda line: True, lambda: np.ones(FRAME_SAMPLES, np.int16), reference
    )


def recording() -> Line:
    return RecordingLine(SAMPLE_RATE, asyncio.get_running_loop(), lambda line: True, lambda frame: None)


lines = pytest.mark.parametrize("make", [playing, playing_what_is_processed, recording])


async def on_a_thread(line: Line, callbacks: int, before: Callable[[], None] = lambda: None) -> None:
    """Call back that often, with time for the event loop in between, as a device leaves it."""
    block = np.full((SAMPLE_RATE // 100, 2), 1000, np.int16)

    def call(count: int) -> None:
        before()
        for number in range(count):
            line.handle_block(block, 0.01 * number)
        sys.setprofile(None)

    for _ in range(callbacks // 2):
        await asyncio.to_thread(call, 2)
        await asyncio.sleep(0)


@lines
async def test_nothing_grows(make: Callable[[], Line]) -> None:
    line = make()
    await on_a_thread(line, 1000)
    tracemalloc.start()
    try:
        await on_a_thread(line, 1000)
        gc.collect()
        before, _ = tracemalloc.get_traced_memory()
        await on_a_thread(line, CALLBACKS)
        gc.collect()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < GROWTH
    assert line.blocks == CALLBACKS + 2000


@lines
async def test_nothing_is_waited_for(make: Callable[[], Line]) -> None:
    """By every function, of Python and of C, that the callback calls."""
    called: set[str] = set()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            called.add(argument.__name__)
        elif event == "call":
            called.add(frame.f_code.co_name)

    await on_a_thread(make(), 100, lambda: sys.setprofile(note))
    assert {"handle_block", "call_soon_threadsafe"} <= called
    assert not called & WAITING


@lines
async def test_nothing_is_logged(make: Callable[[], Line], monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(logging.Logger, "handle", lambda logger, record: logged.append(record.getMessage()))
    logging.getLogger("openvoice").warning("This shows that the test sees it.")
    await on_a_thread(make(), 100)
    assert len(logged) == 1
