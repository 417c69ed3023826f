from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.retransmission import LONGEST_AGE, MOST_ATTEMPTS, MOST_MISSING, Requests

TRIP = 0.08


def gap(found: int = 2, now: float = 1.0) -> Requests:
    """After packet 10 comes one that leaves ``found`` out."""
    requests = Requests()
    requests.received(10, 0.9, TRIP)
    requests.received(11 + found, now, TRIP)
    return requests


def asked(requests: Requests, until: float) -> list[float]:
    """When something is asked for until then."""
    times = []
    while requests.deadline is not None and requests.deadline <= until:
        now = requests.deadline
        if requests.due(now, TRIP):
            times.append(round(now, 6))
    return times


def test_a_gap_is_asked_for_at_once_and_all_of_it_together() -> None:
    requests = gap(3)
    assert requests.deadline == 1.0
    assert requests.due(1.0, TRIP) == [11, 12, 13]
    assert requests.due(1.0, TRIP) == []
    assert requests.count == 3


def test_it_is_asked_for_again_at_the_round_trip_and_then_twice_in_each() -> None:
    assert asked(gap(), 1.26) == [1.0, 1.09, 1.13, 1.17, 1.21, 1.25]


def test_before_the_round_trip_is_known_one_is_guessed() -> None:
    requests = gap()
    requests.due(1.0, None)
    assert requests.deadline is not None
    assert 1.1 <= requests.deadline <= 1.15


def test_what_came_meanwhile_is_asked_for_no_more() -> None:
    requests = gap(2)
    requests.due(1.0, TRIP)
    assert requests.was_asked(11)
    assert not requests.was_asked(10)
    requests.received(11, 1.08, TRIP)
    assert not requests.was_asked(11)
    assert requests.due(1.09, TRIP) == [12]
    requests.received(12, 1.17, TRIP)
    assert requests.deadline is None
    assert requests.missing_since is None


def test_attempts_are_bounded_and_then_it_is_hopeless() -> None:
    requests = gap(1)
    assert not requests.hopeless
    assert len(asked(requests, 100.0)) == MOST_ATTEMPTS
    assert requests.hopeless
    assert requests.deadline is None
    requests.forget_before(11)
    assert requests.hopeless
    requests.forget_before(12)
    assert not requests.hopeless


def test_what_is_old_is_given_up() -> None:
    requests = gap(1)
    assert requests.due(1.0 + LONGEST_AGE, TRIP) == []
    assert requests.hopeless


def test_what_nobody_needs_is_forgotten() -> None:
    requests = gap(4)
    requests.forget_before(13)
    assert requests.due(1.0, TRIP) == [13, 14]
    assert requests.missing_since == 1.0


def test_of_a_gap_of_thousands_nothing_is_asked_for() -> None:
    requests = gap(MOST_MISSING + 1)
    assert requests.deadline is None
    assert requests.hopeless
    requests.received(1000, 2.0, TRIP)
    requests.forget_before(1000)
    assert not requests.hopeless


def test_a_network_that_reorders_makes_patient_for_a_while() -> None:
    requests = gap(1)
    requests.due(1.0, TRIP)
    requests.received(11, 1.008, TRIP)  # sooner than anybody could have answered
    requests.received(14, 2.0, TRIP)
    assert requests.deadline == 2.008
    requests.received(13, 2.005, TRIP)
    assert requests.deadline is None
    for n in range(200):
        now = 3.0 + n
        requests.received(20 + 2 * n, now, TRIP)
        requests.due(now + 0.02, TRIP)
        requests.received(19 + 2 * n, now + 0.1, TRIP)
    requests.received(1000, 999.0, TRIP)
    assert requests.deadline is None or requests.deadline - 999.0 < 0.001


@given(st.lists(st.tuples(st.integers(-400, 400), st.floats(0.001, 0.3)), max_size=100))
def test_whatever_comes_little_is_remembered_and_only_what_is_missing_is_asked_for(
    steps: list[tuple[int, float]],
) -> None:
    requests, now, number = Requests(), 0.0, 1000
    came: set[int] = set()
    for step, wait in steps:
        now += wait
        number = max(0, number + step)
        came.add(number)
        requests.received(number, now, TRIP)
        assert len(requests._missing) <= MOST_MISSING
        due = requests.due(now, TRIP)
        assert due == sorted(set(due) - came)
        assert requests.deadline is None or requests.deadline > now
