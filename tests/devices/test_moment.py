from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from openvoice.devices.moment import BlockTimes


def told(**times: float) -> SimpleNamespace:
    return SimpleNamespace(**{"currentTime": 0.0, "inputBufferAdcTime": 0.0, "outputBufferDacTime": 0.0, **times})


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)


def test_a_clock_of_another_beginning_tells_the_way_to_the_device() -> None:
    times = BlockTimes(0.5)
    assert times.heard(told(currentTime=7.0, outputBufferDacTime=7.03)) == pytest.approx(1000.03)
    assert times.captured(told(currentTime=7.0, inputBufferAdcTime=6.98)) == pytest.approx(999.98)


@pytest.mark.parametrize(
    "nothing",
    [
        None,
        told(),
        told(currentTime=7.0),
        told(outputBufferDacTime=7.0, inputBufferAdcTime=7.0),
        told(currentTime=7.0, outputBufferDacTime=6.9, inputBufferAdcTime=7.1),
        told(currentTime=7.0, outputBufferDacTime=9.5, inputBufferAdcTime=4.5),
    ],
)
def test_what_is_not_told_or_cannot_be_is_the_latency_of_the_stream(nothing: SimpleNamespace | None) -> None:
    times = BlockTimes()
    times.latency = 0.25
    assert times.heard(nothing) == 1000.25
    assert times.captured(nothing) == 999.75


def test_a_call_that_comes_late_tells_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    times = BlockTimes()
    for number, late in enumerate([0.001, 0.0, 0.03, 0.002, 0.2]):
        now = 1000 + number * 0.01
        monkeypatch.setattr(time, "monotonic", lambda: now + late)  # noqa: B023
        heard = times.heard(told(currentTime=7 + number * 0.01, outputBufferDacTime=7.03 + number * 0.01))
        if number:
            assert heard == pytest.approx(now + 0.03, abs=0.0001)


def test_a_clock_that_is_set_is_a_new_clock() -> None:
    times = BlockTimes()
    times.heard(told(currentTime=7.0, outputBufferDacTime=7.03))
    for clock in (100.0, 3.0, 2.0):
        assert times.heard(told(currentTime=clock, outputBufferDacTime=clock + 0.03)) == pytest.approx(1000.03)


def test_a_block_was_not_captured_in_no_time() -> None:
    assert BlockTimes().captured(told(currentTime=7.0, inputBufferAdcTime=6.9998)) == pytest.approx(999.99)
