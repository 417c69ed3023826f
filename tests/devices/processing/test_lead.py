from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.devices.processing.lead import AGAIN, LONG, LONGEST, STEP, Lead


def test_at_first_it_shrinks_at_once_to_what_there_is() -> None:
    lead = Lead()
    while (spare := 0.03 - lead.seconds) < 0:
        assert lead.note(spare, first=True) == pytest.approx(-STEP)
    assert lead.seconds == pytest.approx(0.02)


def test_later_a_busy_moment_does_not_shrink_it() -> None:
    lead = Lead()
    for _ in range(10):
        assert [lead.note(-0.01, first=False) for _ in range(int(AGAIN) - 5)] == [0] * (int(AGAIN) - 5)
        for _ in range(1200):
            lead.note(0.001, first=False)
    assert lead.seconds == LONGEST


def test_what_is_missing_again_and_again_shrinks_it() -> None:
    lead = Lead()
    assert sum(lead.note(-0.01 if number % 2 else 0.0, first=False) for number in range(60)) == pytest.approx(-STEP)


def test_it_grows_when_there_was_room_for_long() -> None:
    lead = Lead()
    lead.note(-0.01, first=True)
    changes = [lead.note(0.035, first=False) for _ in range(LONG)]
    assert changes[:-1] == [0] * (LONG - 1)
    assert changes[-1] == pytest.approx(STEP)
    assert [lead.note(0.015, first=False) for _ in range(3 * LONG)] == [0] * (3 * LONG)


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), max_size=200))
def test_it_is_never_negative_and_never_too_long(blocks: list[tuple[float, bool]]) -> None:
    lead = Lead()
    for spare, first in blocks:
        before = lead.seconds
        assert lead.note(spare, first=first) == pytest.approx(lead.seconds - before)
        assert 0 <= lead.seconds <= LONGEST
