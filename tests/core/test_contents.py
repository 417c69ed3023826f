"""Contents beside the voice: what one side asks, answers, shows and says, by examples. All orders: tests/jingle."""

from __future__ import annotations

from dataclasses import replace

import pytest

from openvoice.core import effects as e
from openvoice.core import events
from openvoice.core import inputs as i
from openvoice.core.contents import ANSWER_WITHIN
from openvoice.core.description import (
    MAXIMUM_CONTENTS,
    SCREEN_CATEGORY,
    Content,
    Media,
    Senders,
    SessionDescription,
    Setup,
)
from openvoice.core.machine import CallMachine
from openvoice.core.manners import STANDARD, Manners
from openvoice.core.policy import Policy
from openvoice.core.state import CallState
from openvoice.core.types import DeviceChange, Direction, EndReason, Origin, VideoLabel

from .descriptions import CANDIDATE, SIGNALLING, description, facts, voucher

CAMERA, SCREEN = VideoLabel.CAMERA, VideoLabel.SCREEN
SCREENS = Manners(screens=True)
CONVERSATIONS = Manners(modifies=False, removes=False)
OURS = e.SendInformation


def video(name: str = "1", senders: Senders = Senders.BOTH, category: str = "", vouched: bool = False) -> Content:
    voice = description(vouched_by=voucher() if vouched else None).contents[0]
    return replace(voice, name=name, media=Media.VIDEO, senders=senders, category=category)


def described(*more: Content, setup: Setup = Setup.ACTPASS, vouched: bool = False) -> SessionDescription:
    plain = description(setup, voucher() if vouched else None)
    contents = (*plain.contents, *more)
    return SessionDescription(contents=contents, bundle=tuple(content.name for content in contents))


def machine(direction: Direction = Direction.OUTGOING) -> CallMachine:
    return CallMachine(direction, "bob@example.org", policy=Policy(), seed=bytes(32), signalling=SIGNALLING)


def active(
    direction: Direction = Direction.OUTGOING,
    *more: Content,
    manners: Manners = STANDARD,
    video: bool = False,
    vouched: bool = False,
) -> tuple[CallMachine, list[e.Effect]]:
    """An active call with the contents given, and what it wanted when it became active."""
    call = machine(direction)
    offer, answer = described(*more, vouched=vouched), described(*more, setup=Setup.ACTIVE, vouched=vouched)
    inputs: tuple[i.CallInput, ...] = (
        i.Dial(video=video),
        i.PeerProceeded(),
        i.LocalDescription(offer),
        i.AnswerReceived(answer, manners=manners),
    )
    if direction is Direction.INCOMING:
        inputs = (
            i.PeerProposed(announce=True),
            i.Accept(video=video),
            i.OfferReceived(offer, manners=manners),
            i.LocalDescription(answer),
        )
    for message in inputs:
        call.handle(message, 0.0)
    first = call.handle(i.MediaSecured(facts()), 1.0)
    return call, [*first, *call.handle(i.MediaFlowing(), 1.5)]


def told(effects: list[e.Effect]) -> list[object]:
    """The effects, and the events in place of their notifications; the descriptions left out."""
    return [
        effect.event if isinstance(effect, e.Notify) else e.Settle if isinstance(effect, e.Settle) else effect
        for effect in effects
    ]


def asked(call: CallMachine, label: VideoLabel = CAMERA, now: float = 2.0) -> str:
    """The user wants to show something, and the media have made their half: the name of what was added."""
    (propose,) = call.handle(i.ShowVideo(label), now)
    assert isinstance(propose, e.ProposeContent)
    half = video(propose.name, category=SCREEN_CATEGORY if propose.label is SCREEN else "")
    (add,) = call.handle(i.LocalContents((half,), answering=False), now)
    assert isinstance(add, e.SendContentAdd)
    assert add.contents == (half,)
    assert add.bundle[0] == "0"
    assert add.bundle[-1] == propose.name
    return propose.name


def shown(label: VideoLabel, shown: bool, by: Origin) -> events.VideoChanged:
    return events.VideoChanged(label, shown, by)


# --- video from the beginning -----------------------------------------------------------------------------------------


