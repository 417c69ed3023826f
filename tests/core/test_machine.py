"""The machine of one call, by examples and by all orders of inputs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.conduct import ConductInput
from openvoice.core.contents import ContentsInput
from openvoice.core.continuity import ContinuityInput
from openvoice.core.description import Fingerprint, Media, Senders, Setup
from openvoice.core.machine import CONNECT_WITHIN, UNHEARD_AFTER, CallMachine, OnlyEvidence
from openvoice.core.manners import Manners
from openvoice.core.policy import Policy
from openvoice.core.remedies import Remedies, Renewal, Restart
from openvoice.core.state import TRANSITIONS, CallState
from openvoice.core.trust import Trust
from openvoice.core.types import DeviceChange, Direction, EndReason, Origin, Role, SoundDirection, VideoLabel, Vouching
from openvoice.core.words import Step, WordsMessage
from openvoice.errors import InvalidState

from .descriptions import CANDIDATE, SIGNALLING, description, facts, voucher


def machine(direction: Direction = Direction.OUTGOING, policy: Policy | None = None) -> CallMachine:
    return CallMachine(direction, "bob@example.org", policy=policy or Policy(), seed=bytes(32), signalling=SIGNALLING)


def kinds(effects: list[e.Effect]) -> list[object]:
    return [type(effect.event) if isinstance(effect, e.Notify) else type(effect) for effect in effects]


def connecting(direction: Direction, policy: Policy | None = None) -> CallMachine:
    call = machine(direction, policy)
    if direction is Direction.OUTGOING:
        for message in (
            i.Dial(),
            i.PeerProceeded(),
            i.LocalDescription(description()),
            i.AnswerReceived(description(Setup.ACTIVE)),
        ):
            call.handle(message, 0.0)
    else:
        for incoming in (
            i.PeerProposed(announce=True),
            i.Accept(),
            i.OfferReceived(description()),
            i.LocalDescription(description(Setup.ACTIVE)),
        ):
            call.handle(incoming, 0.0)
    assert call.state is CallState.CONNECTING
    return call


def active(direction: Direction = Direction.OUTGOING) -> CallMachine:
    call = connecting(direction)
    call.handle(i.MediaSecured(facts()), 1.0)
    call.handle(i.MediaFlowing(), 1.5)
    assert call.state is CallState.ACTIVE
    return call


def test_an_outgoing_call_goes_all_the_way() -> None:
    call = machine()
    assert kinds(call.handle(i.Dial(), 0.0)) == [events.CallPlaced, e.SendProposal]
    assert kinds(call.handle(i.PeerRinging(), 1.0)) == [events.CallRinging]
    assert kinds(call.handle(i.PeerProceeded(), 2.0)) == [events.CallAccepted, e.OpenMedia]
    assert kinds(call.handle(i.LocalDescription(description()), 2.1)) == [e.SendOffer]
    assert kinds(call.handle(i.LocalCandidates("0", (CANDIDATE,)), 2.2)) == [e.SendCandidates]
    assert kinds(call.handle(i.AnswerReceived(description(Setup.ACTIVE)), 2.3)) == [e.ApplyAnswer]
    assert kinds(call.handle(i.MediaSecured(facts()), 2.4)) == [events.CallSecured, e.OpenGate]
    assert call.state.value == "connecting"
    assert kinds(call.handle(i.MediaFlowing(), 2.5)) == [events.CallConnected]
    assert call.state is CallState.ACTIVE
    assert call.security.vouching is Vouching.SIGNALLED
    assert call.duration(12.5) == 10.0
    assert kinds(call.handle(i.HangUp(), 12.5)) == [e.SendEnd, e.CloseMedia, e.Finish]
    assert call.end == e.Finish(EndReason.SUCCESS, Origin.LOCAL, "")


def test_addresses_told_before_consent_are_counted_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """No input leads there; a fault that did would be in the report of every call."""
    call = machine(Direction.INCOMING)

    def faulty(message: i.PeerProposed, now: float) -> Iterator[e.Effect]:
        call.state = CallState.RINGING
        yield e.SendCandidates("0", (CANDIDATE, CANDIDATE))
        yield e.SendAnswer(description())

    monkeypatch.setattr(call, "_on_PeerProposed", faulty)
    for message in (
        i.PeerProposed(announce=True),
        i.Accept(),
        i.OfferReceived(description()),
        i.LocalDescription(description(Setup.ACTIVE)),
        i.MediaSecured(facts()),
    ):
        call.handle(message, 0.0)
    assert call.security.media is not None
    assert call.security.media.candidates_before_consent == 3


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("exposed", [False, True])
def test_an_exposed_call_says_so_before_anything_is_told_and_in_its_report(direction: Direction, exposed: bool) -> None:
    call = machine(direction)
    yes: i.CallInput = i.Dial(exposed=exposed)
    if direction is Direction.INCOMING:
        call.handle(i.PeerProposed(announce=True), 0.0)
        yes = i.Accept(exposed=exposed)
    effects = kinds(call.handle(yes, 0.0))
    assert (events.CallExposed in effects) == exposed
    assert effects[-1] in (e.SendProposal, e.SendProceed)
    assert call.exposed == exposed
    if direction is Direction.OUTGOING:
        follow: tuple[i.CallInput, ...] = (
            i.PeerProceeded(),
            i.LocalDescription(description()),
            i.AnswerReceived(description(Setup.ACTIVE)),
        )
    else:
        follow = (i.OfferReceived(description()), i.LocalDescription(description(Setup.ACTIVE)))
    for message in (*follow, i.MediaSecured(facts())):
        call.handle(message, 0.0)
    assert any("not in your contact list" in finding.text for finding in call.security.findings) == exposed


@pytest.mark.parametrize("private", [False, True])
def test_what_is_for_the_own_user_alone_is_not_told_to_the_peer(private: bool) -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.PeerProposed(announce=True), 0.0)
    effects = call.handle(i.HangUp(EndReason.SECURITY_ERROR, "why", private=private), 1.0)
    assert e.SendEnd(EndReason.SECURITY_ERROR, "" if private else "why") in effects
    assert effects[-1] == e.Finish(EndReason.SECURITY_ERROR, Origin.LOCAL, "why")


def test_an_incoming_call_opens_media_only_after_accept() -> None:
    call = machine(Direction.INCOMING)
    assert kinds(call.handle(i.PeerProposed(announce=True), 0.0)) == [e.SendRinging, events.CallIncoming]
    assert kinds(call.handle(i.Accept(), 1.0)) == [events.CallAccepted, e.SendProceed]
    assert kinds(call.handle(i.OfferReceived(description()), 1.1)) == [e.OpenMedia]
    assert kinds(call.handle(i.LocalDescription(description(Setup.ACTIVE)), 1.2)) == [e.SendAnswer]


def test_a_direct_call_rings_with_its_offer_kept() -> None:
    call = machine(Direction.INCOMING)
    assert kinds(call.handle(i.OfferReceived(description()), 0.0)) == [e.SendRinging, events.CallIncoming]
    opened = call.handle(i.Accept(), 1.0)
    assert e.OpenMedia(Role.RESPONDER, description()) in opened


def test_a_direct_outgoing_call_offers_at_once() -> None:
    call = machine()
    assert kinds(call.handle(i.Dial(i.Invitation.OFFER), 0.0)) == [events.CallPlaced, e.OpenMedia]
    assert kinds(call.handle(i.LocalDescription(description()), 0.1)) == [e.SendOffer]
    assert kinds(call.handle(i.PeerRinging(), 0.2)) == [events.CallRinging]
    answered = call.handle(i.AnswerReceived(description(Setup.ACTIVE)), 3.0)
    assert kinds(answered) == [events.CallAccepted, e.ApplyAnswer]


def test_a_caller_without_permission_hears_no_ringing() -> None:
    call = machine(Direction.INCOMING)
    assert kinds(call.handle(i.PeerProposed(announce=False), 0.0)) == [events.CallIncoming]


def test_early_candidates_wait_for_the_media() -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.OfferReceived(description()), 0.0)
    assert call.handle(i.CandidatesReceived("0", (CANDIDATE,)), 0.1) == []
    call.handle(i.Accept(), 1.0)
    effects = call.handle(i.LocalDescription(description(Setup.ACTIVE)), 1.1)
    assert effects[-1] == e.AddCandidates("0", (CANDIDATE,))


def test_early_candidates_are_bounded() -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.OfferReceived(description()), 0.0)
    for _ in range(1000):
        call.handle(i.CandidatesReceived("0", (CANDIDATE,)), 0.1)
    call.handle(i.Accept(), 1.0)
    effects = call.handle(i.LocalDescription(description(Setup.ACTIVE)), 1.1)
    assert sum(isinstance(effect, e.AddCandidates) for effect in effects) == 64


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_active_needs_both_the_gate_and_the_peers_media(order: tuple[int, int]) -> None:
    call = connecting(Direction.OUTGOING)
    both: list[i.CallInput] = [i.MediaSecured(facts()), i.MediaFlowing()]
    call.handle(both[order[0]], 1.0)
    assert call.state.value == "connecting"
    call.handle(both[order[1]], 1.1)
    assert call.state is CallState.ACTIVE


def test_a_policy_that_wants_more_refuses_before_any_sound() -> None:
    call = connecting(Direction.OUTGOING)
    call.policy = Policy(require=Vouching.OMEMO_VERIFIED)
    effects = call.handle(i.MediaSecured(facts()), 1.0)
    assert kinds(effects) == [events.CallSecured, e.SendEnd, e.CloseMedia, e.Finish]
    assert call.end is not None
    assert call.end.reason is EndReason.SECURITY_ERROR
    assert "verified" in call.end.text


def refused(effects: list[e.Effect]) -> bool:
    """Whether the call ends for what its user demands; the user is told so, and the peer no more than that it ends."""
    told, _, end = effects = effects[-3:]
    assert kinds(effects) == [e.SendEnd, e.CloseMedia, e.Finish]
    assert isinstance(end, e.Finish)
    return told == e.SendEnd(EndReason.SECURITY_ERROR) and "verified by you" in end.text


STRICT = Policy(require=Vouching.OMEMO_VERIFIED)


def test_a_peer_that_will_be_refused_learns_no_address() -> None:
    proposed = machine(Direction.INCOMING, STRICT)
    proposed.handle(i.PeerProposed(announce=True), 0.0)
    proposed.handle(i.Accept(), 0.0)
    assert refused(proposed.handle(i.OfferReceived(description(vouched_by=voucher(Trust.TRUSTED))), 0.0))
    direct = machine(Direction.INCOMING, STRICT)
    direct.handle(i.OfferReceived(description()), 0.0)
    effects = direct.handle(i.Accept(), 0.0)
    assert refused(effects)
    assert e.OpenMedia not in kinds(effects)


def test_a_weak_answer_is_not_applied() -> None:
    call = machine(policy=STRICT)
    call.handle(i.Dial(), 0.0)
    call.handle(i.PeerProceeded(), 0.0)
    assert call.handle(i.LocalDescription(description()), 0.0) == [e.SendOffer(description(), Vouching.OMEMO_VERIFIED)]
    effects = call.handle(i.AnswerReceived(description(Setup.ACTIVE, voucher(Trust.TRUSTED))), 0.0)
    assert refused(effects)
    assert kinds(effects) == [e.SendEnd, e.CloseMedia, e.Finish]


@pytest.mark.parametrize("trust", [None, Trust.UNDECIDED, Trust.TRUSTED, Trust.VERIFIED])
def test_a_call_moves_only_to_a_device_that_is_vouched_for_as_well(trust: Trust | None) -> None:
    call = machine(Direction.INCOMING)
    for message in (
        i.PeerProposed(announce=True),
        i.Accept(),
        i.OfferReceived(description(vouched_by=voucher(Trust.TRUSTED))),
        i.LocalDescription(description(Setup.ACTIVE)),
        i.PeerMigrated(),
    ):
        call.handle(message, 0.0)
    effects = call.handle(i.OfferReceived(description(vouched_by=voucher(trust) if trust else None)), 1.0)
    if trust in (Trust.TRUSTED, Trust.VERIFIED):
        assert kinds(effects) == [e.OpenMedia]
    else:
        assert kinds(effects) == [e.SendEnd, e.CloseMedia, e.Finish]


def test_the_weakest_fingerprint_counts() -> None:
    call = machine()
    call.handle(i.Dial(), 0.0)
    call.handle(i.PeerProceeded(), 0.0)
    call.handle(i.LocalDescription(description()), 0.0)
    call.handle(i.AnswerReceived(description(Setup.ACTIVE, voucher(Trust.VERIFIED))), 0.0)
    call.handle(i.MediaSecured(facts()), 0.0)
    assert call.security.vouching is Vouching.OMEMO_VERIFIED


@pytest.mark.parametrize(
    ("direction", "inputs", "deadline", "reason"),
    [
        (Direction.OUTGOING, (i.Dial(),), 60.0, EndReason.TIMEOUT),
        (Direction.OUTGOING, (i.Dial(), i.PeerProceeded()), 30.0, EndReason.TIMEOUT),
        (Direction.OUTGOING, (i.Dial(), i.PeerProceeded(120.0)), 120.0, EndReason.TIMEOUT),
        (Direction.INCOMING, (i.PeerProposed(announce=True),), 45.0, EndReason.TIMEOUT),
        (Direction.INCOMING, (i.PeerProposed(announce=True), i.Accept()), CONNECT_WITHIN, EndReason.TIMEOUT),
    ],
)
def test_every_wait_ends(
    direction: Direction, inputs: tuple[i.CallInput, ...], deadline: float, reason: EndReason
) -> None:
    call = machine(direction)
    for message in inputs:
        call.handle(message, 0.0)
    call.handle_timeout(deadline - 0.001)
    assert call.state is not CallState.ENDED
    effects = call.handle_timeout(deadline)
    assert kinds(effects) == [e.SendEnd, e.CloseMedia, e.Finish]
    assert call.end is not None
    assert (call.end.reason, call.end.origin) == (reason, Origin.LOCAL)
    assert call.deadline is None


def test_a_path_that_is_not_found_in_time_is_a_connectivity_error() -> None:
    call = connecting(Direction.INCOMING)
    call.handle_timeout(CONNECT_WITHIN)
    assert call.end is not None
    assert call.end.reason is EndReason.CONNECTIVITY_ERROR


def test_silence_of_all_devices_is_told_once() -> None:
    call = machine()
    call.handle(i.Dial(), 0.0)
    assert call.deadline == UNHEARD_AFTER
    assert kinds(call.handle_timeout(UNHEARD_AFTER)) == [events.CallUnheard]
    assert call.handle_timeout(UNHEARD_AFTER + 1) == []
    assert call.deadline == 60.0


def test_a_peer_that_takes_no_later_candidates_gets_all_at_once() -> None:
    call = machine()
    call.handle(i.Dial(), 0.0)
    assert e.OpenMedia(Role.INITIATOR, None, True) in call.handle(i.PeerProceeded(gather_fully=True), 0.0)
    other = machine(Direction.INCOMING)
    other.handle(i.OfferReceived(description(), gather_fully=True), 0.0)
    assert e.OpenMedia(Role.RESPONDER, description(), True) in other.handle(i.Accept(), 0.0)


def test_a_migration_while_connecting_takes_a_fresh_offer() -> None:
    call = connecting(Direction.INCOMING)
    assert kinds(call.handle(i.PeerMigrated(), 5.0)) == [events.CallMoved, e.CloseMedia, e.SendProceed]
    assert call.state.value == "negotiating"


def test_the_gate_opens_once_and_trouble_before_the_call_is_no_interruption() -> None:
    call = connecting(Direction.OUTGOING)
    assert call.handle(i.MediaInterrupted(), 0.5) == []
    assert call.handle(i.MediaRestored(), 0.6) == []
    call.handle(i.MediaSecured(facts()), 1.0)
    assert kinds(call.handle(i.MediaSecured(facts()), 1.1)) == [events.CallSecured]
    call.handle(i.MediaFlowing(), 1.2)
    assert kinds(call.handle(i.MediaFlowing(), 1.3)) == [e.RejectInput]
    assert call.handle(i.MediaRestored(), 1.4) == []


def test_candidates_of_a_live_call_go_straight_to_the_media() -> None:
    assert active().handle(i.CandidatesReceived("0", (CANDIDATE,)), 2.0) == [e.AddCandidates("0", (CANDIDATE,))]


def test_losing_the_glare_makes_an_outgoing_call_the_responder() -> None:
    call = machine()
    call.handle(i.Dial(), 0.0)
    assert kinds(call.handle(i.GlareLost(), 0.1)) == [events.CallAccepted, e.SendProceed]
    assert call.role is Role.RESPONDER
    assert call.direction is Direction.OUTGOING
    assert kinds(call.handle(i.OfferReceived(description()), 0.2)) == [e.OpenMedia]


def test_a_migration_takes_a_fresh_offer() -> None:
    call = active()
    assert kinds(call.handle(i.PeerMigrated(), 5.0)) == [events.CallMoved, e.CloseMedia, e.SendProceed]
    assert kinds(call.handle(i.OfferReceived(description()), 5.1)) == [e.OpenMedia]
    call.handle(i.LocalDescription(description(Setup.ACTIVE)), 5.2)
    call.handle(i.MediaSecured(facts()), 5.3)
    call.handle(i.MediaFlowing(), 5.4)
    assert call.state is CallState.ACTIVE
    assert call.active_since == 1.5


def test_mute_and_hold_are_told_to_media_and_peer() -> None:
    call = active()
    assert kinds(call.handle(i.Mute(True), 2.0)) == [e.SetMuted, e.SendInformation, events.MuteChanged]
    assert call.handle(i.Mute(True), 2.1) == []
    assert call.conduct.muted
    assert kinds(call.handle(i.Hold(True), 2.2)) == [e.SetHeld, e.SendInformation, events.HoldChanged]
    assert call.handle(i.Hold(True), 2.3) == []
    assert call.handle(i.PeerMuted(True), 2.4) == [e.Notify(events.MuteChanged(True, Origin.REMOTE))]
    assert call.handle(i.PeerHeld(True), 2.4) == [e.Notify(events.HoldChanged(True, Origin.REMOTE))]


def test_a_call_muted_before_it_begins_never_opens_its_mouth() -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.PeerProposed(announce=True), 0.0)
    assert kinds(call.handle(i.Mute(True), 0.1)) == [events.MuteChanged]
    call.handle(i.Accept(), 0.2)
    assert kinds(call.handle(i.OfferReceived(description()), 0.3)) == [e.OpenMedia, e.SetMuted]


def test_the_small_events_pass_through() -> None:
    call = active()
    assert call.handle(i.DigitReceived("5"), 2.0) == [e.Notify(events.DigitDialled("5"))]
    assert call.handle(i.SourceEnded(), 2.0) == [e.Notify(events.SourceFinished())]
    lost = i.DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.LOST, device="Headset", text="gone")
    assert call.handle(lost, 2.0) == [
        e.Notify(
            events.DeviceReported(direction=SoundDirection.INPUT, what=DeviceChange.LOST, device="Headset", text="gone")
        )
    ]
    assert call.handle(i.SendDigits("12#"), 2.0) == [e.PlayDigits("12#")]
    ringing_again = machine()
    ringing_again.handle(i.Dial(), 0.0)
    ringing_again.handle(i.PeerRinging(), 0.1)
    assert ringing_again.handle(i.PeerRinging(), 0.2) == []
    ringing_again.handle(i.PeerProceeded(), 0.3)
    assert kinds(ringing_again.handle(i.PeerRinging(), 0.4)) == [events.CallRinging]


@pytest.mark.parametrize("origin", [Origin.REMOTE, Origin.ELSEWHERE, Origin.NETWORK])
def test_an_end_from_outside_is_kept_as_it_is(origin: Origin) -> None:
    call = active()
    assert kinds(call.handle(i.Ended(EndReason.GONE, origin, "x"), 2.0)) == [e.CloseMedia, e.Finish]
    assert call.end == e.Finish(EndReason.GONE, origin, "x")


def test_media_that_fail_end_the_call_on_both_sides() -> None:
    effects = active().handle(i.MediaFailed(EndReason.FAILED_TRANSPORT, "x"), 2.0)
    assert effects[0] == e.SendEnd(EndReason.FAILED_TRANSPORT, "x")


def test_a_channel_that_the_peer_closed_is_its_goodbye() -> None:
    call = active()
    effects = call.handle(i.MediaClosed(), 2.0)
    assert e.SendEnd(EndReason.SUCCESS, "") in effects
    assert call.end == e.Finish(EndReason.SUCCESS, Origin.REMOTE, "")


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ((i.Dial(),), EndReason.CANCEL),
        ((i.Dial(), i.PeerProceeded()), EndReason.CANCEL),
        (
            (
                i.Dial(),
                i.PeerProceeded(),
                i.LocalDescription(description()),
                i.AnswerReceived(description(Setup.ACTIVE)),
            ),
            EndReason.SUCCESS,
        ),
    ],
)
def test_hanging_up_says_what_fits_the_state(inputs: tuple[i.CallInput, ...], reason: EndReason) -> None:
    call = machine()
    for message in inputs:
        call.handle(message, 0.0)
    assert call.handle(i.HangUp(), 1.0)[0] == e.SendEnd(reason)


def test_declining_and_hanging_up_before_anything() -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.PeerProposed(announce=True), 0.0)
    assert call.handle(i.HangUp(), 0.1)[0] == e.SendEnd(EndReason.DECLINE)
    other = machine(Direction.INCOMING)
    other.handle(i.PeerProposed(announce=True), 0.0)
    assert other.handle(i.HangUp(EndReason.BUSY), 0.1)[0] == e.SendEnd(EndReason.BUSY)
    assert kinds(machine().handle(i.HangUp(), 0.0)) == [e.CloseMedia, e.Finish]


@pytest.mark.parametrize(
    ("message", "prepare"),
    [
        (i.AnswerReceived(description(Setup.ACTIVE)), (i.Dial(),)),
        (i.LocalCandidates("0", (CANDIDATE,)), (i.Dial(),)),
        (i.LocalDescription(description()), (i.Dial(),)),
        (i.PeerProceeded(), (i.Dial(i.Invitation.OFFER),)),
        (i.GlareLost(), (i.Dial(i.Invitation.OFFER),)),
    ],
)
def test_the_peer_cannot_skip_a_step(message: i.CallInput, prepare: tuple[i.CallInput, ...]) -> None:
    """Threat 2: what makes one side connect without its user's yes, or without an offer, changes nothing."""
    call = machine()
    for before in prepare:
        call.handle(before, 0.0)
    state, deadline = call.state, call.deadline
    assert kinds(call.handle(message, 0.1)) == [e.RejectInput]
    assert (call.state, call.deadline) == (state, deadline)


