"""Calls whose path is lost: they go on in the session that there is, or in a new one, or end."""

from __future__ import annotations

import pytest

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.continuity import INTERRUPTION_LIMIT, MOVE_AFTER, RESTART_WITHIN, RING_AFTER
from openvoice.core.description import Setup
from openvoice.core.machine import CONNECT_WITHIN, CallMachine
from openvoice.core.remedies import Remedies, Renewal, Restart
from openvoice.core.state import CallState
from openvoice.core.trust import Trust
from openvoice.core.types import Direction, EndReason, Origin, Role, WordsOutcome

from .descriptions import SIGNALLING, description, facts, voucher
from .test_machine import kinds, machine

OPENVOICE = Remedies(restart=Restart.ALWAYS, renewal=Renewal.SILENT)
DINO = Remedies(restart=Restart.NEVER, renewal=Renewal.RINGING)
CREDENTIALS = (("0", "u", "p"),)


def active(remedies: Remedies, direction: Direction = Direction.OUTGOING, trust: Trust | None = None) -> CallMachine:
    call = machine(direction)
    vouched = voucher(trust) if trust else None
    if direction is Direction.OUTGOING:
        answer = description(Setup.ACTIVE, vouched)
        messages: tuple[i.CallInput, ...] = (
            i.Dial(),
            i.PeerProceeded(),
            i.LocalDescription(description()),
            i.AnswerReceived(answer, remedies=remedies),
        )
    else:
        messages = (
            i.PeerProposed(announce=True),
            i.Accept(),
            i.OfferReceived(description(vouched_by=vouched), remedies=remedies),
            i.LocalDescription(description(Setup.ACTIVE)),
        )
    for message in (*messages, i.MediaSecured(facts()), i.MediaFlowing()):
        call.handle(message, 0.0)
    assert call.state is CallState.ACTIVE
    return call


def moved(remedies: Remedies = DINO, trust: Trust | None = None) -> CallMachine:
    """A call that is on its way to a new session, since 10 s + RING_AFTER."""
    call = active(remedies, trust=trust)
    call.handle(i.MediaInterrupted(), 10.0)
    assert call.deadline is not None
    call.handle_timeout(call.deadline)
    assert call.state is CallState.NEGOTIATING
    return call


@pytest.mark.parametrize("direction", list(Direction))
def test_both_sides_begin_a_restart(direction: Direction) -> None:
    call = active(OPENVOICE, direction)
    assert kinds(call.handle(i.MediaInterrupted(), 10.0)) == [events.CallInterrupted, e.RestartMedia]
    assert kinds(call.handle(i.LocalRestart(CREDENTIALS, answering=False), 10.1)) == [e.SendRestart]
    assert kinds(call.handle(i.RestartReceived(CREDENTIALS, ours=True), 10.2)) == [e.ApplyRestart]
    assert kinds(call.handle(i.MediaRestored(), 11.0)) == [events.CallRestored]
    assert call.deadline is None
    assert call.handle(i.NetworkChanged(), 12.0) == [e.RestartMedia()]


def test_a_restart_that_the_peer_overtook_is_not_sent() -> None:
    call = active(OPENVOICE)
    call.handle(i.MediaInterrupted(), 10.0)
    assert call.handle(i.RestartReceived(CREDENTIALS), 10.1) == [e.RestartMedia(CREDENTIALS)]
    assert call.handle(i.LocalRestart(CREDENTIALS, answering=False), 10.2) == []
    assert kinds(call.handle(i.LocalRestart(CREDENTIALS, answering=True), 10.3)) == [e.SendRestart]


def test_before_the_call_is_active_nothing_is_an_interruption() -> None:
    call = machine()
    for message in (
        i.Dial(),
        i.PeerProceeded(),
        i.LocalDescription(description()),
        i.AnswerReceived(description(Setup.ACTIVE), remedies=OPENVOICE),
    ):
        call.handle(message, 0.0)
    assert call.handle(i.NetworkChanged(), 1.0) == []
    assert call.handle(i.MediaInterrupted(), 1.0) == []
    call.handle(i.MediaFailed(EndReason.CONNECTIVITY_ERROR, "no path"), 1.0)
    assert call.state is CallState.ENDED