def test_a_video_call_offers_video_and_shows_the_camera_once_the_gate_is_open() -> None:
    call = machine()
    call.handle(i.Dial(video=True), 0.0)
    opened = call.handle(i.PeerProceeded(), 0.0)
    assert any(isinstance(effect, e.OpenMedia) and effect.video for effect in opened)
    call, effects = active(Direction.OUTGOING, video(), video=True)
    assert [x for x in told(effects) if isinstance(x, e.Show | e.OpenGate | events.VideoChanged)] == [
        e.OpenGate(),
        e.Show(CAMERA, "1"),
        shown(CAMERA, True, Origin.LOCAL),
        shown(CAMERA, True, Origin.REMOTE),
    ]


def test_a_video_call_answered_with_sound_alone_shows_nothing_and_says_so() -> None:
    call, effects = active(Direction.INCOMING, video())
    assert not any(isinstance(effect, e.Show) for effect in effects)
    assert OURS(e.Information.MUTE, "1") in effects
    assert told(call.handle(i.ShowVideo(CAMERA), 2.0)) == [
        e.Show(CAMERA, "1"),
        OURS(e.Information.UNMUTE, "1"),
        shown(CAMERA, True, Origin.LOCAL),
    ]
    assert told(call.handle(i.HideVideo(CAMERA), 3.0)) == [
        e.Show(CAMERA, None),
        OURS(e.Information.MUTE, "1"),
        shown(CAMERA, False, Origin.LOCAL),
    ]


def test_a_video_call_answered_with_the_camera_shows_it() -> None:
    _, effects = active(Direction.INCOMING, video(), video=True)
    assert e.Show(CAMERA, "1") in effects
    assert shown(CAMERA, True, Origin.LOCAL) in told(effects)


def test_an_answer_lets_both_sides_send_in_what_the_peer_offers() -> None:
    for offer, opens in ((described(video()), True), (described(), False)):
        call = machine(Direction.INCOMING)
        call.handle(i.PeerProposed(announce=True), 0.0)
        call.handle(i.Accept(), 0.0)
        (opened,) = call.handle(i.OfferReceived(offer), 0.0)
        assert isinstance(opened, e.OpenMedia)
        assert opened.video is opens


def test_an_answer_without_the_video_is_a_voice_call_and_nobody_is_asked_again() -> None:
    call = machine()
    for message in (i.Dial(video=True), i.PeerProceeded(), i.LocalDescription(described(video()))):
        call.handle(message, 0.0)
    effects = told(call.handle(i.AnswerReceived(description(Setup.ACTIVE)), 0.0))
    assert effects[-1] == events.VideoRefused(CAMERA, "the peer does not take it")
    assert call.contents.halves is not None
    assert [half.media for half in call.contents.halves] == [{Media.AUDIO}] * 2
    call.handle(i.MediaSecured(facts()), 1.0)
    assert not any(isinstance(effect, e.ProposeContent) for effect in call.handle(i.MediaFlowing(), 1.0))
    assert call.handle(i.ShowVideo(CAMERA), 2.0) == [e.ProposeContent("1", CAMERA)]


def test_the_senders_of_the_answer_are_those_of_the_session() -> None:
    call = machine()
    for message in (i.Dial(video=True), i.PeerProceeded(), i.LocalDescription(described(video()))):
        call.handle(message, 0.0)
    call.handle(i.ContentsModified((("1", Senders.INITIATOR),)), 0.0)
    call.handle(i.AnswerReceived(described(video(senders=Senders.INITIATOR), setup=Setup.ACTIVE)), 0.0)
    assert call.contents.halves is not None
    assert [half.contents[1].senders for half in call.contents.halves] == [Senders.INITIATOR] * 2


# --- what this side adds ----------------------------------------------------------------------------------------------


def test_a_camera_is_added_and_shown_when_the_peer_takes_it() -> None:
    call, _ = active()
    name = asked(call)
    assert call.deadline == 2.0 + ANSWER_WITHIN
    effects = call.handle(i.ContentsAccepted((video(name),), ("0", name)), 3.0)
    assert told(effects) == [
        e.Settle,
        e.Show(CAMERA, name),
        shown(CAMERA, True, Origin.LOCAL),
        shown(CAMERA, True, Origin.REMOTE),
    ]
    assert isinstance(effects[0], e.Settle)
    assert effects[0].local.bundle == effects[0].remote.bundle == ("0", name)
    assert call.deadline is None


