"""What is done when the peer's media stop, by examples and by all orders of events."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.continuity import (
    AWAKE_AGAIN,
    CHANGE_LASTS,
    INTERRUPTION_LIMIT,
    MOST_RESTARTS,
    MOVE_AFTER,
    RESTART_AGAIN_AFTER,
    RESTART_WITHIN,
    RESTARTS_WITHIN,
    RING_AFTER,
    SLEPT,
    Continuity,
    Step,
)
from openvoice.core.remedies import UNKNOWN_DEVICE, Remedies, Renewal, Restart

OPENVOICE = Remedies(restart=Restart.ALWAYS, renewal=Renewal.SILENT)
CONVERSATIONS = Remedies(restart=Restart.ALWAYS, renewal=Renewal.RINGING)
MONAL = Remedies(restart=Restart.NEVER, renewal=Renewal.SILENT)
DINO = Remedies(restart=Restart.NEVER, renewal=Renewal.RINGING)
GATEWAY = Remedies(restart=Restart.NEVER, renewal=Renewal.NEVER)
ALL = [OPENVOICE, CONVERSATIONS, MONAL, DINO, GATEWAY, UNKNOWN_DEVICE]
INTERRUPTED = e.Notify(events.CallInterrupted())
RESTORED = e.Notify(events.CallRestored())
RESTART = e.RestartMedia()
CREDENTIALS = (("0", "u", "p"),)
OURS, THEIRS = i.RestartReceived(CREDENTIALS, ours=True), i.RestartReceived(CREDENTIALS)
REFUSED, UNREACHED = i.RestartRefused(), i.RestartRefused(unreached=True)


def session(remedies: Remedies) -> Continuity:
    made = Continuity()
    made.begin(remedies)
    return made


def interrupted(remedies: Remedies, at: float = 0.0) -> Continuity:
    made = session(remedies)
    assert list(made.interrupted(at)) == [INTERRUPTED, *([RESTART] if remedies.restart is not Restart.NEVER else [])]
    return made


def comes_at(made: Continuity) -> tuple[float, Step | None]:
    """When the next thing is due, and what."""
    assert made.deadline is not None
    return made.deadline, made.due(made.deadline)


def test_media_that_come_back_end_it() -> None:
    made = interrupted(OPENVOICE)
    assert list(made.interrupted(1.0)) == []
    assert list(made.restored()) == [RESTORED]
    assert list(made.restored()) == []
    assert made.deadline is None
    assert made.due(100.0) is None


@pytest.mark.parametrize("remedies", [OPENVOICE, CONVERSATIONS, UNKNOWN_DEVICE])
def test_a_restart_that_nobody_answers_leads_to_a_move(remedies: Remedies) -> None:
    assert comes_at(interrupted(remedies)) == (RESTART_WITHIN, Step.MOVE)


def test_a_restart_that_is_answered_in_vain_leads_to_a_move() -> None:
    made = interrupted(OPENVOICE)
    assert list(made.restarted(OURS, 1.0)) == [e.ApplyRestart(CREDENTIALS)]
    assert comes_at(made) == (1.0 + RESTART_WITHIN, Step.MOVE)


@pytest.mark.parametrize(("remedies", "at"), [(OPENVOICE, MOVE_AFTER), (CONVERSATIONS, RING_AFTER)])
def test_a_restart_that_is_refused_leads_to_a_move(remedies: Remedies, at: float) -> None:
    made = interrupted(remedies)
    assert list(made.refused(REFUSED, 0.5)) == []
    assert list(made.refused(REFUSED, 0.6)) == []
    assert comes_at(made) == (at, Step.MOVE)


def test_a_late_refusal_moves_at_once() -> None:
    made = interrupted(CONVERSATIONS)
    list(made.refused(REFUSED, 12.0))
    assert comes_at(made) == (12.0, Step.MOVE)


@pytest.mark.parametrize(("remedies", "at"), [(MONAL, MOVE_AFTER), (DINO, RING_AFTER)])
def test_who_cannot_restart_moves(remedies: Remedies, at: float) -> None:
    assert comes_at(interrupted(remedies)) == (at, Step.MOVE)


def test_a_person_is_asked_soon_where_the_network_changed() -> None:
    made = session(DINO)
    assert list(made.network_changed(0.0)) == []
    list(made.interrupted(1.0))
    assert comes_at(made) == (1.0 + MOVE_AFTER, Step.MOVE)
    late = session(DINO)
    list(late.network_changed(0.0))
    list(late.interrupted(CHANGE_LASTS))
    assert comes_at(late) == (CHANGE_LASTS + RING_AFTER, Step.MOVE)


def test_the_network_may_change_during_the_interruption() -> None:
    made = interrupted(DINO)
    assert list(made.network_changed(1.0)) == []
    assert comes_at(made) == (MOVE_AFTER, Step.MOVE)


def test_nobody_calls_a_telephone_again() -> None:
    made = interrupted(GATEWAY)
    assert not made.failed(1.0)
    assert comes_at(made) == (INTERRUPTION_LIMIT, Step.LOSE)
    restarting = interrupted(Remedies(restart=Restart.ALWAYS, renewal=Renewal.NEVER))
    assert comes_at(restarting) == (RESTART_WITHIN, None)
    assert comes_at(restarting) == (INTERRUPTION_LIMIT, Step.LOSE)


def test_a_peer_that_its_server_cannot_reach_is_asked_again() -> None:
    made = interrupted(OPENVOICE)
    assert list(made.refused(UNREACHED, 1.0)) == []
    assert comes_at(made) == (1.0 + RESTART_AGAIN_AFTER, Step.RESTART)
    assert list(made.mend(5.0)) == [RESTART]


def test_media_that_find_no_path_lead_to_a_move() -> None:
    made = interrupted(OPENVOICE)
    assert made.failed(15.0)
    assert comes_at(made) == (15.0, Step.MOVE)
    assert not session(OPENVOICE).failed(1.0)


class TestNetworkChanged:
    def test_a_path_that_lives_is_made_better(self) -> None:
        made = session(OPENVOICE)
        assert list(made.network_changed(1.0)) == [RESTART]
        assert list(made.restarted(OURS, 1.2)) == [e.ApplyRestart(CREDENTIALS)]
        assert made.deadline is None

    @pytest.mark.parametrize("remedies", [MONAL, DINO, GATEWAY, UNKNOWN_DEVICE])
    def test_but_not_at_a_risk(self, remedies: Remedies) -> None:
        assert list(session(remedies).network_changed(1.0)) == []

    def test_one_restart_at_a_time(self) -> None:
        made = session(OPENVOICE)
        list(made.network_changed(1.0))
        assert list(made.network_changed(2.0)) == []
        assert list(made.restarted(OURS, 2.5)) == [e.ApplyRestart(CREDENTIALS), RESTART]
        assert list(made.restarted(OURS, 3.0)) == [e.ApplyRestart(CREDENTIALS)]

    def test_one_that_nobody_answers_is_followed_by_the_next(self) -> None:
        made = session(OPENVOICE)
        list(made.network_changed(1.0))
        list(made.network_changed(2.0))
        assert made.due(made.deadline or 0.0) is Step.RESTART
        assert list(made.mend(30.0)) == [RESTART]
        assert comes_at(made) == (30.0 + RESTART_WITHIN, None)
        assert made.deadline is None

    def test_one_that_was_refused_may_be_tried_on_another_network(self) -> None:
        made = interrupted(OPENVOICE)
        list(made.refused(REFUSED, 1.0))
        assert list(made.network_changed(2.0)) == [RESTART]

    def test_a_refusal_while_media_flow_is_left_at_that(self) -> None:
        made = session(OPENVOICE)
        list(made.network_changed(1.0))
        list(made.refused(REFUSED, 2.0))
        assert made.deadline is None


class TestThePeerBegins:
    def test_its_restart_takes_the_place_of_the_own(self) -> None:
        made = interrupted(OPENVOICE)
        assert made.wants(i.LocalRestart(CREDENTIALS, answering=False))
        assert list(made.restarted(THEIRS, 1.0)) == [e.RestartMedia(CREDENTIALS)]
        # The media are slower than the wire: what they made for the own attempt is void.
        assert not made.wants(i.LocalRestart(CREDENTIALS, answering=False))
        assert made.wants(i.LocalRestart(CREDENTIALS, answering=True))
        assert comes_at(made) == (1.0 + RESTART_WITHIN, Step.MOVE)

    def test_after_a_tie_break_the_move_waits(self) -> None:
        made = interrupted(OPENVOICE)
        list(made.refused(REFUSED, 2.9))
        list(made.restarted(THEIRS, 2.95))
        assert made.due(MOVE_AFTER) is None

    def test_a_device_that_did_it_can(self) -> None:
        made = session(UNKNOWN_DEVICE)
        list(made.restarted(THEIRS, 1.0))
        assert list(made.network_changed(2.0)) == [RESTART]
        never = session(DINO)
        list(never.restarted(THEIRS, 1.0))
        assert list(never.network_changed(2.0)) == []


class TestTheOwnStream:
    def test_nothing_is_tried_while_it_is_down(self) -> None:
        made = session(OPENVOICE)
        made.signalling_lost()
        assert list(made.interrupted(0.0)) == [INTERRUPTED]
        assert list(made.network_changed(1.0)) == []
        assert made.deadline == INTERRUPTION_LIMIT
        assert list(made.signalling_renewed(20.0)) == [RESTART]

    def test_what_was_on_its_way_is_sent_again(self) -> None:
        """A session that was resumed (XEP-0198)."""
        made = interrupted(OPENVOICE)
        made.signalling_lost()
        assert list(made.signalling_renewed(15.0)) == []
        assert made.due(INTERRUPTION_LIMIT - 0.1) is None

    def test_what_was_lost_with_it_is_tried_anew(self) -> None:
        made = interrupted(OPENVOICE)
        made.signalling_lost()
        assert list(made.refused(UNREACHED, 14.9)) == []
        assert list(made.signalling_renewed(15.0)) == [RESTART]

    def test_a_refusal_is_acted_upon_when_it_is_back(self) -> None:
        made = interrupted(DINO)
        made.signalling_lost()
        assert made.failed(5.0)
        assert made.deadline == INTERRUPTION_LIMIT
        assert list(made.signalling_renewed(15.0)) == []
        assert comes_at(made) == (15.0, Step.MOVE)

    def test_when_it_is_back_at_the_last_moment_there_is_time_left(self) -> None:
        made = session(OPENVOICE)
        made.signalling_lost()
        list(made.interrupted(0.0))
        assert list(made.signalling_renewed(INTERRUPTION_LIMIT - 1)) == [RESTART]
        assert comes_at(made) == (INTERRUPTION_LIMIT - 1 + AWAKE_AGAIN, Step.LOSE)

    def test_a_network_that_changed_meanwhile(self) -> None:
        made = session(OPENVOICE)
        made.signalling_lost()
        assert list(made.network_changed(1.0)) == []
        assert list(made.signalling_renewed(2.0)) == [RESTART]

    def test_news_of_a_stream_that_was_not_lost(self) -> None:
        made = session(OPENVOICE)
        assert list(made.signalling_renewed(1.0)) == []
        made.signalling_lost()
        assert list(made.signalling_renewed(2.0)) == []
        assert made.deadline is None

    def test_it_is_the_same_stream_in_the_next_session(self) -> None:
        made = interrupted(OPENVOICE)
        made.signalling_lost()
        made.leave()
        made.begin(OPENVOICE)
        assert list(made.interrupted(1.0)) == [INTERRUPTED]


def test_a_peer_that_restarts_without_end_is_not_followed_for_ever() -> None:
    made = session(OPENVOICE)
    taken = [bool(list(made.restarted(THEIRS, number / 100))) for number in range(1000)]
    assert sum(taken) == MOST_RESTARTS
    assert list(made.restarted(THEIRS, RESTARTS_WITHIN)) == [e.RestartMedia(CREDENTIALS)]


class TestSleep:
    def test_the_time_slept_is_not_the_peers_absence(self) -> None:
        made = interrupted(DINO)
        woke = INTERRUPTION_LIMIT + 100.0
        assert made.due(woke) is None
        assert made.deadline == woke + AWAKE_AGAIN
        assert list(made.restored()) == [RESTORED]

    def test_a_restart_has_as_much_time(self) -> None:
        made = session(OPENVOICE)
        list(made.network_changed(0.0))
        assert made.due(RESTART_WITHIN + SLEPT) is None
        assert made.deadline == RESTART_WITHIN + SLEPT + AWAKE_AGAIN

    def test_once_in_an_interruption(self) -> None:
        made = interrupted(GATEWAY)
        assert made.due(INTERRUPTION_LIMIT + SLEPT) is None
        assert made.due(INTERRUPTION_LIMIT + SLEPT + AWAKE_AGAIN + SLEPT) is Step.LOSE

    def test_and_again_in_an_interruption_after_a_restart_that_slept(self) -> None:
        made = session(OPENVOICE)
        list(made.network_changed(0.0))
        assert made.due(100.0) is None
        list(made.restarted(OURS, 101.0))
        list(made.interrupted(200.0))
        assert made.due(200.0 + INTERRUPTION_LIMIT + SLEPT) is None

    def test_a_loop_that_is_a_little_late_did_not_sleep(self) -> None:
        assert interrupted(GATEWAY).due(INTERRUPTION_LIMIT + SLEPT - 0.1) is Step.LOSE


EVENTS = st.one_of(
    st.sampled_from(
        ["interrupted", "restored", "failed", "changed", "lost", "renewed", "refused", "unreached", "ours", "theirs"]
    ),
)


@given(st.sampled_from(ALL), st.lists(st.tuples(EVENTS, st.integers(0, 24).map(lambda half: half / 2)), max_size=40))
def test_no_order_of_events_forgets_the_peer_or_hurries(remedies: Remedies, steps: list[tuple[str, float]]) -> None:
    """While media are gone there is always a deadline, it ends, and a person is not asked again before time."""
    made, now, gone_since, online = session(remedies), 0.0, None, True
    for name, later in steps:
        for _ in range(20):
            if made.deadline is None or made.deadline > now + later:
                break
            now, later = max(now, made.deadline), max(0.0, now + later - made.deadline)
            step = made.due(now)
            if step is Step.RESTART:
                assert online
                assert remedies.restart is not Restart.NEVER
                assert list(made.mend(now)) == [RESTART]
            elif step is not None:
                assert gone_since is not None
                if step is Step.MOVE:
                    assert online
                    assert remedies.renewal is not Renewal.NEVER
                    assert now - gone_since >= MOVE_AFTER
                else:
                    assert now - gone_since >= INTERRUPTION_LIMIT
                return
        now += later
        match name:
            case "interrupted":
                gone_since = now if gone_since is None else gone_since
                done = list(made.interrupted(now))
            case "restored":
                gone_since = None
                done = list(made.restored())
            case "failed":
                made.failed(now)
                done = []
            case "changed":
                done = list(made.network_changed(now))
            case "lost":
                online = False
                made.signalling_lost()
                done = []
            case "renewed":
                online = True
                done = list(made.signalling_renewed(now))
            case "refused":
                done = list(made.refused(REFUSED, now))
            case "unreached":
                done = list(made.refused(UNREACHED, now))
            case "ours":
                done = list(made.restarted(OURS, now))
            case _:
                done = list(made.restarted(THEIRS, now))
        assert RESTART not in done or (online and remedies.restart is not Restart.NEVER)
        assert (gone_since is not None) <= (made.deadline is not None)
        if gone_since is not None:
            assert made.deadline is not None
            assert made.deadline <= max(gone_since + INTERRUPTION_LIMIT, now + RESTART_WITHIN)