class TestAMove:
    def test_it_closes_the_gate_and_begins_a_new_session(self) -> None:
        call = active(DINO, Direction.INCOMING)
        call.handle(i.MediaInterrupted(), 10.0)
        assert call.handle_timeout(10.0 + RING_AFTER - 0.1) == []
        effects = call.handle_timeout(10.0 + RING_AFTER)
        assert effects == [e.SendRenewal(), e.Notify(events.CallMoved(Origin.LOCAL)), e.CloseMedia()]
        assert call.role is Role.INITIATOR
        # Nobody is told that a person answered: that was said long ago.
        assert call.handle(i.PeerRinging(), 21.0) == [e.Notify(events.CallRinging())]
        assert kinds(call.handle(i.PeerProceeded(), 25.0)) == [e.OpenMedia]
        assert kinds(call.handle(i.LocalDescription(description()), 25.1)) == [e.SendOffer]
        assert kinds(call.handle(i.AnswerReceived(description(Setup.ACTIVE)), 25.2)) == [e.ApplyAnswer]
        assert kinds(call.handle(i.MediaFlowing(), 25.3)) == []
        assert kinds(call.handle(i.MediaSecured(facts()), 25.4)) == [
            events.CallSecured,
            e.OpenGate,
            events.CallRestored,
        ]
        assert call.duration(30.0) == 30.0

    def test_what_the_peer_was_told_is_told_again(self) -> None:
        call = active(DINO)
        call.handle(i.Mute(True), 5.0)
        call.handle(i.Hold(True), 5.0)
        call.handle(i.MediaInterrupted(), 10.0)
        call.handle_timeout(10.0 + RING_AFTER)
        assert call.handle(i.PeerProceeded(), 21.0)[1:] == [e.SetMuted(True), e.SetHeld(True)]
        call.handle(i.LocalDescription(description()), 21.0)
        call.handle(i.AnswerReceived(description(Setup.ACTIVE), remedies=DINO), 21.0)
        call.handle(i.MediaSecured(facts()), 22.0)
        assert call.handle(i.MediaFlowing(), 22.0) == [
            e.Notify(events.CallRestored()),
            e.SendInformation(e.Information.MUTE),
            e.SendInformation(e.Information.HOLD),
        ]

    def test_the_report_says_so(self) -> None:
        call = moved()
        assert any("moved once" in finding.text for finding in call.security.findings)
        call.handle(i.PeerProceeded(), 21.0)
        call.handle(i.LocalDescription(description()), 21.0)
        call.handle(i.AnswerReceived(description(Setup.ACTIVE), remedies=DINO), 21.0)
        call.handle(i.MediaSecured(facts()), 22.0)
        call.handle(i.MediaFlowing(), 22.0)
        call.handle(i.MediaInterrupted(), 30.0)
        call.handle_timeout(30.0 + RING_AFTER)
        assert any("moved 2 times" in finding.text for finding in call.security.findings)

    @pytest.mark.parametrize("trust", [None, Trust.UNDECIDED, Trust.TRUSTED, Trust.VERIFIED])
    def test_it_never_weakens_the_call(self, trust: Trust | None) -> None:
        call = moved(trust=Trust.TRUSTED)
        call.handle(i.PeerProceeded(), 21.0)
        (offer,) = call.handle(i.LocalDescription(description()), 21.0)
        assert isinstance(offer, e.SendOffer)
        assert offer.least.name == "OMEMO_TRUSTED"
        effects = call.handle(i.AnswerReceived(description(Setup.ACTIVE, voucher(trust) if trust else None)), 21.0)
        enough = trust in (Trust.TRUSTED, Trust.VERIFIED)
        assert kinds(effects) == ([e.ApplyAnswer] if enough else [e.SendEnd, e.CloseMedia, e.Finish])

    def test_the_words_of_before_are_withdrawn(self) -> None:
        call = active(DINO)
        call.words.outcome = WordsOutcome.SAME
        call.handle(i.MediaInterrupted(), 10.0)
        call.handle_timeout(10.0 + RING_AFTER)
        assert call.words.outcome is WordsOutcome.NONE

    def test_a_peer_that_does_not_answer_again_is_lost(self) -> None:
        call = moved()
        effects = call.handle_timeout(10.0 + RING_AFTER + CONNECT_WITHIN)
        assert kinds(effects) == [e.SendEnd, e.CloseMedia, e.Finish]
        assert call.end is not None
        assert (call.end.reason, call.end.origin) == (EndReason.CONNECTIVITY_ERROR, Origin.LOCAL)

    def test_a_peer_that_declines_ends_it(self) -> None:
        call = moved()
        call.handle(i.Ended(EndReason.DECLINE), 21.0)
        assert call.end == e.Finish(EndReason.DECLINE, Origin.REMOTE, "")

    def test_hanging_up_meanwhile_ends_a_call_that_was(self) -> None:
        call = moved()
        assert call.handle(i.HangUp(), 21.0)[0] == e.SendEnd(EndReason.SUCCESS)

    def test_both_sides_at_once(self) -> None:
        call = moved(OPENVOICE)
        assert call.handle(i.GlareLost(), 31.0) == [e.SendProceed()]
        assert call.role is Role.RESPONDER
        assert kinds(call.handle(i.OfferReceived(description()), 31.1)) == [e.OpenMedia]

    def test_the_peer_may_move_it_first(self) -> None:
        call = active(DINO)
        call.handle(i.MediaInterrupted(), 10.0)
        effects = call.handle(i.PeerMigrated(), 12.0)
        assert effects == [e.Notify(events.CallMoved(Origin.REMOTE)), e.CloseMedia(), e.SendProceed()]
        assert call.handle_timeout(10.0 + RING_AFTER) == []

    def test_the_peer_may_have_been_quicker(self) -> None:
        call = moved(OPENVOICE)
        assert call.handle(i.PeerMigrated(), 31.0) == [e.SendProceed()]
        assert call.role is Role.RESPONDER
        assert kinds(call.handle(i.OfferReceived(description()), 31.1)) == [e.OpenMedia]

    def test_a_session_goes_ahead_only_once(self) -> None:
        call = moved()
        call.handle(i.PeerProceeded(), 21.0)
        for message in (i.PeerProceeded(), i.GlareLost(), i.PeerMigrated()):
            assert kinds(call.handle(message, 21.0)) == [e.RejectInput]