@pytest.mark.parametrize("text", ["", "the peer's program cannot take it"])
def test_a_refusal_is_told_and_the_voice_goes_on(text: str) -> None:
    call, _ = active()
    name = asked(call)
    assert told(call.handle(i.ContentsRejected((name,), text), 3.0)) == [
        e.Settle,
        events.VideoRefused(CAMERA, text or "the peer does not take it"),
    ]
    assert call.state is CallState.ACTIVE
    assert asked(call) != name


def test_what_the_media_cannot_make_is_told() -> None:
    call, _ = active()
    call.handle(i.ShowVideo(CAMERA), 2.0)
    effects = call.handle(i.ContentsFailed(("1",), "no number is left"), 2.0)
    assert told(effects) == [e.Settle, events.VideoRefused(CAMERA, "no number is left")]


@pytest.mark.parametrize("manners", [STANDARD, CONVERSATIONS])
def test_what_fails_while_the_peer_is_asked_is_taken_back_where_that_is_understood(manners: Manners) -> None:
    call, _ = active(manners=manners)
    name = asked(call)
    effects = call.handle(i.ContentsFailed((name,), "no path"), 3.0)
    taken: e.Effect = e.SendContentRemove((name,)) if manners.removes else OURS(e.Information.MUTE, name)
    assert told(effects) == [taken, e.Settle, events.VideoRefused(CAMERA, "no path")]


def test_nobody_who_answers_is_told_and_a_late_answer_is_taken() -> None:
    call, _ = active()
    name = asked(call)
    assert call.handle_timeout(2.0 + ANSWER_WITHIN - 1) == []
    assert told(call.handle_timeout(2.0 + ANSWER_WITHIN)) == [events.VideoRefused(CAMERA, "the peer does not answer")]
    assert call.deadline is None
    assert call.handle(i.ShowVideo(CAMERA), 100.0) == []
    assert call.deadline == 100.0 + ANSWER_WITHIN
    assert call.handle(i.ShowVideo(CAMERA), 120.0) == []
    assert call.deadline == 100.0 + ANSWER_WITHIN
    assert e.Show(CAMERA, name) in call.handle(i.ContentsAccepted((video(name),), (name,)), 130.0)


def test_what_is_hidden_before_the_answer_is_agreed_on_and_not_shown() -> None:
    call, _ = active()
    name = asked(call)
    assert call.handle(i.HideVideo(CAMERA), 2.5) == []
    effects = call.handle(i.ContentsAccepted((video(name),), (name,)), 3.0)
    assert told(effects) == [e.Settle, OURS(e.Information.MUTE, name), shown(CAMERA, True, Origin.REMOTE)]


def test_one_addition_at_a_time() -> None:
    call, _ = active(manners=SCREENS)
    name = asked(call)
    assert call.handle(i.ShowVideo(SCREEN), 2.5) == []
    effects = call.handle(i.ContentsAccepted((video(name),), (name,)), 3.0)
    assert e.ProposeContent("2", SCREEN) in effects


def test_a_screen_has_a_content_of_its_own_where_that_is_understood() -> None:
    call, _ = active(Direction.OUTGOING, video(), manners=SCREENS, video=True)
    name = asked(call, SCREEN)
    accepted = call.handle(i.ContentsAccepted((video(name),), (name,)), 3.0)
    assert e.Show(SCREEN, name) in accepted
    assert not any(isinstance(x, e.Show) and x.content is None for x in accepted)
    # The answer says no category: this side named it.
    assert shown(SCREEN, True, Origin.REMOTE) in told(accepted)


def test_a_screen_takes_the_place_of_the_camera_elsewhere() -> None:
    call, _ = active(Direction.OUTGOING, video(), video=True)
    assert told(call.handle(i.ShowVideo(SCREEN), 2.0)) == [
        e.Show(CAMERA, None),
        e.Show(SCREEN, "1"),
        shown(CAMERA, False, Origin.LOCAL),
        shown(SCREEN, True, Origin.LOCAL),
    ]
    assert told(call.handle(i.HideVideo(SCREEN), 3.0)) == [
        e.Show(SCREEN, None),
        e.Show(CAMERA, "1"),
        shown(CAMERA, True, Origin.LOCAL),
        shown(SCREEN, False, Origin.LOCAL),
    ]


def test_where_nothing_can_be_added_nothing_is_asked() -> None:
    call, _ = active(manners=Manners(adds=False))
    assert [type(x) for x in told(call.handle(i.ShowVideo(CAMERA), 2.0))] == [events.VideoRefused]


