from __future__ import annotations

import itertools
import random

import pytest
from aiortc.rtp import RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.synchronisation import SenderClock, Synchronisation
from openvoice.media.video.assembly import ReceivedPicture
from openvoice.media.video.codec import CLOCK_RATE
from openvoice.media.video.presentation import AHEAD, BEHIND, MOST_SMOOTHING, MOST_WAITING, Presentation

RATE = 30
START = 4_294_900_000
"""The timestamps wrap after two seconds."""


def picture(timestamp: int, ended: float) -> ReceivedPicture:
    return ReceivedPicture(
        data=b"x",
        key=False,
        payload_type=96,
        timestamp=timestamp & 0xFFFFFFFF,
        began=ended,
        ended=ended,
    )


def present(
    lateness: list[float], synchronisation: Synchronisation | None = None, *, voice: float | None = None
) -> list[tuple[float, float]]:
    """(arrival, due) of pictures that are so late; the voice of a moment is heard ``voice`` seconds after it."""
    synchronisation = synchronisation or Synchronisation()
    clock = SenderClock(7, CLOCK_RATE)
    if voice is not None:
        clock.handle(RtcpSrPacket(7, RtcpSenderInfo(5000 * 2**32, START, 1, 1)))
    presentation = Presentation(synchronisation, clock)
    times = []
    for number, late in enumerate(lateness):
        arrival = 100 + number / RATE + late
        if voice is not None:
            synchronisation.hear(5000 + number / RATE, 100 + number / RATE + voice)
        times.append((arrival, presentation.schedule(picture(START + number * 3000, arrival), arrival)))
    return times


def waits(times: list[tuple[float, float]]) -> list[float]:
    return [due - arrival for arrival, due in times]


def test_on_an_even_network_pictures_are_shown_at_once() -> None:
    chance = random.Random(1)
    assert waits(present([0.02 + chance.uniform(0, 0.008) for _ in range(300)])) == [0.0] * 300


