from __future__ import annotations

from openvoice.media.video.keys import KeyRequests

TRIP = 0.1


def asked(keys: KeyRequests, until: float) -> list[float]:
    times: list[float] = []
    while (due := keys.deadline(TRIP)) is not None and due <= until:
        assert not keys.ask(due - 0.001, TRIP)
        assert keys.ask(due, TRIP)
        times.append(round(due, 6))
    return times


def test_nothing_is_asked_for_without_need() -> None:
    keys = KeyRequests()
    assert keys.deadline(TRIP) is None
    assert not keys.ask(1.0, TRIP)


def test_what_is_needed_is_asked_for_almost_at_once_and_ever_more_rarely() -> None:
    keys = KeyRequests()
    keys.want(1.0)
    assert asked(keys, 20.0) == [1.02, 1.42, 2.12, 3.42, 5.92, 10.02, 14.12, 18.22]


def test_a_gap_that_may_be_mended_is_given_time() -> None:
    keys = KeyRequests()
    keys.wait(1.25)
    assert keys.deadline(TRIP) == 1.25
    keys.wait(None)
    assert keys.deadline(TRIP) is None


def test_a_key_picture_that_is_coming_is_waited_for() -> None:
    keys = KeyRequests()
    keys.want(1.0)
    for n in range(10):
        keys.arrive(1.0 + 0.1 * n)
        assert not keys.ask(1.09 + 0.1 * n, TRIP)
    assert keys.deadline(TRIP) == 1.9 + 0.2


def test_a_peer_that_answers_though_in_vain_is_asked_again_sooner() -> None:
    keys = KeyRequests()
    keys.want(1.0)
    assert asked(keys, 5.0) == [1.02, 1.42, 2.12, 3.42]
    keys.arrive(3.6)  # the beginning of a key picture, and no more of it
    assert asked(keys, 4.3) == [3.82, 4.22]


def test_a_key_picture_ends_the_need_but_the_next_request_keeps_its_distance() -> None:
    keys = KeyRequests()
    keys.want(1.0)
    assert keys.ask(1.02, TRIP)
    keys.satisfy()
    assert keys.deadline(TRIP) is None
    keys.want(1.1)
    assert asked(keys, 1.9) == [1.42, 1.82]
