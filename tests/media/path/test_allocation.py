from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.path.allocation import Demand, Pause, share


def test_one_stream_gets_what_is_there_up_to_what_it_takes() -> None:
    assert share(500, [Demand(40, 1000)]) == [500]
    assert share(5000, [Demand(40, 1000)]) == [1000]
    assert share(39, [Demand(40, 1000)]) == [0]
    assert share(100, []) == []


def test_several_get_the_same_and_what_one_does_not_take_is_for_the_other() -> None:
    assert share(600, [Demand(40, 1000), Demand(40, 1000)]) == [300, 300]
    assert share(600, [Demand(40, 1000), Demand(40, 100)]) == [500, 100]
    assert share(60, [Demand(40, 1000), Demand(40, 100)]) == [60, 0]


@given(
    st.floats(0, 1e5), st.lists(st.tuples(st.floats(1, 100), st.floats(0, 5000)).map(lambda d: Demand(d[0], sum(d))))
)
def test_nobody_gets_more_than_there_is_nor_than_it_takes(available: float, demands: list[Demand]) -> None:
    shares = share(available, demands)
    assert sum(shares) <= available * (1 + 1e-9) + 1e-9
    for demand, granted in zip(demands, shares, strict=True):
        assert granted == 0 or demand.least - 1e-9 <= granted <= demand.most + 1e-6
    assert sum(shares) == pytest.approx(min(available, sum(demand.most for demand in demands))) or 0 in shares


def passes(pause: Pause, available: float, begin: float, end: float) -> list[tuple[float, bool]]:
    """When it began and ended to pause, looked at ten times a second."""
    changes = []
    for tenth in range(round(10 * begin), round(10 * end)):
        before = pause.paused
        pause.update(available, 40.0, tenth / 10)
        if pause.paused is not before:
            changes.append((tenth / 10, pause.paused))
    return changes


def test_a_moment_with_too_little_is_no_reason_to_pause() -> None:
    pause = Pause()
    assert passes(pause, 30, 0, 0.4) == []
    assert passes(pause, 50, 0.4, 1) == []
    assert passes(pause, 30, 1, 1.4) == []


def test_pictures_pause_longer_each_time_that_they_come_back_in_vain() -> None:
    changes = passes(Pause(), 30, 0, 400)
    lengths = [round(end - begin) for (begin, _), (end, _) in zip(changes[::2], changes[1::2], strict=False)]
    assert lengths == [10, 20, 40, 80, 120, 120]


def test_after_a_good_while_a_pause_is_short_again() -> None:
    pause = Pause()
    assert len(passes(pause, 30, 0, 31.5)) == 4
    assert passes(pause, 50, 31.5, 60) == []
    begin, end = (at for at, _ in passes(pause, 30, 60, 80)[:2])
    assert end - begin == pytest.approx(10)


def test_the_end_of_a_pause_is_told_once() -> None:
    pause = Pause()
    passes(pause, 30, 0, 5)
    assert pause.paused
    assert [pause.update(30, 40, 20 + tenth / 10) for tenth in range(3)] == [True, False, False]