def test_a_second_offer_is_refused() -> None:
    call = machine(Direction.INCOMING)
    call.handle(i.PeerProposed(announce=True), 0.0)
    call.handle(i.Accept(), 0.0)
    call.handle(i.OfferReceived(description()), 0.0)
    assert kinds(call.handle(i.OfferReceived(description()), 0.0)) == [e.RejectInput]


def test_an_ended_call_takes_hang_ups_and_refuses_the_rest() -> None:
    call = active()
    call.handle(i.HangUp(), 2.0)
    assert call.handle(i.HangUp(), 2.1) == []
    assert kinds(call.handle(i.MediaFlowing(), 2.1)) == [e.RejectInput]
    assert call.handle_timeout(1e9) == []
    with pytest.raises(InvalidState, match="ended"):
        call.handle(i.Mute(True), 2.1)


def test_commands_that_make_no_sense_raise_and_change_nothing() -> None:
    call = machine()
    for command in (i.Accept(), i.Hold(True), i.SendDigits("1")):
        with pytest.raises(InvalidState):
            call.handle(command, 0.0)
    assert call.state is CallState.NEW


def test_the_table_names_handlers_that_exist() -> None:
    for rows in TRANSITIONS.values():
        for row in rows.values():
            for kind in row:
                assert hasattr(CallMachine, f"_on_{kind.__name__}") is (
                    kind not in get_args(OnlyEvidence | ConductInput | ContentsInput | ContinuityInput)
                )


