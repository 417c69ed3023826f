from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.video.clock import RtpClock


def test_timestamps_tell_when_pictures_were_taken() -> None:
    clock = RtpClock(1000)
    first = clock.stamp(5.0, 5.01)
    assert clock.stamp(5.5, 5.6) - first == 45_000
    assert clock.at(6.0) - first == 90_000


def test_a_source_with_another_clock_is_stamped_by_ours() -> None:
    clock = RtpClock(0)
    assert clock.stamp(3.0, 1000.0) == clock.at(1000.0)
    assert clock.stamp(1e9, 1001.0) == clock.at(1001.0)


@given(st.integers(0, 2**32 - 1), st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 10)), min_size=2, max_size=40))
def test_no_two_pictures_have_one_timestamp(origin: int, pictures: list[tuple[float, float]]) -> None:
    clock = RtpClock(origin)
    now = 0.0
    stamps = []
    for time, step in pictures:
        now += step
        stamps.append(clock.stamp(time, now))
    for before, after in itertools.pairwise(stamps):
        assert 0 < (after - before) % 2**32 < 2**31