def test_a_restart_that_is_refused_leads_to_a_move_and_not_to_the_end() -> None:
    call = active(OPENVOICE)
    call.handle(i.MediaInterrupted(), 10.0)
    call.handle(i.RestartRefused(), 10.1)
    assert e.SendRenewal() in call.handle_timeout(10.0 + MOVE_AFTER)


def test_a_restart_that_is_not_answered_does_too() -> None:
    call = active(OPENVOICE)
    call.handle(i.MediaInterrupted(), 10.0)
    assert e.SendRenewal() in call.handle_timeout(10.0 + RESTART_WITHIN)


def test_media_that_find_no_path_do_too() -> None:
    call = active(OPENVOICE)
    call.handle(i.MediaInterrupted(), 10.0)
    assert call.handle(i.MediaFailed(EndReason.CONNECTIVITY_ERROR, "no way"), 15.0) == []
    assert e.SendRenewal() in call.handle_timeout(15.0)


def test_a_device_that_its_server_cannot_reach_is_asked_again() -> None:
    call = active(OPENVOICE)
    call.handle(i.MediaInterrupted(), 10.0)
    call.handle(i.RestartRefused(unreached=True), 10.1)
    assert call.deadline is not None
    assert call.handle_timeout(call.deadline) == [e.RestartMedia()]