def test_a_session_has_no_room_for_ever() -> None:
    screens = [video(str(number), category=SCREEN_CATEGORY) for number in range(1, MAXIMUM_CONTENTS)]
    call, _ = active(Direction.OUTGOING, *screens)
    assert told(call.handle(i.ShowVideo(CAMERA), 2.0)) == [
        events.VideoRefused(CAMERA, "the call has no room for more video")
    ]
    effects = call.handle(i.ContentsAdded((video("more"),)), 3.0)
    assert told(effects) == [e.SendContentReject(("more",))]


def test_where_the_peer_may_not_be_sent_to_it_is_asked_whether_it_may() -> None:
    call, _ = active(Direction.OUTGOING, video(senders=Senders.RESPONDER))
    assert told(call.handle(i.ShowVideo(CAMERA), 2.0)) == [
        e.SendContentModify((("1", Senders.BOTH),)),
        e.Settle,
        e.Show(CAMERA, "1"),
        shown(CAMERA, True, Origin.LOCAL),
    ]
    effects = told(call.handle(i.ContentsRejected(("1",), "no"), 3.0))
    assert effects == [
        e.Settle,
        events.VideoRefused(CAMERA, "no"),
        e.Show(CAMERA, None),
        shown(CAMERA, False, Origin.LOCAL),
    ] or effects == [
        e.Settle,
        e.Show(CAMERA, None),
        shown(CAMERA, False, Origin.LOCAL),
    ]
    assert call.handle(i.ContentsRejected(("1",), "no"), 3.0) == []


def test_where_a_modification_is_not_understood_another_content_is_added() -> None:
    call, _ = active(Direction.OUTGOING, video(senders=Senders.RESPONDER), manners=CONVERSATIONS)
    assert call.handle(i.ShowVideo(CAMERA), 2.0) == [e.ProposeContent("2", CAMERA)]


def test_candidates_of_what_is_not_agreed_on_wait() -> None:
    call, _ = active()
    name = asked(call)
    assert call.handle(i.CandidatesReceived(name, (CANDIDATE,)), 2.0) == []
    assert call.handle(i.LocalCandidates(name, (CANDIDATE,)), 2.0) == [e.SendCandidates(name, (CANDIDATE,))]
    assert call.handle(i.LocalCandidates("void", (CANDIDATE,)), 2.0) == []
    assert e.AddCandidates(name, (CANDIDATE,)) in call.handle(i.ContentsAccepted((video(name),), (name,)), 3.0)
    assert call.handle(i.CandidatesReceived(name, (CANDIDATE,)), 4.0) == [e.AddCandidates(name, (CANDIDATE,))]


def test_addresses_told_with_a_content_are_noted() -> None:
    call, _ = active()
    fresh = replace(CANDIDATE, address="203.0.113.9")
    call.handle(i.ShowVideo(CAMERA), 2.0)
    half = video("1")
    half = replace(half, transport=replace(half.transport, candidates=(fresh,)))
    call.handle(i.LocalContents((half,), answering=False), 2.0)
    assert fresh.address in {seen.address for seen in call._evidence._trace.told}


# --- what the peer adds -----------------------------------------------------------------------------------------------


def test_what_the_peer_adds_is_taken_and_nothing_is_shown_in_it() -> None:
    call, _ = active()
    added = video("1")
    assert call.handle(i.ContentsAdded((added,), ("0", "1")), 2.0) == [e.AnswerContents((added,), ("0", "1"))]
    half = video("1", Senders.INITIATOR)
    effects = call.handle(i.LocalContents((half,), answering=True), 2.1)
    assert told(effects) == [
        e.SendContentAccept((video("1"),), ("0", "1")),
        e.Settle,
        OURS(e.Information.MUTE, "1"),
        shown(CAMERA, True, Origin.REMOTE),
    ]
    for muted in (True, False):
        effects = call.handle(i.PeerMuted(muted, "1"), 3.0)
        assert e.SetPeerMuted("1", muted) in effects
        assert told(effects)[-1] == shown(CAMERA, not muted, Origin.REMOTE)
        assert call.handle(i.PeerMuted(muted, "1"), 3.0) == []
    assert call.handle(i.PeerMuted(True, "9"), 3.0) == []


