"""The queue of a narrow link, told by round trips."""

from __future__ import annotations

from openvoice.media.audio.congestion import QueueEstimate


def estimate(*round_trips: float) -> QueueEstimate:
    queue = QueueEstimate()
    for second, round_trip in enumerate(round_trips):
        queue.add(round_trip, float(second))
    return queue


def test_one_long_round_trip_or_two_longer_ones_in_a_row_are_a_queue() -> None:
    assert estimate(0.05, 0.05, 0.05, 0.4).lasts
    assert not estimate(0.05, 0.05, 0.05, 0.18).lasts
    assert estimate(0.05, 0.05, 0.05, 0.18, 0.18).lasts


def test_a_round_trip_that_went_over_a_sleep_is_none() -> None:
    assert not estimate(0.05, 0.05, 0.05, 10.0).lasts
    assert not estimate(0.05, 0.05, 0.05, 10.0, 0.05).lasts


def test_a_queue_of_seconds_is_believed_when_it_stays() -> None:
    assert estimate(0.05, 0.05, 0.05, 3.0, 3.0).lasts
