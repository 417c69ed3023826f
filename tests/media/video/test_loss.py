"""Whole calls of pictures on a virtual clock, over networks that lose packets, requests and repetitions."""

from __future__ import annotations

import pytest

from openvoice.core.description import Feedback
from tests.media.audio.network import Network
from tests.media.video.streams import VideoCall


def call(loss: float, seed: int, *, delay: float = 0.04, burst: float = 1.0, **details: object) -> VideoCall:
    way = Network(loss=loss, delay=delay, burst=burst, seed=seed)
    back = Network(loss=loss, delay=delay, burst=burst, seed=seed + 1000)
    return VideoCall(way=way, back=back, round_trip=2 * delay, **details).run(60.0, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seed", "repairs"), [*((seed, True) for seed in range(8)), (8, False), (9, False)])
def test_five_percent_of_loss_never_freezes_a_picture_for_long(seed: int, repairs: bool) -> None:
    over = call(0.05, seed, repairs=repairs)
    assert over.longest_gap <= 0.3
    assert len(over.shown) >= 60 * over.rate - 8
    assert over.sent_keys <= 3


def test_bursts_freeze_no_longer() -> None:
    gaps = [call(0.05, seed, burst=3.0).longest_gap for seed in range(3)]
    assert max(gaps) <= 0.5


def test_ten_percent_of_loss_freezes_hardly_longer() -> None:
    assert sorted(call(0.1, seed).longest_gap for seed in range(4))[-2] <= 0.3


def test_without_loss_nothing_is_asked_for_and_pictures_are_shown_as_they_come() -> None:
    over = call(0.0, 1)
    assert over.requests == 0
    assert over.sent_keys == 1
    assert over.shown == [now for now, _ in over.received]


def test_reordering_costs_little() -> None:
    way = Network(delay=0.04, jitter=0.01, reorder=True)
    over = VideoCall(way=way, back=Network(delay=0.04), round_trip=0.08).run(30.0)
    assert over.longest_gap < 0.08
    assert over.reception.dropped == 0
    assert over.reception.nacks < 0.25 * over.reception.packets


def test_a_peer_that_repeats_nothing_is_asked_for_key_pictures() -> None:
    over = call(0.01, 3, answers=False)
    assert over.reception.plis > 5
    assert over.longest_gap < 1.2


def test_a_peer_without_pli_is_asked_by_fir() -> None:
    over = call(0.01, 3, feedback=(Feedback("ccm", "fir"),))
    assert over.reception.firs > 5
    assert over.reception.plis == over.reception.nacks == 0
    assert over.longest_gap < 1.2


def test_an_outage_ends_with_a_key_picture_soon_after_it() -> None:
    way = Network(delay=0.04, cut=(10.0, 14.0))
    over = VideoCall(way=way, back=Network(delay=0.04), round_trip=0.08).run(30.0)
    gap = over.longest_gap
    assert 4.0 < gap < 4.5
    assert over.sent_keys <= 3


def test_a_stall_is_made_up_for_without_asking() -> None:
    way = Network(delay=0.04, held=(10.0, 10.6))
    over = VideoCall(way=way, back=Network(delay=0.04), round_trip=0.08).run(20.0)
    assert over.requests == 0
    assert len(over.shown) == len(over.received) >= 597