VOUCHED = replace(facts(), remote_fingerprint=Fingerprint("sha-256", bytes([9] * 32), voucher()))
PICTURES = replace(
    description(Setup.ACTIVE),
    contents=(description().contents[0], replace(description().contents[0], name="1", media=Media.VIDEO)),
)
INPUTS: list[i.CallInput] = [
    i.Dial(),
    i.Dial(i.Invitation.OFFER),
    i.Accept(),
    i.HangUp(),
    i.Mute(True),
    i.Mute(False),
    i.Hold(True),
    i.SendDigits("1"),
    i.PeerProposed(announce=True),
    i.PeerRinging(),
    i.PeerProceeded(),
    i.OfferReceived(description()),
    i.AnswerReceived(description(Setup.ACTIVE)),
    i.CandidatesReceived("0", (CANDIDATE,)),
    i.RestartReceived((("0", "u", "p"),)),
    i.RestartReceived((("0", "u", "p"),), ours=True),
    i.RestartRefused(),
    i.RestartRefused(unreached=True),
    i.AnswerReceived(description(Setup.ACTIVE), remedies=Remedies(restart=Restart.NEVER, renewal=Renewal.SILENT)),
    i.OfferReceived(description(), remedies=Remedies(restart=Restart.ALWAYS)),
    i.PeerMuted(True),
    i.PeerHeld(True),
    i.AnswerReceived(description(Setup.ACTIVE, voucher()), "sid", takes_words=True),
    i.OfferReceived(description(vouched_by=voucher()), session="sid"),
    i.MediaSecured(VOUCHED),
    i.WordsReceived(WordsMessage(Step.COMMIT, bytes(32))),
    i.WordsReceived(WordsMessage(Step.NONCE, bytes(32))),
    i.WordsReceived(WordsMessage(None)),
    i.CompareWords(("acorn",), True),
    i.GlareLost(),
    i.PeerMigrated(),
    i.SignallingLost(),
    i.SignallingRenewed(SIGNALLING),
    i.Ended(EndReason.SUCCESS),
    i.LocalDescription(description()),
    i.LocalCandidates("0", (CANDIDATE,)),
    i.LocalRestart((("0", "u", "p"),), answering=True),
    i.MediaSecured(facts()),
    i.MediaFlowing(),
    i.MediaInterrupted(),
    i.MediaRestored(),
    i.NetworkChanged(),
    i.MediaFailed(EndReason.FAILED_TRANSPORT, ""),
    i.MediaFailed(EndReason.CONNECTIVITY_ERROR, ""),
    i.MediaClosed(),
    i.DigitReceived("1"),
    i.SourceEnded(),
    i.DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.LOST, text=""),
    i.Dial(video=True),
    i.Accept(video=True),
    i.ShowVideo(VideoLabel.CAMERA),
    i.ShowVideo(VideoLabel.SCREEN),
    i.HideVideo(VideoLabel.CAMERA),
    i.OfferReceived(PICTURES),
    i.AnswerReceived(PICTURES, manners=Manners(screens=True)),
    i.LocalDescription(PICTURES),
    i.ContentsAdded(PICTURES.contents[1:], ("0", "1")),
    i.ContentsAccepted(PICTURES.contents[1:], ("0", "1")),
    i.ContentsRejected(("1",)),
    i.ContentsModified((("1", Senders.INITIATOR),)),
    i.ContentsModified((("1", Senders.BOTH),)),
    i.ContentsRemoved(("1",)),
    i.LocalContents(PICTURES.contents[1:], answering=False),
    i.LocalContents(PICTURES.contents[1:], answering=True),
    i.ContentsFailed(("1",), ""),
    i.PeerMuted(True, "1"),
    i.VideoReported(label=VideoLabel.CAMERA, what=DeviceChange.LOST, text=""),
    i.CandidatesReceived("1", (CANDIDATE,)),
    i.LocalCandidates("1", (CANDIDATE,)),
]