def test_without_a_stream_the_call_lives_as_long_as_it_may() -> None:
    call = active(OPENVOICE)
    call.handle(i.SignallingLost(), 9.0)
    assert kinds(call.handle(i.MediaInterrupted(), 10.0)) == [events.CallInterrupted]
    assert call.deadline == 10.0 + INTERRUPTION_LIMIT
    assert call.handle(i.SignallingRenewed(SIGNALLING), 35.0) == [e.RestartMedia()]
    assert kinds(call.handle(i.MediaRestored(), 36.0)) == [events.CallRestored]


class TestALaptopThatSleeps:
    """For 20 s. Its own clock may stand still meanwhile (Linux), or go on."""

    SLEEP = 20.0

    @pytest.mark.parametrize("counted", [True, False])
    def test_the_media_come_back_first(self, counted: bool) -> None:
        sleeper = active(OPENVOICE)
        woke = 10.0 + (self.SLEEP if counted else 0.0)
        assert sleeper.handle_timeout(woke) == []
        assert sleeper.handle(i.RestartReceived(CREDENTIALS), woke + 0.1) == [e.RestartMedia(CREDENTIALS)]
        assert sleeper.deadline is None
        assert sleeper.state is CallState.ACTIVE

    @pytest.mark.parametrize("counted", [True, False])
    @pytest.mark.parametrize("media_first", [True, False])
    def test_it_slept_in_an_interruption(self, counted: bool, media_first: bool) -> None:
        sleeper = active(OPENVOICE)
        sleeper.handle(i.MediaInterrupted(), 10.0)
        sleeper.handle(i.LocalRestart(CREDENTIALS, answering=False), 10.1)
        # Its lid is closed for longer than an interruption may last: the deadlines pass unnoticed.
        woke = 10.0 + (2 * self.SLEEP if counted else 1.0)
        assert sleeper.handle_timeout(woke) == []
        assert sleeper.state is CallState.ACTIVE
        news: list[i.CallInput] = [i.RestartReceived(CREDENTIALS), i.MediaRestored()]
        for message in reversed(news) if media_first else news:
            woke += 2.0
            assert sleeper.handle_timeout(woke) == []
            assert sleeper.handle(message, woke)
        assert sleeper.deadline is None or sleeper.deadline > woke + INTERRUPTION_LIMIT / 2
        assert sleeper.state is CallState.ACTIVE

    @pytest.mark.parametrize("media_first", [True, False])
    def test_its_peer_waits_for_it(self, media_first: bool) -> None:
        """The restart request waits at the server until the sleeper wakes; the peer neither moves nor ends the call."""
        peer = active(OPENVOICE, Direction.INCOMING)
        now = 11.0
        assert e.RestartMedia() in peer.handle(i.MediaInterrupted(), now)
        peer.handle(i.LocalRestart(CREDENTIALS, answering=False), now)
        while now < 10.0 + self.SLEEP:
            now += 0.5
            assert peer.handle_timeout(now) == []
        news: list[i.CallInput] = [i.RestartReceived(CREDENTIALS, ours=True), i.MediaRestored()]
        for message in reversed(news) if media_first else news:
            assert peer.handle(message, now)
        assert peer.state is CallState.ACTIVE
        assert peer.deadline is None

    def test_its_peer_that_cannot_restart_calls_again(self) -> None:
        peer = active(DINO, Direction.INCOMING)
        peer.handle(i.MediaInterrupted(), 11.0)
        assert e.SendRenewal() in peer.handle_timeout(11.0 + RING_AFTER)
        assert peer.handle_timeout(10.0 + self.SLEEP) == []
        assert kinds(peer.handle(i.PeerProceeded(), 10.0 + self.SLEEP + 1)) == [e.OpenMedia]
