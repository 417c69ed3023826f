from __future__ import annotations

from openvoice.core.early import MAXIMUM_EARLY_CANDIDATES, EarlyCandidates

from .descriptions import CANDIDATE


def test_they_are_kept_in_order_and_given_once() -> None:
    early = EarlyCandidates()
    early.keep("0", (CANDIDATE,))
    early.keep("1", (CANDIDATE, CANDIDATE))
    assert early.release() == [("0", (CANDIDATE,)), ("1", (CANDIDATE, CANDIDATE))]
    assert early.release() == []


def test_they_are_bounded() -> None:
    early = EarlyCandidates()
    early.keep("0", (CANDIDATE,) * (MAXIMUM_EARLY_CANDIDATES + 1))
    assert early.release() == []
    for _ in range(2 * MAXIMUM_EARLY_CANDIDATES):
        early.keep("0", (CANDIDATE,))
    assert len(early.release()) == MAXIMUM_EARLY_CANDIDATES