@settings(max_examples=400)
@given(
    st.sampled_from(list(Direction)),
    st.sampled_from([Vouching.SIGNALLED, Vouching.OMEMO_TRUSTED]),
    st.lists(st.tuples(st.sampled_from(INPUTS), st.floats(0, 50)), max_size=40),
)
def test_no_order_of_inputs_opens_media_or_the_gate_too_early(
    direction: Direction, require: Vouching, inputs: list[tuple[i.CallInput, float]]
) -> None:
    """Threats 1 and 2, over all orders: media need a yes of this side, the gate needs the policy, the end is one."""
    call = machine(direction, Policy(require=require))
    now, consent, secured, open_gate, finished = 0.0, False, False, False, 0
    wanted: set[VideoLabel] = set()
    for message, later in inputs:
        now += later
        consent |= isinstance(message, i.Dial | i.Accept)
        match message:
            case i.ShowVideo(label):
                wanted.add(label)
            case i.Dial(video=True) | i.Accept(video=True):
                wanted.add(VideoLabel.CAMERA)
        batches = [call.handle_timeout(now)]
        with suppress(InvalidState):
            batches.append(call.handle(message, now))
        for effects, effect in ((batch, effect) for batch in batches for effect in batch):
            match effect:
                case e.Notify(events.CallSecured(report)):
                    secured = report.vouching >= require
                case e.OpenMedia() | e.SendOffer() | e.SendAnswer() | e.SendCandidates() | e.SendRenewal():
                    assert consent
                case e.ProposeContent() | e.AnswerContents() | e.SendContentAdd() | e.SendContentAccept():
                    assert consent
                case e.Show(label, str()):
                    assert label in wanted
                    assert open_gate
                case e.OpenGate():
                    assert consent
                    assert secured
                    assert not open_gate
                    secured, open_gate = False, True
                case e.CloseMedia():
                    secured = open_gate = False
                case e.Finish():
                    finished += 1
                    assert effect is effects[-1]
        assert finished == (call.state is CallState.ENDED)
        assert (call.deadline is None) == (
            call.state in (CallState.NEW, CallState.ENDED)
            or (
                call.state is CallState.ACTIVE
                and {call._continuity.deadline, call.words.deadline, call.contents.deadline} == {None}
            )
        )
    if require is Vouching.OMEMO_TRUSTED:
        assert call.state is not CallState.ACTIVE