def test_on_an_uneven_one_they_wait_no_longer_than_most_are_late() -> None:
    chance = random.Random(2)
    times = present([0.02 + chance.uniform(0, 0.06) for _ in range(600)])
    shown = [due for _, due in times[150:]]
    spacings = sorted(after - before for before, after in itertools.pairwise(shown))
    assert all(wait <= 0.061 for wait in waits(times))
    assert max(due - 100 - number / RATE for number, (_, due) in enumerate(times)) < 0.081
    # Nine in ten are where they belong; arrivals alone are off by 20 ms on average.
    middle = spacings[len(spacings) // 20 : -len(spacings) // 20]
    assert all(abs(spacing - 1 / RATE) < 0.008 for spacing in middle)


def test_a_spike_is_not_paid_for_by_those_after_it() -> None:
    late = [0.02] * 200
    late[100] = 0.5
    assert waits(present(late)) == [0.0] * 200


def test_what_is_usual_is_forgotten_when_it_is_over() -> None:
    chance = random.Random(3)
    times = present([chance.uniform(0, 0.1) for _ in range(200)] + [0.0] * 200)
    assert max(waits(times[200:260])) > 0.05
    assert max(waits(times[-30:])) == 0.0


@pytest.mark.parametrize(("every", "wait"), [(40, 0.0), (12, 0.1)])
def test_where_many_pictures_are_mended_the_others_wait_for_that(every: int, wait: float) -> None:
    presentation = Presentation(Synchronisation(), SenderClock(7, CLOCK_RATE))
    for number in range(300):
        mended = number % every == 2
        arrival = 100 + number / RATE + (0.1 if mended else 0.0)
        due = presentation.schedule(picture(number * 3000, arrival), arrival)
    assert due - arrival == pytest.approx(wait)


def test_pictures_that_waited_for_another_one_tell_nothing_of_the_network() -> None:
    presentation = Presentation(Synchronisation(), SenderClock(7, CLOCK_RATE))
    for number in range(300):
        # The first of every forty is mended 150 ms later, and those behind it can be decoded only then.
        first = number // 40 * 40
        ended = 100 + number / RATE + (0.15 if number == first else 0.0)
        now = max(ended, 100 + first / RATE + 0.15)
        assert presentation.schedule(picture(number * 3000, ended), now) == now


def test_a_sender_that_counts_anew_begins_anew() -> None:
    presentation = Presentation(Synchronisation(), SenderClock(7, CLOCK_RATE))
    for number in range(100):
        presentation.schedule(picture(number * 3000, 100 + number / RATE), 100 + number / RATE)
    for number in range(100):
        arrival = 110 + number / RATE
        assert presentation.schedule(picture(2_000_000_000 + number * 3000, arrival), arrival) == arrival


@pytest.mark.parametrize("voice", [0.05, 0.1, 0.2, 0.35])
def test_pictures_wait_for_the_voice_until_nobody_sees_the_difference(voice: float) -> None:
    times = present([0.02] * 300, voice=voice)
    number, (arrival, due) = 299, times[299]
    ahead = 100 + number / RATE + voice - due
    assert -0.001 <= ahead <= 0.06
    assert due - arrival == pytest.approx(max(0.0, voice - 0.02 - AHEAD), abs=0.002)


def test_the_first_picture_is_in_step_with_a_voice_that_is_there_before() -> None:
    assert waits(present([0.02], voice=0.35)) == [pytest.approx(0.35 - 0.02 - AHEAD)]


def test_the_voice_is_found_without_a_jump() -> None:
    synchronisation = Synchronisation()
    presentation = Presentation(synchronisation, clock := SenderClock(7, CLOCK_RATE))
    before = 0.0
    for number in range(300):
        now = 100 + number / RATE
        if number == 100:
            clock.handle(RtcpSrPacket(7, RtcpSenderInfo(5000 * 2**32, 0, 1, 1)))
        synchronisation.hear(5000 + number / RATE, now + 0.3)
        due = presentation.schedule(picture(number * 3000, now), now)
        assert due - before < 1.21 / RATE or not number
        before = due
    assert presentation.waiting == pytest.approx(0.3 - AHEAD, abs=0.002)


def test_pictures_wait_for_the_voice_only_so_long() -> None:
    assert max(waits(present([0.02] * 300, voice=1.5))) == pytest.approx(MOST_WAITING)


def test_smoothing_puts_pictures_not_far_behind_the_voice() -> None:
    chance = random.Random(5)
    times = present([0.02 + chance.uniform(0, 0.15) for _ in range(600)], voice=0.04)
    for number, (arrival, due) in enumerate(times[300:], 300):
        assert due <= max(arrival, 100 + number / RATE + 0.04 + BEHIND + 0.001)


def test_streams_on_different_clocks_do_not_wait_for_each_other() -> None:
    assert waits(present([0.02] * 300, voice=400.0)) == [0.0] * 300
    assert waits(present([0.02] * 300, voice=-400.0)) == [0.0] * 300


def test_without_sender_reports_or_voice_there_is_no_waiting() -> None:
    synchronisation = Synchronisation()
    synchronisation.hear(5000.0, 100.5)
    assert waits(present([0.02] * 100, synchronisation)) == [0.0] * 100
    clock = SenderClock(7, CLOCK_RATE)
    clock.handle(RtcpSrPacket(7, RtcpSenderInfo(5000 * 2**32, 0, 1, 1)))
    assert Presentation(Synchronisation(), clock).schedule(picture(0, 100.0), 100.0) == 100.0


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.floats(-1.0, 5.0)), max_size=50),
    st.integers(0, 2**64 - 1),
)
def test_whatever_a_sender_counts_pictures_are_due_soon(pictures: list[tuple[int, float]], reported: int) -> None:
    synchronisation = Synchronisation()
    clock = SenderClock(7, CLOCK_RATE)
    clock.handle(RtcpSrPacket(7, RtcpSenderInfo(reported, 0, 1, 1)))
    presentation = Presentation(synchronisation, clock)
    now = 100.0
    for timestamp, wait in pictures:
        now += max(0.0, wait)
        synchronisation.hear(reported / 2**32, now)
        due = presentation.schedule(picture(timestamp, now), now)
        assert now <= due <= now + 2 * MOST_SMOOTHING + MOST_WAITING + 2.0
