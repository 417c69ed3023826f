from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from openvoice.devices.processing.reference import KEPT, Reference


def play(reference: Reference, blocks: int, begin: int = 0) -> None:
    """A ramp of 10 per block, the first block heard at 100 s."""
    for number in range(begin, begin + blocks):
        reference.played(np.full(reference.block_samples, number * 10, np.int16), 100 + number * 0.01)
        reference.take_in()


def test_what_was_played_is_found_by_its_time() -> None:
    reference = Reference(480)
    assert reference.heard_at(100.0) is None
    play(reference, 20)
    place = reference.heard_at(100.105)
    assert place == pytest.approx(10.5 * 480)
    assert place is not None
    read = reference.read(place, 1.0)
    assert read is not None
    assert read[:200] == pytest.approx(100, abs=0.1)
    assert read[-200:] == pytest.approx(110, abs=0.1)


@pytest.mark.parametrize(("rate", "block"), [(16_000, 160), (44_100, 441), (8_000, 80)])
def test_other_rates_are_brought_to_48_khz(rate: int, block: int) -> None:
    reference = Reference(block)
    time = np.arange(rate) / rate
    tone = np.rint(8000 * np.sin(2 * np.pi * 1000 * time)).astype(np.int16)
    for number in range(100):
        reference.played(tone[number * block : (number + 1) * block], number * 0.01)
    reference.take_in()
    assert reference.end == 48_000 - 12
    place = reference.heard_at(0.5)
    assert place is not None
    read = reference.read(place, 1.0)
    assert read is not None
    wanted = 8000 * np.sin(2 * np.pi * 1000 * (0.5 + np.arange(480) / 48_000))
    # The resampler is a millisecond or two late: that is nothing here, but it may lie between two samples.
    best = min(np.abs(np.roll(read, shift)[150:330] - wanted[150:330]).max() for shift in range(-100, 100))
    assert best < 600


def test_what_is_not_played_yet_and_what_is_long_gone_is_not_there() -> None:
    reference = Reference(480)
    play(reference, 10)
    assert reference.read(4800 - 480, 1.0) is None
    assert reference.read(4800 - 492 - 1, 1.0) is not None
    assert reference.read(-1.0, 1.0) is None
    play(reference, 600, begin=10)
    assert reference.read(100.0, 1.0) is None
    assert reference.read(610 * 480 - KEPT + 200, 1.0) is not None


def test_memory_does_not_grow_however_long_it_plays() -> None:
    reference = Reference(480)
    play(reference, 1000)
    place = reference.heard_at(109.0)
    assert place == pytest.approx(900 * 480)
    assert place is not None
    read = reference.read(place, 1.0)
    assert read is not None
    assert read[20:-20] == pytest.approx(9000, abs=1)


def test_the_thread_of_the_device_allocates_nothing_that_stays() -> None:
    reference = Reference(480)
    block = np.zeros(480, np.int16)
    for number in range(200):
        reference.played(block, number * 0.01)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(200, 2000):
            reference.played(block, number * 0.01)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1000


def test_a_loop_that_stands_still_loses_the_oldest_sound_and_no_more() -> None:
    reference = Reference(480)
    for number in range(150):
        reference.played(np.full(480, number, np.int16), number * 0.01)
    reference.take_in()
    assert reference.end == 100 * 480 - 12
    play(reference, 10, begin=150)
    assert reference.heard_at(101.5) == pytest.approx(100 * 480)
