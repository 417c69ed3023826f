"""Contents that come to a session, change and go: the requests of each client's style, and what the call is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from openvoice.core.description import MAXIMUM_CONTENTS, SCREEN_CATEGORY, Content, Senders, Setup
from openvoice.core.effects import (
    Information,
    SendContentAccept,
    SendContentAdd,
    SendContentModify,
    SendContentReject,
    SendContentRemove,
    SendEnd,
    SendInformation,
    SignallingEffect,
)
from openvoice.core.inputs import (
    CandidatesReceived,
    ContentsAccepted,
    ContentsAdded,
    ContentsModified,
    ContentsRejected,
    ContentsRemoved,
    Ended,
    PeerMuted,
)
from openvoice.core.types import EndReason, Role, VideoLabel
from openvoice.jingle.model import IceTransport, InformationKind, Jingle, RtpDescription, SessionInformation
from openvoice.jingle.outputs import Deliver, Output, ReplyError, ReplyResult, SendIq
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.peers import DeviceIdentity, PeerProfile, profile_of
from openvoice.jingle.session import Session, SessionState
from openvoice.jingle.sessions import perform_in
from tests.jingle.samples import (
    CANDIDATE,
    DIGEST,
    candidate,
    content,
    fingerprint,
    parsed,
    transport,
    trickled,
    video,
)
from tests.jingle.test_session import delivered, initiator, offering, requests, responder

STANDARD = PeerProfile()
CONVERSATIONS, DINO, MOVIM, STANZA = (
    profile_of(DeviceIdentity(node=node))
    for node in ("https://conversations.im", "https://dino.im", "https://moxl.movim.eu/", "https://stanzajs.org")
)
VP8 = "<payload-type id='97' name='VP8' clockrate='90000'/>"
OWN_TRANSPORT = transport(fingerprint(value=DIGEST[::-1].hex(":")), ufrag="own", pwd="own-password")
STUB = "<transport xmlns='urn:xmpp:jingle:transports:ice-udp:1'/>"
GROUP = (
    "<group xmlns='urn:xmpp:jingle:apps:grouping:0' semantics='BUNDLE'><content name='0'/><content name='1'/></group>"
)
BUNDLE = ("0", "1")


def pictures(name: str = "1", inner: str = OWN_TRANSPORT, senders: str = "both", codecs: str = VP8) -> str:
    return content(name, media="video", inner=inner, senders=senders, codecs=codecs)


def say(made: Session, effect: SignallingEffect) -> list[Output]:
    return perform_in(made, effect)


def hear(made: Session, action: str, inner: str = "") -> list[Output]:
    """What follows a request of the peer that is taken."""
    reply, *outputs = made.receive("q", parsed(action, inner))
    assert isinstance(reply, ReplyResult), reply
    return outputs


def refused(made: Session, action: str, inner: str) -> tuple[str, str]:
    (reply,) = made.receive("q", parsed(action, inner))
    assert isinstance(reply, ReplyError)
    return reply.condition, reply.jingle_condition


def sent(outputs: list[Output]) -> Jingle:
    (request,) = requests(outputs)
    return request


def ended(outputs: list[Output]) -> EndReason:
    (end,) = (message for message in delivered(outputs) if isinstance(message, Ended))
    return end.reason


def own(name: str = "1", setup: Setup = Setup.ACTPASS) -> Content:
    """A content of this side on a transport of its own."""
    return video(name, setup, "mine")


BOTH_ROLES: list[Callable[[PeerProfile], Session]] = [initiator, responder]


# --- what this side adds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", BOTH_ROLES)
@pytest.mark.parametrize("profile", [STANDARD, DINO, MOVIM, STANZA])
def test_an_addition_says_all_of_its_transport(make: Callable[[PeerProfile], Session], profile: PeerProfile) -> None:
    request = sent(say(make(profile), SendContentAdd((own(),))))
    (added,) = request.contents
    assert (request.action, request.bundle, added.name) == ("content-add", (), "1")
    assert isinstance(added.transport, IceTransport)
    assert (added.transport.ufrag, added.transport.fingerprints[0].setup) == ("mine", "actpass")
    assert isinstance(added.description, RtpDescription)
    assert added.description.media == "video"


def test_conversations_gets_a_stub_of_what_is_bundled_and_all_of_what_is_not() -> None:
    request = sent(say(initiator(CONVERSATIONS), SendContentAdd((video("1"),), BUNDLE)))
    assert (request.contents[0].transport, request.bundle) == (IceTransport(), BUNDLE)
    request = sent(say(initiator(CONVERSATIONS), SendContentAdd((own(),))))
    assert isinstance(request.contents[0].transport, IceTransport)
    assert request.contents[0].transport.ufrag == "mine"


def test_an_addition_is_accepted() -> None:
    made = initiator(STANDARD)
    say(made, SendContentAdd((own(),)))
    (accepted,) = delivered(hear(made, "content-accept", pictures(inner=accepting("own"))))
    assert isinstance(accepted, ContentsAccepted)
    assert accepted.contents[0].transport.ufrag == "own"
    assert accepted.bundle == ()
    assert made.remote is not None
    assert made.remote.content("1") == accepted.contents[0]
    # Once is enough.
    assert hear(made, "content-accept", pictures(inner=accepting("own"))) == []


def accepting(ufrag: str = "pEEr", setup: str = "active", value: str = DIGEST.hex(":")) -> str:
    pwd = "peer-password" if ufrag == "pEEr" else "own-password"
    return transport(fingerprint(setup, value=value), ufrag=ufrag, pwd=pwd)


@pytest.mark.parametrize("inner", [STUB, accepting(), transport()])
@pytest.mark.parametrize("group", ["", GROUP])
def test_what_is_accepted_in_the_bundle_has_the_transport_of_the_voice(inner: str, group: str) -> None:
    made = initiator(CONVERSATIONS)
    say(made, SendContentAdd((video("1"),), BUNDLE))
    (accepted,) = delivered(hear(made, "content-accept", group + pictures(inner=inner)))
    assert isinstance(accepted, ContentsAccepted)
    assert accepted.bundle == BUNDLE
    assert accepted.contents[0].transport.credentials == ("pEEr", "peer-password")
    assert made.remote is not None
    assert made.remote.bundle == BUNDLE


def test_an_addition_is_rejected() -> None:
    made = initiator(STANDARD)
    say(made, SendContentAdd((own(),)))
    outputs = hear(made, "content-reject", "<content name='1'/><content name='9'/>")
    assert delivered(outputs) == [ContentsRejected(("1",))]
    assert hear(made, "content-reject", "<content name='1'/>") == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("conflict", ""),
        ("feature-not-implemented", "the peer's program cannot take it"),
        ("item-not-found", "the peer's program cannot take it"),
        ("service-unavailable", "the peer's device cannot be reached"),
        ("lost", "the peer's device cannot be reached"),
    ],
)
def test_an_addition_that_the_peer_cannot_take_ends_nothing(error: str, text: str) -> None:
    made = initiator(STANDARD)
    (request,) = say(made, SendContentAdd((own(),)))
    assert isinstance(request, SendIq)
    assert delivered(made.request_finished(request.id, error) or []) == [ContentsRejected(("1",), text)]
    assert made.state is SessionState.ACTIVE
    assert not made.contents.pending


def test_a_peer_that_sleeps_may_still_accept() -> None:
    made = initiator(STANDARD)
    (request,) = say(made, SendContentAdd((own(),)))
    assert isinstance(request, SendIq)
    assert made.request_finished(request.id, "timeout") == []
    assert delivered(hear(made, "content-accept", pictures(inner=accepting("own"))))
    (again,) = say(made, SendContentAdd((own("2"),)))
    assert isinstance(again, SendIq)
    assert made.request_finished(again.id, None) == []


@pytest.mark.parametrize(
    "inner",
    [
        pictures(inner=accepting("own"), codecs=""),
        pictures(inner=accepting("own", setup="actpass")),
        pictures(inner=transport(ufrag="own", pwd="own-password")),
        content("1", inner=accepting("own")),
    ],
)
@pytest.mark.parametrize("profile", [STANDARD, CONVERSATIONS])
def test_an_answer_that_cannot_be_used_is_no_answer(inner: str, profile: PeerProfile) -> None:
    made = initiator(profile)
    say(made, SendContentAdd((own(),)))
    told, *removal = hear(made, "content-accept", inner)
    assert isinstance(told, Deliver)
    assert isinstance(told.message, ContentsRejected)
    assert [request.action for request in requests(removal)] == (["content-remove"] if profile.removes else [])
    assert made.state is SessionState.ACTIVE


def test_an_answer_with_another_key_in_the_bundle_ends_the_call() -> None:
    made = initiator(STANDARD)
    say(made, SendContentAdd((video("1"),), BUNDLE))
    outputs = hear(made, "content-accept", GROUP + pictures(inner=accepting("own", value=DIGEST[::-1].hex(":"))))
    assert ended(outputs) is EndReason.SECURITY_ERROR


@pytest.mark.parametrize("profile", [STANDARD, DINO])
def test_an_answer_to_what_was_given_up_is_taken_out_where_that_is_understood(profile: PeerProfile) -> None:
    outputs = hear(initiator(profile), "content-accept", pictures("7"))
    assert [request.action for request in requests(outputs)] == (["content-remove"] if profile.removes else [])


def test_candidates_of_what_is_not_answered_yet_go_both_ways() -> None:
    made = initiator(STANDARD)
    say(made, SendContentAdd((own(),)))
    trickle = sent(made.trickle("1", (candidate(),)))
    assert isinstance(trickle.contents[0].transport, IceTransport)
    assert trickle.contents[0].transport.ufrag == "mine"
    (heard,) = delivered(hear(made, "transport-info", trickled(CANDIDATE, "1", "own", "own-password")))
    assert isinstance(heard, CandidatesReceived)
    assert heard.content == "1"


# --- what the peer adds -----------------------------------------------------------------------------------------------


def test_what_is_added_is_told_and_accepted_with_the_senders_it_has() -> None:
    made = initiator(STANDARD)
    (added,) = delivered(hear(made, "content-add", pictures(senders="responder")))
    assert isinstance(added, ContentsAdded)
    assert added.bundle == ()
    assert (added.contents[0].name, added.contents[0].senders) == ("1", Senders.RESPONDER)
    answer = replace(own(setup=Setup.ACTIVE), senders=Senders.RESPONDER)
    request = sent(say(made, SendContentAccept((answer,))))
    assert (request.action, request.bundle, request.contents[0].senders) == ("content-accept", (), Senders.RESPONDER)
    assert isinstance(request.contents[0].transport, IceTransport)
    assert request.contents[0].transport.fingerprints[0].setup == "active"
    assert made.remote is not None
    assert made.remote.content("1") is not None
    assert not made.contents.pending


def test_a_screen_is_one_by_its_category() -> None:
    category = f"<category xmlns='urn:xmpp:jingle:apps:category:0' name='{SCREEN_CATEGORY}'/>"
    for inner in (category + OWN_TRANSPORT, OWN_TRANSPORT):
        (added,) = delivered(hear(initiator(STANDARD), "content-add", pictures(inner=inner)))
        assert isinstance(added, ContentsAdded)
        assert added.contents[0].label is (VideoLabel.SCREEN if category in inner else VideoLabel.CAMERA)
    inside = pictures().replace("<rtcp-mux/>", f"<rtcp-mux/>{category}")
    (added,) = delivered(hear(initiator(STANDARD), "content-add", inside))
    assert isinstance(added, ContentsAdded)
    assert added.contents[0].label is VideoLabel.SCREEN
    request = sent(say(initiator(STANDARD), SendContentAdd((replace(own(), category=SCREEN_CATEGORY),))))
    assert request.contents[0].category == SCREEN_CATEGORY


@pytest.mark.parametrize("profile", [STANDARD, CONVERSATIONS])
@pytest.mark.parametrize("inner", [STUB, transport(fingerprint())])
def test_what_is_added_to_the_bundle_is_accepted_as_it_came(profile: PeerProfile, inner: str) -> None:
    made = responder(profile)
    (added,) = delivered(hear(made, "content-add", GROUP + pictures(inner=inner)))
    assert isinstance(added, ContentsAdded)
    assert added.bundle == BUNDLE
    assert added.contents[0].transport.credentials == ("pEEr", "peer-password")
    request = sent(say(made, SendContentAccept((video("1"),), BUNDLE)))
    assert request.bundle == BUNDLE
    written = request.contents[0].transport
    assert isinstance(written, IceTransport)
    assert written.stub is (profile.stubs or inner == STUB)
    # The roles of the voice are settled: an answer says which.
    assert written.stub or written.fingerprints[0].setup == "active"


def test_what_says_another_key_than_its_bundle_ends_the_call() -> None:
    outputs = hear(initiator(STANDARD), "content-add", GROUP + pictures())
    assert ended(outputs) is EndReason.SECURITY_ERROR


@pytest.mark.parametrize(
    ("inner", "profile", "actions"),
    [
        (pictures(codecs=""), STANDARD, ["content-reject"]),
        (pictures(inner=""), STANDARD, ["content-reject"]),
        (pictures(inner=transport(ufrag="own", pwd="own-password")), STANDARD, ["content-reject"]),
        (pictures(senders="none"), STANDARD, ["content-reject"]),
        (pictures(codecs=""), DINO, []),
        (pictures(codecs=""), MOVIM, ["session-accept"]),
    ],
)
def test_what_cannot_be_read_is_refused_in_the_way_that_is_understood(
    inner: str, profile: PeerProfile, actions: list[str]
) -> None:
    made = initiator(profile)
    assert [request.action for request in requests(hear(made, "content-add", inner))] == actions
    assert made.state is SessionState.ACTIVE


@pytest.mark.parametrize("profile", [STANDARD, DINO])
def test_what_the_call_does_not_take_is_refused(profile: PeerProfile) -> None:
    made = initiator(profile)
    hear(made, "content-add", pictures(senders="responder"))
    outputs = say(made, SendContentReject(("1", "9")))
    if not profile.rejects:
        assert outputs == []
        return
    (refusal,) = sent(outputs).contents
    assert (refusal.name, refusal.senders, refusal.transport) == ("1", Senders.RESPONDER, IceTransport())
    assert refusal.description == RtpDescription(media="video")


def test_a_name_that_is_in_use_is_out_of_order() -> None:
    made = initiator(STANDARD)
    hear(made, "content-add", pictures("1"))
    for inner in (content("0"), pictures("1"), pictures("2") + pictures("2")):
        assert refused(made, "content-add", inner) == ("unexpected-request", "out-of-order")
    assert hear(made, "content-add", pictures("2"))


def test_a_peer_cannot_add_for_ever() -> None:
    made = initiator(STANDARD)
    for number in range(1, 100):
        outputs = hear(made, "content-add", pictures(f"v{number}", inner=OWN_TRANSPORT))
        assert len(delivered(outputs)) == (number < MAXIMUM_CONTENTS)
    assert len(made.contents.pending) == MAXIMUM_CONTENTS - 1


def test_nothing_is_added_before_the_answer() -> None:
    made = offering()
    assert sent(hear(made, "content-add", pictures())).action == "content-reject"
    assert hear(made, "content-modify", pictures()) == []
    assert hear(made, "content-accept", pictures()) == []


def test_what_was_taken_back_meanwhile_is_not_accepted() -> None:
    made = initiator(STANDARD)
    hear(made, "content-add", pictures())
    assert delivered(hear(made, "content-remove", "<content name='1'/>")) == [ContentsRemoved(("1",))]
    assert say(made, SendContentAccept((own(),))) == []
    assert say(made, SendContentReject(("1",))) == []
    assert hear(made, "content-remove", "<content name='1'/>") == []


# --- both at once -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1", "2"])
def test_the_initiator_refuses_what_ties_with_its_own(name: str) -> None:
    made = initiator(STANDARD)
    say(made, SendContentAdd((own(),)))
    assert refused(made, "content-add", pictures(name)) == ("conflict", "tie-break")
    assert delivered(hear(made, "content-accept", pictures(inner=accepting("own"))))


def test_the_responder_gives_up_its_own() -> None:
    made = responder(STANDARD)
    (request,) = say(made, SendContentAdd((own(),)))
    assert isinstance(request, SendIq)
    (added,) = delivered(hear(made, "content-add", pictures()))
    assert isinstance(added, ContentsAdded)
    assert made.request_finished(request.id, "conflict") == []
    assert sent(say(made, SendContentAccept((own(setup=Setup.ACTIVE),)))).action == "content-accept"


def test_a_screen_and_a_camera_do_not_tie() -> None:
    made = responder(STANDARD)
    say(made, SendContentAdd((replace(own(), category=SCREEN_CATEGORY),)))
    hear(made, "content-add", pictures("2"))
    assert made.contents.pending == {"1", "2"}


def test_what_was_given_up_for_nothing_is_told() -> None:
    made = responder(STANDARD)
    say(made, SendContentAdd((own(),)))
    outputs = hear(made, "content-add", pictures(codecs=""))
    assert delivered(outputs) == [ContentsRejected(("1",))]
    assert sent(outputs).action == "content-reject"


# --- what changes and goes --------------------------------------------------------------------------------------------


def with_pictures(make: Callable[[PeerProfile], Session], profile: PeerProfile = STANDARD) -> Session:
    made = make(profile)
    hear(made, "content-add", pictures())
    say(made, SendContentAccept((own(setup=Setup.ACTIVE),)))
    return made


@pytest.mark.parametrize("make", BOTH_ROLES)
def test_the_peer_says_who_sends(make: Callable[[PeerProfile], Session]) -> None:
    made = with_pictures(make)
    inner = "<content name='1' senders='initiator'/><content name='9' senders='both'/><content name='0'/>"
    assert delivered(hear(made, "content-modify", inner)) == [ContentsModified((("1", Senders.INITIATOR),))]
    nobody = Senders(made.role.other.value)
    assert delivered(hear(made, "content-modify", "<content name='1' senders='none'/>")) == [
        ContentsModified((("1", nobody),)),
        PeerMuted(True, "1"),
    ]


def test_senders_may_change_before_the_answer() -> None:
    made = initiator(DINO)
    say(made, SendContentAdd((own(),)))
    inner = "<content name='1' senders='initiator'/>"
    assert delivered(hear(made, "content-modify", inner)) == [ContentsModified((("1", Senders.INITIATOR),))]
    (accepted,) = delivered(hear(made, "content-accept", pictures(inner=accepting("own"), senders="initiator")))
    assert isinstance(accepted, ContentsAccepted)
    assert accepted.contents[0].senders is Senders.INITIATOR


@pytest.mark.parametrize("error", [None, "bad-request", "item-not-found", "timeout"])
def test_this_side_asks_for_other_senders(error: str | None) -> None:
    made = with_pictures(initiator)
    hear(made, "content-modify", "<content name='1' senders='responder'/>")
    (request,) = say(made, SendContentModify((("1", Senders.BOTH), ("9", Senders.BOTH))))
    assert isinstance(request, SendIq)
    (asked,) = parse_jingle(request.payload).contents
    assert (asked.name, asked.description) == ("1", None)
    # XEP-0166, 7.3 wants it said here, the default too.
    assert request.payload[0].get("senders") == "both"
    outputs = made.request_finished(request.id, error) or []
    refused = error in ("bad-request", "item-not-found")
    assert delivered(outputs) == ([ContentsRejected(("1",), "the peer's program cannot take it")] if refused else [])
    content = made.remote.content("1") if made.remote is not None else None
    assert content is not None
    assert content.senders is (Senders.RESPONDER if refused else Senders.BOTH)
    assert made.state is SessionState.ACTIVE


def test_contents_are_taken_out_by_either_side() -> None:
    made = with_pictures(initiator)
    assert delivered(hear(made, "content-remove", "<content name='1'/>")) == [ContentsRemoved(("1",))]
    assert made.remote is not None
    assert made.remote.content("1") is None
    made = with_pictures(initiator)
    request = sent(say(made, SendContentRemove(("1", "9"))))
    assert (request.action, [content.name for content in request.contents]) == ("content-remove", ["1"])
    say(made, SendContentAdd((own("2"),)))
    assert sent(say(made, SendContentRemove(("2",)))).contents[0].name == "2"
    assert not made.contents.pending


def test_a_call_that_loses_its_voice_is_over() -> None:
    made = with_pictures(initiator)
    outputs = hear(made, "content-remove", "<content name='0'/>")
    assert ended(outputs) is EndReason.SUCCESS


def test_mute_of_pictures() -> None:
    made = with_pictures(initiator)
    said = sent(say(made, SendInformation(Information.MUTE, "1")))
    assert said.information == SessionInformation(InformationKind.MUTE, "1")
    info = "<mute xmlns='urn:xmpp:jingle:apps:rtp:info:1' creator='initiator' name='1'/>"
    assert delivered(hear(made, "session-info", info)) == [PeerMuted(True, "1")]


def test_what_a_session_does_not_say_says_nothing() -> None:
    assert say(initiator(STANDARD), SendEnd(EndReason.SUCCESS)) == []


# --- Movim ------------------------------------------------------------------------------------------------------------


def names(request: Jingle) -> list[str]:
    return [content.name for content in request.contents]


def test_movim_gets_everything_once_all_is_answered() -> None:
    made = responder(MOVIM)
    both = pictures("1") + pictures("2", codecs="")
    assert requests(hear(made, "content-add", both)) == []
    request = sent(say(made, SendContentAccept((own(setup=Setup.ACTIVE),))))
    assert (request.action, names(request)) == ("session-accept", ["0", "1", "2"])
    gone = sent(hear(made, "content-remove", "<content name='1'/>"))
    assert (gone.action, names(gone)) == ("session-accept", ["0", "2"])
    gone = sent(hear(made, "content-remove", "<content name='2'/>"))
    assert names(gone) == ["0"]


def test_movim_offers_everything_anew() -> None:
    made = responder(MOVIM)
    everything = content("0") + pictures("1", senders="initiator")
    (added,) = delivered(hear(made, "content-modify", everything))
    assert isinstance(added, ContentsAdded)
    assert names(sent(say(made, SendContentReject(("1",))))) == ["0", "1"]
    assert names(sent(hear(made, "content-modify", everything))) == ["0", "1"]


@pytest.mark.parametrize("make", BOTH_ROLES)
def test_movim_names_the_right_senders_only_as_the_initiator(make: Callable[[PeerProfile], Session]) -> None:
    made = with_pictures(make, MOVIM)
    outputs = hear(made, "content-modify", "<content name='1' senders='initiator'/>")
    who = Senders.INITIATOR if made.role is Role.RESPONDER else Senders.BOTH
    assert delivered(outputs) == [ContentsModified((("1", who),))]
    assert sent(outputs).action == "session-accept"


def test_movim_answers_with_everything() -> None:
    made = initiator(MOVIM)
    say(made, SendContentAdd((own(),)))
    outputs = hear(made, "session-accept", content(inner=accepting()) + pictures(inner=accepting("own")))
    (accepted,) = delivered(outputs)
    assert isinstance(accepted, ContentsAccepted)
    assert accepted.contents[0].senders is Senders.BOTH
    other = content(inner=accepting(value=DIGEST[::-1].hex(":")))
    say(made, SendContentAdd((own("2"),)))
    assert ended(hear(made, "session-accept", other)) is EndReason.SECURITY_ERROR


def test_where_both_add_the_same_movim_gets_an_answer_without_its_own() -> None:
    made = initiator(MOVIM)
    hear(made, "content-add", pictures())
    say(made, SendContentAdd((own(),)))
    assert names(sent(say(made, SendContentReject(("1",))))) == ["0"]
