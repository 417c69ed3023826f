"""When the peer counts as gone, on a clock of the test's own."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.media.liveness import (
    CONSENT_LIFETIME,
    INTERRUPTED_AFTER,
    LATE,
    PROBE_AFTER,
    SEEK_AFTER,
    Liveness,
)


def watch() -> Liveness:
    return Liveness(100.0, spread=lambda: 0.5)


def test_silence_of_a_second_breaks_once() -> None:
    liveness = watch()
    assert not liveness.breaks(100.0 + INTERRUPTED_AFTER - 0.01)
    assert liveness.breaks(100.0 + INTERRUPTED_AFTER)
    assert not liveness.breaks(110.0)
    assert liveness.interrupted


def test_anything_authenticated_restores() -> None:
    liveness = watch()
    assert not liveness.heard(100.5)
    assert liveness.breaks(102.0)
    assert liveness.consented(103.0)
    assert not liveness.heard(103.1)
    assert liveness.breaks(104.2)
    assert liveness.heard(105.0)


def run(liveness: Liveness, until: float, *, talking: bool = False) -> tuple[list[float], list[float]]:
    """Look whenever it is due, at a peer that talks or says nothing: when consent was asked for, when it broke."""
    asked, broke = [], []
    while (now := liveness.due()) < until:
        if talking:
            liveness.heard(now)
        if liveness.asks_consent(now):
            asked.append(round(now - 100.0, 3))
        if liveness.breaks(now):
            broke.append(round(now - 100.0, 3))
    return asked, broke


def test_a_quiet_peer_is_asked_four_times_a_second() -> None:
    assert run(watch(), 101.3) == ([0.25, 0.5, 0.75, 1.0, 1.25], [1.0])


def test_a_talking_peer_is_asked_every_five_seconds() -> None:
    assert run(watch(), 121.0, talking=True) == ([5.0, 10.0, 15.0, 20.0], [])


def test_a_talking_peer_costs_few_looks() -> None:
    liveness = watch()
    looks = 0
    for frame in range(500):
        now = 100.0 + frame * 0.02
        while liveness.due() <= now:
            looks += 1
            liveness.asks_consent(now)
            liveness.breaks(now)
            if liveness.due() <= now:
                break
        liveness.heard(now)
    assert looks <= 10 / PROBE_AFTER + 2


@pytest.mark.parametrize(("draw", "interval"), [(0.0, 4.0), (1.0, 6.0)])
def test_the_interval_is_spread_by_a_fifth(draw: float, interval: float) -> None:
    liveness = Liveness(0.0, spread=lambda: draw)
    liveness.heard(interval)
    assert not liveness.asks_consent(interval - 0.01)
    assert liveness.asks_consent(interval + 0.01)


def test_consent_expires_whatever_else_is_heard() -> None:
    liveness = watch()
    liveness.heard(129.9)
    assert liveness.may_send(100.0 + CONSENT_LIFETIME - 0.1)
    assert not liveness.may_send(100.0 + CONSENT_LIFETIME)
    liveness.consented(131.0)
    assert liveness.may_send(131.0)


@given(
    round_trip=st.floats(0.0, 0.3),
    talks=st.lists(st.tuples(st.floats(0.0, 5.0), st.floats(0.0, 1.0)), max_size=5),
    lost=st.lists(st.booleans(), min_size=1, max_size=60),
    spread=st.floats(0.0, 1.0),
)
def test_a_muted_peer_that_answers_is_never_taken_for_gone(
    round_trip: float, talks: list[tuple[float, float]], lost: list[bool], spread: float
) -> None:
    """It sends nothing between its ``talks``; no two questions in a row are lost, answers take up to 300 ms."""
    liveness = Liveness(0.0, spread=lambda: spread)
    happening: list[tuple[float, str]] = []
    for start, length in talks:
        for frame in range(int(length / 0.02)):
            heapq.heappush(happening, (start + frame * 0.02, "media"))
    questions = 0
    previous_lost = False
    while True:
        due = liveness.due()
        if happening and happening[0][0] <= due:
            now, kind = heapq.heappop(happening)
            liveness.consented(now) if kind == "answer" else liveness.heard(now)
            continue
        if due > 12.0:
            return
        if liveness.asks_consent(due):
            previous_lost = lost[questions % len(lost)] and not previous_lost
            questions += 1
            if not previous_lost:
                heapq.heappush(happening, (due + round_trip, "answer"))
        assert not liveness.breaks(due)


@given(st.floats(0.0, 20.0), st.booleans())
def test_a_dead_peer_is_noticed_within_a_second_of_the_last_packet(last: float, muted: bool) -> None:
    liveness = Liveness(0.0)
    time = 0.0
    while time <= last:
        liveness.consented(time) if muted else liveness.heard(time)
        time += 0.02
    heard = time - 0.02
    while True:
        due = liveness.due()
        liveness.asks_consent(due)
        if liveness.breaks(due):
            assert due == pytest.approx(heard + INTERRUPTED_AFTER)
            return


def test_other_paths_are_sought_before_it_is_an_interruption() -> None:
    liveness = watch()
    assert not liveness.seeks(100.0 + SEEK_AFTER - 0.01)
    assert liveness.seeks(100.0 + SEEK_AFTER)


def test_doubt_breaks_when_patience_ends_whatever_arrives() -> None:
    liveness = watch()
    liveness.doubt(100.1, 0.3)
    assert liveness.seeks(100.1)
    liveness.doubt(100.2, 0.6)  # the shorter patience counts
    for step in range(20):
        assert not liveness.heard(100.1 + step * 0.02)
    assert liveness.breaks(100.4)
    assert not liveness.heard(100.5)  # what arrives says nothing of what leaves
    assert liveness.consented(100.6)
    assert not liveness.seeks(100.6)
    assert not liveness.breaks(101.5)


def test_doubt_that_is_answered_is_over() -> None:
    liveness = watch()
    liveness.doubt(100.1, 0.3)
    assert not liveness.consented(100.2)
    assert not liveness.breaks(100.4)


def test_doubt_without_patience_breaks_at_once() -> None:
    liveness = watch()
    liveness.doubt(100.1, 0.0)
    assert liveness.breaks(100.1)


def test_a_doubted_peer_is_asked_though_it_talks() -> None:
    liveness = watch()
    liveness.heard(100.4)
    liveness.doubt(100.4, 5.0)
    assert liveness.asks_consent(100.4)
    liveness.heard(100.5)
    assert not liveness.asks_consent(100.5)
    assert liveness.asks_consent(100.4 + PROBE_AFTER)


def test_whoever_was_not_there_heard_nothing() -> None:
    """The process stood still for twenty seconds: that is no silence of the peer, but it may be gone all the same."""
    liveness = watch()
    due = liveness.due()
    liveness.looked(120.0, due)
    assert liveness.asks_consent(120.0)
    assert liveness.seeks(120.0)
    assert not liveness.breaks(120.0)
    assert liveness.breaks(120.0 + INTERRUPTED_AFTER - SEEK_AFTER)


def test_a_look_that_is_hardly_late_changes_nothing() -> None:
    liveness = watch()
    liveness.looked(100.0 + 5.0, 100.0 + 5.0 - LATE + 0.01)
    assert liveness.breaks(105.0)
