from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.retransmission import LONGEST_GAP, LONGEST_ROUND_TRIP, Allowance, Answers, Requests

FRAME = 0.02


def receive(
    requests: Requests, sequence: int, now: float, round_trip: float | None, wait: float = 0.2
) -> tuple[int, ...]:
    return requests.received(sequence, now, round_trip=round_trip, wait=wait, length=FRAME)


def feed(requests: Requests, *sequences: int, round_trip: float | None = 0.03) -> list[tuple[int, ...]]:
    """What is asked for after each packet; the packet of sequence number n comes at n times 20 ms."""
    return [receive(requests, sequence % 65536, sequence * FRAME, round_trip) for sequence in sequences]


def test_what_is_missing_is_asked_for_once_the_next_packet_shows_it() -> None:
    assert feed(Requests(), 10, 11, 14) == [(), (), (12, 13)]


def test_it_is_asked_for_again_after_a_round_trip_a_few_times_and_then_given_up() -> None:
    found = feed(Requests(), 1, *range(3, 20))
    assert [place for place, asked in enumerate(found) if asked] == [1, 3, 5]
    assert {asked for asked in found if asked} == {(2,)}


def test_what_came_is_not_asked_for_again() -> None:
    requests = Requests()
    assert feed(requests, 1, 3) == [(), (2,)]
    assert receive(requests, 2, 0.099, 0.03) == ()
    assert feed(requests, 4, 5, 6, 7) == [(), (), (), ()]


def test_of_another_stream_with_lower_numbers_losses_are_noticed_too() -> None:
    requests = Requests()
    assert feed(requests, 20_000, 20_001) == [(), ()]
    found = [receive(requests, sequence, 400.1 + sequence * FRAME, 0.03) for sequence in (7, 8, 10)]
    assert found == [(), (), (9,)]


@pytest.mark.parametrize("round_trip", [None, LONGEST_ROUND_TRIP + 0.001])
def test_what_would_come_too_late_is_not_asked_for(round_trip: float | None) -> None:
    assert not any(feed(Requests(), *range(0, 30, 2), round_trip=round_trip))


def test_only_what_can_come_while_sound_is_waited_for_is_asked_for() -> None:
    for wait, expected in ((0.04, ()), (0.055, (3,)), (0.075, (2, 3)), (0.2, (2, 3))):
        requests = Requests()
        receive(requests, 1, 0.02, 0.03, wait)
        assert receive(requests, 4, 0.08, 0.03, wait) == expected


def test_of_a_long_gap_nothing_is_asked_for() -> None:
    assert feed(Requests(), 1, LONGEST_GAP + 3, LONGEST_GAP + 4) == [(), (), ()]
    assert feed(Requests(), 1, 20_000, 20_002) == [(), (), (20_001,)]


def test_sequences_wrap() -> None:
    assert feed(Requests(), 65_534, 65_537) == [(), (65_535, 0)]


def test_sound_waits_for_what_comes_again_only_where_much_is_lost() -> None:
    rare, often = Requests(), Requests()
    feed(rare, *(number for number in range(500) if number % 25))
    feed(often, *(number for number in range(500) if number % 8))
    assert rare.worth(0.005, FRAME) == FRAME
    assert often.worth(0.005, FRAME) > FRAME + 0.005


def test_the_packet_before_the_last_one_is_regretted_once() -> None:
    requests = Requests()
    feed(requests, 1, 3)
    assert requests.regretted == 2
    feed(requests, 4)
    assert requests.regretted is None
    feed(requests, 65_535)
    assert requests.regretted is None


def test_packets_that_are_late_and_not_lost_teach_patience() -> None:
    requests = Requests()
    assert receive(requests, 1, 0.02, 0.05) == ()
    assert receive(requests, 3, 0.06, 0.05) == (2,)
    assert receive(requests, 2, 0.07, 0.05) == ()  # too soon to be an answer
    assert receive(requests, 5, 0.10, 0.05) == ()
    assert receive(requests, 6, 0.12, 0.05) == (4,)


@given(st.lists(st.tuples(st.integers(0, 65_535), st.floats(0, 0.05), st.none() | st.floats(0, 0.1)), max_size=300))
def test_whatever_comes_little_is_asked_for(packets: list[tuple[int, float, float | None]]) -> None:
    requests = Requests()
    now, asked = 0.0, 0
    for sequence, gap, round_trip in packets:
        now += gap
        found = receive(requests, sequence, now, round_trip)
        assert len(set(found)) == len(found) <= LONGEST_GAP * 8
        assert all(0 <= each < 65_536 for each in found)
        asked += len(found)
    assert asked <= 12 + 20 * now + 1e-6
    assert len(requests._missing) < 200


def test_each_packet_is_given_a_few_times_and_all_of_them_at_a_bounded_rate() -> None:
    answers = Answers()
    assert [answers.allows(7, second) for second in range(5)] == [True, True, True, False, False]
    given_out = sum(answers.allows(sequence, 10 + sequence / 1000) for sequence in range(10_000))
    assert given_out <= 12 + 20 * 10 + 1


def test_an_allowance_does_not_grow_without_end_nor_by_a_clock_that_goes_back() -> None:
    allowance = Allowance(10, 3)
    assert [allowance.take(0) for _ in range(5)] == [True] * 3 + [False] * 2
    assert not allowance.take(-5)
    assert [allowance.take(1000) for _ in range(5)] == [True] * 3 + [False] * 2
