from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.protection import FIRST_QUIET, LONGEST_QUIET, LossPattern, Protection, ProtectionPolicy
from openvoice.media.reports import PeerReport
from tests.media.audio.network import Network

PACKETS = 50


def steps(policy: ProtectionPolicy, losses: list[float], start: float = 0.0) -> list[Protection]:
    """The step after each of the reports, which come every second."""
    return [
        policy.report(
            PeerReport(time=start + second, loss=loss, lost=round(PACKETS * loss), expected=PACKETS if second else 0)
        )
        for second, loss in enumerate(losses)
    ]


def reported(share: float, seconds: int, seed: int = 1, burst: float = 1.0) -> list[float]:
    fates = Network(loss=share, burst=burst, seed=seed).fates()
    return [sum(next(fates) is None for _ in range(PACKETS)) / PACKETS for _ in range(seconds)]


def pattern(share: float, burst: float, seed: int, seconds: int = 12) -> LossPattern:
    found = LossPattern()
    for loss in reported(share, seconds, seed, burst):
        found.add(round(PACKETS * loss), PACKETS)
    return found


def test_a_call_begins_with_what_costs_no_rate() -> None:
    assert ProtectionPolicy(Protection.COPIES).step is Protection.IN_BAND


def test_without_loss_protection_ends_after_a_few_seconds() -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), [0.0] * 20)
    assert found == [Protection.IN_BAND] * 5 + [Protection.NONE] * 15


def test_the_first_report_of_loss_protects_at_once() -> None:
    policy = ProtectionPolicy(Protection.COPIES)
    assert steps(policy, [0.0] * 10)[-1] is Protection.NONE
    assert steps(policy, [0.02], 10) == [Protection.IN_BAND]


def test_heavy_loss_and_lasting_bursts_ask_for_copies_and_light_loss_does_not() -> None:
    assert Protection.COPIES not in steps(ProtectionPolicy(Protection.COPIES), reported(0.05, 60))[3:]
    for losses in (reported(0.2, 60), reported(0.1, 60, burst=3), reported(0.05, 60, burst=3)):
        found = steps(ProtectionPolicy(Protection.COPIES), losses)
        assert found.index(Protection.COPIES) <= 12
        assert found[12:].count(Protection.COPIES) > 0.7 * len(found[12:])


@pytest.mark.parametrize("most", [Protection.NONE, Protection.IN_BAND])
def test_what_was_not_negotiated_is_not_used(most: Protection) -> None:
    policy = ProtectionPolicy(most)
    assert max([policy.step, *steps(policy, [0.3] * 30)]) == most


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 0.2])
def test_the_length_of_bursts_shows_in_how_unequal_reports_are(share: float) -> None:
    single = [pattern(share, 1.0, seed).burst for seed in range(40)]
    triple = [pattern(share, 3.0, seed).burst for seed in range(40)]
    assert sum(single) / 40 == pytest.approx(1.1, abs=0.15)
    assert sum(triple) / 40 == pytest.approx(2.7, abs=0.6)
    assert sum(burst >= 2 for burst in single) <= 2


def test_the_share_is_that_of_the_last_reports() -> None:
    assert pattern(0.1, 1.0, 1, 200).share == pytest.approx(0.1, abs=0.04)
    assert LossPattern().share == 0.0


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_reports_that_come_more_often_tell_the_same(pieces: int) -> None:
    whole, parts = LossPattern(), LossPattern()
    for loss in reported(0.1, 12, 3, 3.0):
        lost = round(PACKETS * loss)
        whole.add(lost, PACKETS)
        for _ in range(pieces):
            # As much as can be in the first of them, as a report that is sent early would have it.
            share = min(lost, PACKETS // pieces)
            parts.add(share, PACKETS // pieces)
            lost -= share
    assert parts.burst == pytest.approx(whole.burst, rel=0.01)


@given(counts=st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2999)), max_size=100))
def test_any_counts_make_a_share_and_a_length(counts: list[tuple[int, int]]) -> None:
    found = LossPattern()
    for lost, expected in counts:
        found.add(lost, expected)
        assert 0 <= found.share <= 1
        assert found.burst >= 1


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_under_lasting_loss_the_step_hardly_ever_changes(share: float, seed: int) -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), reported(share, 600, seed))
    changes = sum(before != after for before, after in itertools.pairwise(found))
    # Loss of 1 % leaves out 5 s in a row now and then, until that is known.
    assert changes <= (12 if share < 0.05 else 6)
    assert sum(step > Protection.NONE for step in found) > 0.85 * len(found)


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_once_the_loss_is_over_all_protection_goes(share: float) -> None:
    policy = ProtectionPolicy(Protection.COPIES)
    steps(policy, reported(share, 60))
    assert steps(policy, [0.0] * round(2 * LONGEST_QUIET + 3), 60)[-1] is Protection.NONE


@given(losses=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 0.3, 1.0]), max_size=1000))
def test_no_pattern_of_reports_makes_the_step_swing(losses: list[float]) -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), losses)
    changes = [second for second in range(1, len(found)) if found[second] != found[second - 1]]
    falls = [second for second in changes if found[second] < found[second - 1]]
    for earlier, later in itertools.pairwise(falls):
        assert later - earlier >= FIRST_QUIET
        assert found[earlier - 1] - found[earlier] == 1
    # Ever more slowly: 5, 10, 20, 40, and then 80 seconds for each fall, and a rise for each of them at most.
    assert len(changes) <= 12 + 2 * len(losses) / LONGEST_QUIET * 2
    assert all(losses[second] > 0 for second in changes if second not in falls)


def test_a_report_that_says_little_is_no_reason_to_change() -> None:
    policy = ProtectionPolicy(Protection.COPIES)
    chance = random.Random(2)
    for second in range(4):
        policy.report(PeerReport(time=second + chance.random(), loss=0.0))
    assert policy.step is Protection.IN_BAND
