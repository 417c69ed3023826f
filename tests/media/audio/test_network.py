"""The networks of the tests and of the bench do what they say."""

from __future__ import annotations

import itertools

import pytest

from openvoice.ports import FRAME_SECONDS
from tests.media.audio.network import HEADERS, Network, Way

SECONDS = 60
DEPARTURES = [100 + n * FRAME_SECONDS for n in range(round(SECONDS / FRAME_SECONDS))]


def lateness(network: Network, octets: int = 0) -> dict[int, float]:
    """Of each packet that comes, by its number."""
    return {n: arrival - DEPARTURES[n] for arrival, n in network.arrivals(DEPARTURES, octets)}


def test_a_seed_is_a_fate() -> None:
    network = Network(loss=0.1, burst=3, jitter=0.06)
    assert lateness(network) == lateness(network)
    assert lateness(network) != lateness(Network(loss=0.1, burst=3, jitter=0.06, seed=2))


@pytest.mark.parametrize("burst", [1, 3])
def test_the_share_that_is_lost_and_the_length_of_its_runs(burst: float) -> None:
    departures = [n * FRAME_SECONDS for n in range(50_000)]
    came = {n for _, n in Network(loss=0.1, burst=burst).arrivals(departures)}
    runs = [len(list(run)) for lost, run in itertools.groupby(n not in came for n in range(50_000)) if lost]
    assert sum(runs) / 50_000 == pytest.approx(0.1, abs=0.01)
    # What is lost by chance alone comes in runs of 1 / (1 - loss).
    assert sum(runs) / len(runs) == pytest.approx(burst if burst > 1 else 1 / 0.9, rel=0.05)


def test_jitter_delays_but_reorders_only_where_it_may() -> None:
    ordered = Network(jitter=0.06).arrivals(DEPARTURES)
    assert [n for _, n in ordered] == list(range(len(DEPARTURES)))
    mixed = Network(jitter=0.06, reorder=True).arrivals(DEPARTURES)
    assert [n for _, n in mixed] != sorted(n for _, n in mixed)
    late = lateness(Network(jitter=0.06, reorder=True))
    assert 0.05 < max(late.values()) <= 0.0605


def test_a_slow_clock_lets_packets_come_later_and_later() -> None:
    late = lateness(Network(drift=200))
    assert late[len(DEPARTURES) - 1] - late[0] == pytest.approx(200e-6 * SECONDS, rel=0.01)


def test_a_fast_clock_lets_packets_come_sooner_but_never_before_they_were_sent() -> None:
    late = lateness(Network(drift=-200, delay=0.006))
    assert late[0] == pytest.approx(0.006)
    assert late[len(DEPARTURES) // 4] == pytest.approx(0.006 - 200e-6 * SECONDS / 4)
    assert late[len(DEPARTURES) - 1] == 0


def test_a_narrow_link_passes_its_rate_and_holds_back_no_longer_than_its_queue() -> None:
    octets = 172
    late = lateness(Network(rate=40_000, queue=0.2), octets)
    assert len(late) * 8 * (octets + HEADERS) / SECONDS == pytest.approx(40_000, rel=0.01)
    assert 0.2 < max(late.values()) < 0.2 + 0.05


def test_a_wide_link_delays_only_by_its_own_time() -> None:
    late = lateness(Network(rate=160_000), 172)
    assert set(late) == set(range(len(DEPARTURES)))
    assert max(late.values()) == pytest.approx(0.0005 + 0.01)


def test_a_link_is_narrow_only_for_its_time() -> None:
    late = lateness(Network(rate=40_000, queue=0.2, limited=(10, 20)), 172)
    lost = [n for n in range(len(DEPARTURES)) if n not in late]
    assert lost
    assert lost[0] * FRAME_SECONDS > 10
    assert lost[-1] * FRAME_SECONDS < 20


def test_a_cut_loses_all_and_a_hold_delays_all() -> None:
    late = lateness(Network(cut=(2, 3), held=(5, 5.5)))
    assert [n for n in range(len(DEPARTURES)) if n not in late] == list(range(100, 150))
    assert late[250] == pytest.approx(0.5)
    assert late[274] == pytest.approx(0.02)
    assert late[275] == pytest.approx(0.0005)


def test_a_way_knows_its_begin_by_its_first_packet() -> None:
    way = Way(Network(cut=(0, 1)))
    assert way.arrival(1000.0) is None
    assert way.arrival(1001.0) == pytest.approx(1001.0005)


@pytest.mark.parametrize("wrong", [{"loss": 1.0}, {"burst": 0.5}, {"jitter": -1}, {"rate": 0}, {"drift": 1e6}])
def test_what_no_network_is(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="no network"):
        Network(**wrong)  # type: ignore[arg-type]