def test_the_screen_of_the_peer_is_called_one() -> None:
    call, _ = active()
    call.handle(i.ContentsAdded((video("s", Senders.RESPONDER, SCREEN_CATEGORY),)), 2.0)
    effects = call.handle(i.LocalContents((video("s"),), answering=True), 2.1)
    assert told(effects)[2:] == [shown(SCREEN, True, Origin.REMOTE)]
    (accept, *_) = effects
    assert isinstance(accept, e.SendContentAccept)
    assert (accept.contents[0].senders, accept.contents[0].category) == (Senders.RESPONDER, SCREEN_CATEGORY)


def test_what_the_user_wants_to_show_is_shown_in_what_the_peer_adds() -> None:
    call, _ = active(Direction.INCOMING)
    name = asked(call)
    (void, answer) = call.handle(i.ContentsAdded((video("9"),)), 3.0)
    assert (type(void), answer) == (e.Settle, e.AnswerContents((video("9"),)))
    assert e.Show(CAMERA, "9") in call.handle(i.LocalContents((video("9"),), answering=True), 3.1)
    assert call.handle(i.ContentsAccepted((video(name),), (name,)), 3.2) == []
    assert call.handle(i.ContentsRejected((name,)), 3.2) == []


def test_the_initiator_of_a_session_goes_first() -> None:
    call, _ = active()
    name = asked(call)
    assert call.handle(i.ContentsAdded((video(name),)), 3.0) == [e.SendContentReject((name,))]
    assert e.Show(CAMERA, name) in call.handle(i.ContentsAccepted((video(name),), (name,)), 3.1)


def test_what_the_initiator_has_not_said_yet_it_does_not_say() -> None:
    call, _ = active()
    (propose,) = call.handle(i.ShowVideo(CAMERA), 2.0)
    assert propose == e.ProposeContent("1", CAMERA)
    (void, answer) = call.handle(i.ContentsAdded((video("1"),)), 2.0)
    assert (type(void), answer) == (e.Settle, e.AnswerContents((video("1"),)))
    assert call.handle(i.LocalContents((video("1"),), answering=False), 2.0) == []
    assert e.Show(CAMERA, "1") in call.handle(i.LocalContents((video("1"),), answering=True), 2.0)


def test_what_is_no_video_what_is_there_and_what_the_media_leave_out_is_refused() -> None:
    call, _ = active(Direction.OUTGOING, video("1"))
    audio = replace(video("2"), media=Media.AUDIO)
    effects = call.handle(i.ContentsAdded((audio, video("1"), video("3"), video("4"))), 2.0)
    assert effects == [e.SendContentReject(("2", "1")), e.AnswerContents((video("3"), video("4")))]
    effects = call.handle(i.LocalContents((video("4"),), answering=True), 2.1)
    assert effects[:2] == [e.SendContentAccept((video("4"),), ()), e.SendContentReject(("3",))]
    call.handle(i.ContentsAdded((video("5"),)), 3.0)
    assert told(call.handle(i.LocalContents((), answering=True), 3.1)) == [e.SendContentReject(("5",)), e.Settle]
    assert call.handle(i.LocalContents((), answering=True), 3.2) == []


def test_what_nobody_vouches_for_is_not_taken_into_a_sealed_call() -> None:
    call, _ = active(vouched=True)
    assert call.handle(i.ContentsAdded((video("1"),)), 2.0) == [e.SendContentReject(("1",))]
    naked = replace(video("1"), transport=replace(video("1").transport, fingerprint=None))
    assert call.handle(i.ContentsAdded((naked,)), 2.0) == [e.SendContentReject(("1",))]
    assert call.handle(i.ContentsAdded((video("1", vouched=True),)), 2.0) == [
        e.AnswerContents((video("1", vouched=True),))
    ]
    call.handle(i.LocalContents((), answering=True), 2.0)
    name = asked(call)
    effects = told(call.handle(i.ContentsAccepted((video(name),), ("0", name)), 3.0))
    assert effects[0] == e.SendContentRemove((name,))
    assert isinstance(effects[-1], events.VideoRefused)


def test_an_answer_on_another_transport_than_was_offered_comes_to_nothing() -> None:
    call, _ = active()
    name = asked(call)
    effects = told(call.handle(i.ContentsAccepted((video(name),), ()), 3.0))
    assert effects[0] == e.SendContentRemove((name,))


