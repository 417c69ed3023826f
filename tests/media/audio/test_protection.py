from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.audio.protection import FIRST_QUIET, LONGEST_QUIET, Protection, ProtectionPolicy


def steps(policy: ProtectionPolicy, losses: list[float], start: float = 0.0) -> list[Protection]:
    """The step after each of the reports, which come every second."""
    return [policy.report(loss, start + second) for second, loss in enumerate(losses)]


def reported(share: float, seconds: int, seed: int = 1) -> list[float]:
    chance = random.Random(seed)
    return [sum(chance.random() < share for _ in range(50)) / 50 for _ in range(seconds)]


def test_a_call_begins_with_what_costs_no_rate() -> None:
    assert ProtectionPolicy(Protection.COPIES).step is Protection.IN_BAND


def test_without_loss_protection_ends_after_a_few_seconds() -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), [0.0] * 20)
    assert found == [Protection.IN_BAND] * 5 + [Protection.NONE] * 15


def test_every_report_of_loss_is_a_step_up() -> None:
    policy = ProtectionPolicy(Protection.COPIES)
    steps(policy, [0.0] * 10)
    assert steps(policy, [0.02, 0.0, 0.02, 0.5], 10) == [
        Protection.IN_BAND,
        Protection.IN_BAND,
        Protection.COPIES,
        Protection.COPIES,
    ]


@pytest.mark.parametrize("most", [Protection.NONE, Protection.IN_BAND])
def test_what_was_not_negotiated_is_not_used(most: Protection) -> None:
    policy = ProtectionPolicy(most)
    assert max([policy.step, *steps(policy, [0.3] * 30)]) == most


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(5))
def test_under_lasting_loss_the_step_hardly_ever_changes(share: float, seed: int) -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), reported(share, 600, seed))
    changes = sum(before != after for before, after in itertools.pairwise(found))
    # Loss of 1 % leaves out 5 s in a row now and then, until that is known.
    assert changes <= (10 if share < 0.05 else 1)
    assert found.count(Protection.COPIES) > 0.85 * len(found)


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_once_the_loss_is_over_all_protection_goes(share: float) -> None:
    policy = ProtectionPolicy(Protection.COPIES)
    steps(policy, reported(share, 60))
    assert steps(policy, [0.0] * round(2 * LONGEST_QUIET + 3), 60)[-1] is Protection.NONE


@given(losses=st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.0, 0.02, 1.0]), max_size=1000))
def test_no_pattern_of_reports_makes_the_step_swing(losses: list[float]) -> None:
    found = steps(ProtectionPolicy(Protection.COPIES), losses)
    changes = [second for second in range(1, len(found)) if found[second] != found[second - 1]]
    assert all(abs(found[second] - found[second - 1]) == 1 for second in changes)
    falls = [second for second in changes if found[second] < found[second - 1]]
    for earlier, later in itertools.pairwise(falls):
        assert later - earlier >= FIRST_QUIET
    # Ever more slowly: 5, 10, 20, 40, and then 80 seconds and a loss for each rise, and as much for each fall.
    assert len(changes) <= 12 + 2 * len(losses) / LONGEST_QUIET * 2
    assert all(loss > 0 for second, loss in enumerate(losses) if second in changes and second not in falls)
