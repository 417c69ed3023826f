from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.testing.impairment import HEADER_BYTES, Conditions, Impairment

DATAGRAMS = 20_000


def fates(conditions: Conditions, *, seed: int = 1, interval: float = 0.02, size: int = 120) -> list[tuple[float, ...]]:
    """How long each of many datagrams was on the way."""
    path = Impairment(conditions, seed=seed)
    return [
        tuple(departure - number * interval for departure in path.departures(size, number * interval))
        for number in range(DATAGRAMS)
    ]


def losses(all_fates: list[tuple[float, ...]]) -> list[bool]:
    return [not fate for fate in all_fates]


def mean_run(lost: list[bool]) -> float:
    runs = [len(list(group)) for is_lost, group in groupby(lost) if is_lost]
    return sum(runs) / len(runs)


def test_a_good_path_lets_everything_through_at_once() -> None:
    assert set(fates(Conditions())) == {(0.0,)}


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.2, 0.5])
def test_random_loss_is_as_much_as_was_asked(loss: float) -> None:
    lost = losses(fates(Conditions(loss=loss)))
    assert sum(lost) / DATAGRAMS == pytest.approx(loss, rel=0.15)
    assert mean_run(lost) == pytest.approx(1 / (1 - loss), rel=0.1)


@pytest.mark.parametrize(("loss", "burst"), [(0.05, 3), (0.1, 3), (0.1, 10), (0.3, 5)])
def test_bursts_are_as_long_as_was_asked(loss: float, burst: float) -> None:
    lost = losses(fates(Conditions(loss=loss, burst=burst)))
    assert sum(lost) / DATAGRAMS == pytest.approx(loss, rel=0.25)
    assert mean_run(lost) == pytest.approx(burst, rel=0.2)


def test_delay_and_jitter_stay_in_their_bounds() -> None:
    times = [fate[0] for fate in fates(Conditions(delay=0.1, jitter=0.03, reorder=True))]
    assert min(times) == pytest.approx(0.07, abs=0.001)
    assert max(times) == pytest.approx(0.13, abs=0.001)


def test_datagrams_overtake_each_other_only_where_allowed() -> None:
    for reorder in (True, False):
        path = Impairment(Conditions(delay=0.05, jitter=0.05, reorder=reorder), seed=3)
        left = [path.departures(100, number * 0.01)[0] for number in range(1000)]
        overtakes = any(later < earlier for earlier, later in pairwise(left))
        assert overtakes is reorder
        assert bool(path.statistics.reordered) is reorder


def test_a_rate_spreads_what_comes_at_once_and_drops_what_waits_too_long() -> None:
    path = Impairment(Conditions(rate=80, queue=0.1))
    size = 100 - HEADER_BYTES
    left = [path.departures(size, 0.0) for _ in range(20)]
    passed = [departure for (departure,) in left[:11]]
    assert passed == pytest.approx([0.01 * number for number in range(1, 12)])
    assert left[11:] == [()] * 9
    assert path.statistics.overflowed == 9


def test_a_rate_is_held_in_the_long_run() -> None:
    all_fates = fates(Conditions(rate=30, queue=0.2), size=122)  # 60 kbit/s with headers
    passed = sum(len(fate) for fate in all_fates)
    assert passed / DATAGRAMS == pytest.approx(0.5, abs=0.01)
    assert max(fate[0] for fate in all_fates if fate) < 0.25


def test_duplicates() -> None:
    twice = sum(len(fate) == 2 for fate in fates(Conditions(duplicate=0.1)))
    assert twice / DATAGRAMS == pytest.approx(0.1, rel=0.1)


def test_a_cut_line_carries_nothing_until_it_is_mended() -> None:
    path = Impairment(Conditions(cut=True))
    assert path.departures(100, 0.0) == ()
    path.conditions = Conditions()
    assert path.departures(100, 1.0) == (1.0,)
    assert (path.statistics.datagrams, path.statistics.lost, path.statistics.payload_bytes) == (2, 1, 200)


@given(
    st.builds(
        Conditions,
        loss=st.floats(0, 0.6),
        burst=st.none() | st.floats(2, 10),
        delay=st.floats(0, 1),
        jitter=st.floats(0, 1),
        reorder=st.booleans(),
        duplicate=st.floats(0, 1),
        rate=st.none() | st.floats(8, 10_000),
    ),
    st.integers(0, 1000),
)
def test_the_same_seed_gives_the_same_fates_and_no_time_runs_backwards(conditions: Conditions, seed: int) -> None:
    first, second = Impairment(conditions, seed=seed), Impairment(conditions, seed=seed)
    latest = 0.0
    for number in range(200):
        now = number * 0.02
        left = first.departures(200, now)
        assert left == second.departures(200, now)
        assert all(departure >= now for departure in left)
        if not conditions.reorder and left:
            assert left[0] >= latest
            latest = left[-1]
    statistics = first.statistics
    assert statistics == second.statistics
    assert statistics.datagrams == 200


def test_another_seed_gives_other_fates() -> None:
    assert fates(Conditions(loss=0.5), seed=1) != fates(Conditions(loss=0.5), seed=2)


@pytest.mark.parametrize(
    "nonsense",
    [
        {"loss": 1.0},
        {"loss": -0.1},
        {"duplicate": 1.1},
        {"delay": -1.0},
        {"rate": 0.0},
        {"loss": 0.9, "burst": 2.0},
        {"loss": 0.1, "burst": 0.5},
    ],
)
def test_nonsense_is_refused(nonsense: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"share|negative|positive"):
        Conditions(**nonsense)  # type: ignore[arg-type]