class PairedCalls(RuleBasedStateMachine):
    """Two machines joined by wires that deliver in order: both always agree about the end."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = {"caller": machine(Direction.OUTGOING), "callee": machine(Direction.INCOMING)}
        self.wires: dict[str, list[i.CallInput]] = {"caller": [], "callee": []}
        self.now = 0.0

    def perform(self, side: str, effects: list[e.Effect]) -> None:
        wire = self.wires["callee" if side == "caller" else "caller"]
        own = self.wires[side]
        for effect in effects:
            match effect:
                case e.SendProposal():
                    wire.append(i.PeerProposed(announce=True))
                case e.SendRinging():
                    wire.append(i.PeerRinging())
                case e.SendProceed():
                    wire.append(i.PeerProceeded())
                case e.SendOffer(offer):
                    wire.append(i.OfferReceived(offer))
                case e.SendAnswer(answer):
                    wire.append(i.AnswerReceived(answer))
                case e.SendCandidates(content, candidates):
                    wire.append(i.CandidatesReceived(content, candidates))
                case e.SendEnd(reason, text):
                    wire.append(i.Ended(reason, Origin.REMOTE, text))
                case e.OpenMedia():
                    own.append(i.LocalDescription(description()))
                case e.ApplyAnswer():
                    own += [i.MediaSecured(facts()), i.MediaFlowing()]

    def feed(self, side: str, message: i.CallInput) -> None:
        try:
            self.perform(side, self.calls[side].handle(message, self.now))
        except InvalidState:
            return

    @rule()
    def dial(self) -> None:
        self.feed("caller", i.Dial())

    @rule()
    def accept(self) -> None:
        self.feed("callee", i.Accept())

    @rule(side=st.sampled_from(["caller", "callee"]))
    def hang_up(self, side: str) -> None:
        if self.calls[side].state is not CallState.NEW:
            self.feed(side, i.HangUp())

    @precondition(lambda self: any(self.wires.values()))
    @rule(side=st.sampled_from(["caller", "callee"]))
    def deliver(self, side: str) -> None:
        if self.wires[side]:
            self.feed(side, self.wires[side].pop(0))

    @rule(seconds=st.floats(0, 40))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for side, call in self.calls.items():
            self.perform(side, call.handle_timeout(self.now))

    @invariant()
    def both_name_one_cause(self) -> None:
        ends = [call.end for call in self.calls.values()]
        if not any(self.wires.values()) and all(ends):
            caller, callee = (end for end in ends if end is not None)
            if Origin.REMOTE in (caller.origin, callee.origin):
                assert caller.reason == callee.reason


TestPairedCalls = PairedCalls.TestCase


def test_a_call_that_moves_while_it_is_on_hold_or_muted_stays_so() -> None:
    call = active()
    call.handle(i.Hold(True), 2.0)
    call.handle(i.Mute(True), 2.0)
    call.handle(i.PeerMigrated(), 3.0)
    effects = call.handle(i.OfferReceived(description()), 4.0)
    assert kinds(effects) == [e.OpenMedia, e.SetMuted, e.SetHeld]
    assert e.SetHeld(True) in effects