def test_what_the_peer_takes_back_before_the_answer_is_void() -> None:
    call, _ = active()
    call.handle(i.ContentsAdded((video("1"),)), 2.0)
    assert call.handle(i.ContentsRemoved(("1",)), 2.1) == []
    assert told(call.handle(i.LocalContents((video("1"),), answering=True), 2.2)) == [e.Settle]
    # Nothing of this side waits for it any more.
    assert call.handle(i.ShowVideo(CAMERA), 3.0) == [e.ProposeContent("1", CAMERA)]


def test_a_peer_that_adds_and_takes_back_without_end_is_refused() -> None:
    call, _ = active()
    asked_of_media = 0
    for number in range(1_000):
        effects = call.handle(i.ContentsAdded((video(str(number)),)), 2.0)
        asked_of_media += any(isinstance(effect, e.AnswerContents) for effect in effects)
        call.handle(i.ContentsRemoved((str(number),)), 2.0)
    assert asked_of_media == MAXIMUM_CONTENTS
    for _ in range(MAXIMUM_CONTENTS):
        call.handle(i.LocalContents((), answering=True), 3.0)
    assert call.handle(i.ContentsAdded((video("1"),)), 4.0) == [e.AnswerContents((video("1"),))]


# --- what changes and goes --------------------------------------------------------------------------------------------


def test_the_peer_says_who_sends() -> None:
    call, _ = active(Direction.OUTGOING, video(), video=True)
    assert told(call.handle(i.ContentsModified((("1", Senders.RESPONDER),)), 2.0)) == [
        e.Settle,
        e.Show(CAMERA, None),
        shown(CAMERA, False, Origin.LOCAL),
    ]
    # The camera stays off until the user wants it again.
    assert told(call.handle(i.ContentsModified((("1", Senders.BOTH),)), 3.0)) == [
        e.Settle,
        OURS(e.Information.MUTE, "1"),
    ]
    assert call.handle(i.ContentsModified((("1", Senders.BOTH), ("9", Senders.BOTH))), 3.0) == []
    assert e.Show(CAMERA, "1") in call.handle(i.ShowVideo(CAMERA), 4.0)


def test_senders_changed_before_the_answer_are_those_of_the_answer() -> None:
    call, _ = active()
    name = asked(call)
    assert call.handle(i.ContentsModified(((name, Senders.INITIATOR),)), 3.0) == []
    effects = call.handle(i.ContentsAccepted((video(name, Senders.INITIATOR),), (name,)), 3.1)
    assert told(effects) == [e.Settle, e.Show(CAMERA, name), shown(CAMERA, True, Origin.LOCAL)]


def test_what_the_peer_takes_out_is_gone_and_the_camera_with_it() -> None:
    call, _ = active(Direction.OUTGOING, video(), video=True)
    assert told(call.handle(i.ContentsRemoved(("1",)), 2.0)) == [
        e.Settle,
        e.Show(CAMERA, None),
        shown(CAMERA, False, Origin.LOCAL),
        shown(CAMERA, False, Origin.REMOTE),
    ]
    assert call.handle(i.ContentsRemoved(("1", "0")), 2.0) == []
    assert call.contents.halves is not None
    assert call.contents.halves[0].bundle == ("0",)


def test_the_peer_takes_back_what_this_side_adds() -> None:
    call, _ = active()
    name = asked(call)
    effects = told(call.handle(i.ContentsRemoved((name,)), 3.0))
    assert effects == [e.Settle, events.VideoRefused(CAMERA, "the peer does not take it")]


@pytest.mark.parametrize("manners", [STANDARD, CONVERSATIONS])
@pytest.mark.parametrize("wanted", [False, True])
def test_pictures_that_fail_take_nothing_with_them(manners: Manners, wanted: bool) -> None:
    call, _ = active(Direction.OUTGOING, video(), video=wanted, manners=manners)
    effects = told(call.handle(i.ContentsFailed(("1", "9"), "no path"), 2.0))
    taken: e.Effect = e.SendContentRemove(("1",)) if manners.removes else OURS(e.Information.MUTE, "1")
    assert effects[:3] == [taken, e.Settle, events.VideoRefused(CAMERA, "no path")]
    assert shown(CAMERA, False, Origin.REMOTE) in effects
    assert call.state is CallState.ACTIVE


def test_what_became_of_a_camera_is_told() -> None:
    call, _ = active()
    lost = i.VideoReported(label=CAMERA, what=DeviceChange.LOST, device="Webcam", text="gone")
    assert told(call.handle(lost, 2.0)) == [
        events.VideoDeviceReported(label=CAMERA, what=DeviceChange.LOST, device="Webcam", text="gone")
    ]


