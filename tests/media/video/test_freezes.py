from __future__ import annotations

import pytest

from openvoice.media.video.freezes import Freezes


def show(*gaps: float) -> Freezes:
    freezes, now = Freezes(), 100.0
    freezes.show(now)
    for gap in gaps:
        now += gap
        freezes.show(now)
    return freezes


def test_an_even_stream_never_freezes_however_slow() -> None:
    assert show(*[0.033] * 100).count == 0
    assert show(*[1.0] * 100).count == 0


def test_a_freeze_is_longer_than_usual_by_150_ms_and_three_times_as_long() -> None:
    assert show(*[0.033] * 30, 0.18).count == 0
    frozen = show(*[0.033] * 30, 0.19, *[0.033] * 30, 0.5)
    assert frozen.count == 2
    assert frozen.seconds == pytest.approx(0.69)
    assert frozen.longest_gap == pytest.approx(0.5)
    assert show(*[0.2] * 30, 0.5).count == 0
    assert show(*[0.2] * 30, 0.61).count == 1


def test_what_is_not_shown_does_not_freeze() -> None:
    freezes = show(*[0.033] * 30)
    freezes.pause(True)
    for now in (101.5, 102.5, 103.5):
        freezes.show(now)
    freezes.pause(False)
    freezes.show(104.5)
    assert freezes.count == 0
    assert freezes.longest_gap == pytest.approx(0.033)
    freezes.show(105.0)
    assert freezes.count == 1


def test_nothing_that_came_before_a_pause_is_waited_for_after_it() -> None:
    freezes = show(*[0.033] * 30)
    freezes.pause(True)
    freezes.pause(False)
    freezes.show(102.5)
    assert freezes.count == 0


def test_a_camera_that_was_off_for_a_while_did_not_freeze() -> None:
    paused = show(*[0.033] * 30, 60.0, *[0.033] * 30)
    assert (paused.count, paused.seconds) == (0, 0.0)
    assert paused.longest_gap < 0.1
    assert show(*[0.033] * 30, 4.9).count == 1