def test_a_mute_before_the_answer_is_of_the_session_before() -> None:
    call = machine()
    for message in (i.Dial(video=True), i.PeerProceeded(), i.LocalDescription(described(video()))):
        call.handle(message, 0.0)
    call.handle(i.PeerMuted(True, "1"), 0.0)
    call.handle(i.AnswerReceived(described(video(), setup=Setup.ACTIVE)), 0.0)
    call.handle(i.MediaSecured(facts()), 1.0)
    assert shown(CAMERA, True, Origin.REMOTE) in told(call.handle(i.MediaFlowing(), 1.0))


# --- another session, and the end -------------------------------------------------------------------------------------


def test_a_call_that_moves_asks_anew_for_what_is_shown() -> None:
    call, _ = active(Direction.OUTGOING, video(), manners=SCREENS, video=True)
    screen = asked(call, SCREEN)
    call.handle(i.ContentsAccepted((video(screen),), (screen,)), 3.0)
    moved = told(call.handle(i.PeerMigrated(), 4.0))
    assert [x for x in moved if isinstance(x, events.VideoChanged)] == [
        shown(CAMERA, False, Origin.LOCAL),
        shown(SCREEN, False, Origin.LOCAL),
        shown(CAMERA, False, Origin.REMOTE),
        shown(SCREEN, False, Origin.REMOTE),
    ]
    call.handle(i.OfferReceived(described(video()), manners=SCREENS), 4.1)
    call.handle(i.LocalDescription(described(video(), setup=Setup.ACTIVE)), 4.2)
    assert e.Show(CAMERA, "1") in call.handle(i.MediaSecured(facts()), 4.3)
    assert e.ProposeContent("0", SCREEN) not in (last := call.handle(i.MediaFlowing(), 4.4))
    assert e.ProposeContent("2", SCREEN) in last


@pytest.mark.parametrize("with_video", [False, True])
def test_a_call_that_this_side_moves_keeps_its_media(with_video: bool) -> None:
    more = (video(),) if with_video else ()
    call, _ = active(Direction.INCOMING, *more)
    call.handle(i.MediaInterrupted(), 2.0)
    moved: list[e.Effect] = []
    while not any(isinstance(x, e.SendRenewal | e.Finish) for x in moved):
        assert call.deadline is not None
        moved = call.handle_timeout(call.deadline)
    assert e.SendRenewal(with_video) in moved
    opened = call.handle(i.PeerProceeded(), 61.0)
    assert [x.video for x in opened if isinstance(x, e.OpenMedia)] == [with_video]


def test_the_end_lets_everything_go_without_a_word() -> None:
    call, _ = active(Direction.OUTGOING, video(), video=True)
    effects = call.handle(i.HangUp(), 5.0)
    assert [type(x) for x in effects] == [e.SendEnd, e.CloseMedia, e.Finish]
    assert call.end is not None
    assert call.end.reason is EndReason.SUCCESS
    assert call.deadline is None


def test_wishes_before_the_call_is_active_wait_for_it() -> None:
    call = machine()
    assert call.handle(i.ShowVideo(CAMERA), 0.0) == []
    assert call.handle(i.HideVideo(SCREEN), 0.0) == []
    for message in (i.Dial(), i.PeerProceeded(), i.LocalDescription(description())):
        call.handle(message, 0.0)
    call.handle(i.AnswerReceived(description(Setup.ACTIVE)), 0.0)
    assert not any(isinstance(x, e.ProposeContent) for x in call.handle(i.MediaSecured(facts()), 1.0))
    assert e.ProposeContent("1", CAMERA) in call.handle(i.MediaFlowing(), 1.0)


def test_what_is_proposed_outlives_what_the_media_cannot_take_of_the_peer() -> None:
    call, _ = active(manners=SCREENS)
    name = asked(call, SCREEN)
    theirs = video("theirs", Senders.RESPONDER)
    assert call.handle(i.ContentsAdded((theirs,)), 2.5) == [e.AnswerContents((theirs,))]
    assert call.handle(i.LocalContents((), answering=True), 2.6) == [e.SendContentReject(("theirs",))]
    accepted = call.handle(i.ContentsAccepted((video(name),), ("0", name)), 3.0)
    assert any(isinstance(effect, e.Settle) for effect in accepted)
