from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.description import Setup
from openvoice.core.effects import Information
from openvoice.core.inputs import (
    AnswerReceived,
    CandidatesReceived,
    ContentsRejected,
    Ended,
    OfferReceived,
    RestartReceived,
    RestartRefused,
    WordsReceived,
)
from openvoice.core.types import CallId, EndReason, Origin, Role
from openvoice.core.words import Step, WordsMessage
from openvoice.jingle import namespaces as ns
from openvoice.jingle.limits import MAXIMUM_EARLY
from openvoice.jingle.model import IceTransport, Jingle, JingleAction
from openvoice.jingle.outputs import Deliver, Forget, Output, ReplyError, ReplyResult, SendIq
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.peers import PeerProfile, Restarts
from openvoice.jingle.session import Session, SessionState
from openvoice.jingle.words import serialize_words
from tests.jingle.samples import (
    CANDIDATE,
    DIGEST,
    OWN,
    PEER,
    candidate,
    content,
    description,
    fingerprint,
    ids,
    kinds,
    parsed,
    transport,
    trickled,
    video,
)

CALL = CallId("call")
RESTARTS = PeerProfile(restarts=Restarts.BOTH)
REFUSES = PeerProfile(restarts=Restarts.NOBODY)
ACCEPT = content(inner=transport(fingerprint("active")))
OFFER = parsed("session-initiate", content())
OTHER = DIGEST[::-1].hex(":")


def session(role: Role = Role.INITIATOR, profile: PeerProfile = RESTARTS) -> Session:
    return Session(call=CALL, sid="sid", peer=PEER, role=role, profile=profile, new_id=ids(), proposed=None)


def offering() -> Session:
    """An initiator whose offer has left."""
    made = session()
    made.initiate(description(), OWN)
    return made


def initiator(profile: PeerProfile = RESTARTS) -> Session:
    """An initiator whose offer was answered."""
    made = session(profile=profile)
    made.initiate(description(), OWN)
    made.receive("q", parsed("session-accept", ACCEPT))
    assert made.state is SessionState.ACTIVE
    return made


def responder(profile: PeerProfile = RESTARTS) -> Session:
    """A responder that has answered."""
    made = session(Role.RESPONDER, profile)
    made.ring_with(OFFER)
    made.accept(description(Setup.ACTIVE))
    return made


def delivered(outputs: list[Output]) -> list[object]:
    return [output.message for output in outputs if isinstance(output, Deliver)]


def requests(outputs: list[Output]) -> list[Jingle]:
    return [parse_jingle(output.payload) for output in outputs if isinstance(output, SendIq)]


def ended(outputs: list[Output]) -> Ended:
    (message,) = (message for message in delivered(outputs) if isinstance(message, Ended))
    assert isinstance(outputs[-1], Forget)
    return message


def test_an_offer_names_the_initiator_and_the_bundle() -> None:
    (request,) = requests(session().initiate(description(), OWN))
    assert (request.action, request.initiator, request.bundle) == (JingleAction.SESSION_INITIATE, str(OWN), ("0",))


def test_the_offer_of_a_peer_that_wants_all_candidates() -> None:
    received = session(Role.RESPONDER, PeerProfile(gather_fully=True)).ring_with(OFFER)
    assert isinstance(received, OfferReceived)
    assert (received.announce, received.gather_fully) == (True, True)


@pytest.mark.parametrize("action", [action for action in JingleAction if action not in ("session-accept",)])
def test_every_request_is_answered_first(action: JingleAction) -> None:
    for made in (initiator(), responder()):
        outputs = made.receive("q7", parsed(action))
        assert isinstance(outputs[0], ReplyResult | ReplyError)
        assert outputs[0].id == "q7"


@pytest.mark.parametrize("made", [initiator, responder])
def test_an_answer_comes_once_and_to_the_initiator(made: object) -> None:
    assert callable(made)
    (reply,) = made().receive("q", parsed("session-accept", ACCEPT))
    assert isinstance(reply, ReplyError)
    assert (reply.condition, reply.jingle_condition) == ("unexpected-request", "out-of-order")


def test_an_answer_to_another_medium_is_refused() -> None:
    made = session()
    made.initiate(description(), OWN)
    outputs = made.receive("q", parsed("session-accept", ACCEPT.replace("audio", "video")))
    assert kinds(outputs) == ["ReplyResult", "SendIq", "Deliver", "Forget"]
    assert ended(outputs).reason is EndReason.SECURITY_ERROR


def test_candidates_before_the_answer_are_kept_in_order_and_bounded() -> None:
    made = session()
    made.initiate(description(), OWN)
    for number in range(MAXIMUM_EARLY + 10):
        written = CANDIDATE.replace("41000", str(41000 + number))
        assert kinds(made.receive("q", parsed("transport-info", trickled(written)))) == ["ReplyResult"]
    messages = delivered(made.receive("q", parsed("session-accept", ACCEPT)))
    assert isinstance(messages[0], AnswerReceived)
    ports = [message.candidates[0].port for message in messages if isinstance(message, CandidatesReceived)]
    assert ports == list(range(41000, 41000 + MAXIMUM_EARLY))


def test_a_wrong_fingerprint_before_the_answer_counts_when_the_answer_is_there() -> None:
    made = session()
    made.initiate(description(), OWN)
    for _ in range(2):
        made.receive("q", parsed("transport-info", trickled(CANDIDATE + fingerprint("active", value=OTHER))))
    outputs = made.receive("q", parsed("session-accept", ACCEPT))
    assert ended(outputs).reason is EndReason.SECURITY_ERROR


@pytest.mark.parametrize("action", ["transport-info", "content-add", "content-modify", "description-info"])
@pytest.mark.parametrize("written", [fingerprint("active", value=OTHER), fingerprint(algorithm="sha-1")])
def test_a_changed_fingerprint_ends_the_call(action: str, written: str) -> None:
    outputs = initiator().receive("q", parsed(action, content(inner=transport(written))))
    assert kinds(outputs) == ["ReplyResult", "SendIq", "Deliver", "Forget"]
    assert ended(outputs) == Ended(EndReason.SECURITY_ERROR, Origin.LOCAL, ended(outputs).text)


def test_the_same_fingerprint_again_changes_nothing() -> None:
    outputs = initiator().receive("q", parsed("transport-info", trickled(CANDIDATE + fingerprint("active"))))
    assert kinds(outputs) == ["ReplyResult", "Deliver"]


def test_a_new_content_may_have_a_certificate_of_its_own() -> None:
    added = content("video", media="video", inner=transport(fingerprint(value=OTHER), ufrag="own"))
    assert kinds(initiator().receive("q", parsed("content-add", added))) == ["ReplyResult", "Deliver"]


def test_candidates_of_unknown_contents_are_ignored() -> None:
    outputs = initiator().receive("q", parsed("transport-info", trickled(CANDIDATE, "video", ufrag="new")))
    assert kinds(outputs) == ["ReplyResult"]


def test_one_request_for_each_candidate_with_the_credentials_of_the_description() -> None:
    made = initiator()
    sent = requests(made.trickle("0", (candidate(1), candidate(2))))
    assert [request.action for request in sent] == [JingleAction.TRANSPORT_INFO] * 2
    for request, port in zip(sent, (1, 2), strict=True):
        (only,) = request.contents
        assert only.transport == IceTransport(ufrag="uf", pwd="password", candidates=(candidate(port),))
        assert only.description is None


class TestRestart:
    NEW = (("0", "fresh", "fresh-password"),)

    def begin(self, made: Session) -> SendIq:
        (request,) = made.restart(self.NEW, answering=False)
        assert isinstance(request, SendIq)
        return request

    def test_candidates_wait_for_the_result(self) -> None:
        made = initiator()
        request = self.begin(made)
        assert made.trickle("0", (candidate(),)) == []
        outputs = made.request_finished(request.id, None)
        assert outputs is not None
        (sent,) = requests(outputs)
        assert sent.contents[0].transport == IceTransport(
            ufrag="fresh", pwd="fresh-password", candidates=(candidate(),)
        )

    @pytest.mark.parametrize(
        ("error", "unreached"),
        [("conflict", False), ("feature-not-implemented", False), ("lost", True), ("service-unavailable", True)],
    )
    def test_a_refusal_leaves_the_call_as_it_is(self, error: str, unreached: bool) -> None:
        made = initiator()
        request = self.begin(made)
        made.trickle("0", (candidate(),))
        outputs = made.request_finished(request.id, error)
        assert outputs == [Deliver(CALL, RestartRefused(unreached))]
        assert made.trickle("0", (candidate(),)) == []
        assert made.state is SessionState.ACTIVE

    def test_a_peer_that_slept_may_still_answer(self) -> None:
        made = initiator()
        request = self.begin(made)
        made.trickle("0", (candidate(),))
        assert made.request_finished(request.id, "timeout") == []
        outputs = made.receive("q", parsed("transport-info", trickled(CANDIDATE, ufrag="new")))
        assert kinds(outputs) == ["ReplyResult", "Deliver", "SendIq", "Deliver"]
        assert delivered(outputs)[0] == RestartReceived((("0", "new", "peer-password"),), ours=True)

    def test_an_answer_to_an_attempt_that_was_given_up_begins_nothing(self) -> None:
        """Both sides would answer each other for ever."""
        made = initiator()
        made.request_finished(self.begin(made).id, "service-unavailable")
        late = parsed("transport-info", trickled(CANDIDATE, ufrag="new"))
        for request in ("q", "r"):
            assert made.receive(request, late) == [ReplyResult(request, PEER)]

    def test_it_is_not_tried_with_peers_that_do_not_know_it(self) -> None:
        made = initiator(REFUSES)
        assert made.restart(self.NEW, answering=False) == [Deliver(CALL, RestartRefused())]
        assert made.trickle("0", (candidate(),)) == []

    def test_a_peer_that_did_it_once_knows_it(self) -> None:
        made = initiator(REFUSES)
        made.receive("q", parsed("transport-info", trickled(ufrag="new")))
        made.restart(self.NEW, answering=True)
        assert kinds(made.restart((("0", "again", "p"),), answering=False)) == ["SendIq"]

    def test_glare_the_initiator_stays(self) -> None:
        """ICE-03."""
        made = initiator()
        self.begin(made)
        (reply,) = made.receive("q", parsed("transport-info", trickled(ufrag="new")))
        assert isinstance(reply, ReplyError)
        assert (reply.condition, reply.jingle_condition) == ("conflict", "tie-break")

    def test_glare_the_responder_gives_way(self) -> None:
        made = responder()
        request = self.begin(made)
        made.trickle("0", (candidate(),))
        outputs = made.receive("q", parsed("transport-info", trickled(ufrag="new")))
        assert kinds(outputs) == ["ReplyResult", "Deliver"]
        assert delivered(outputs) == [RestartReceived((("0", "new", "peer-password"),), ours=False)]
        assert made.request_finished(request.id, "conflict") == []
        assert made.restart((("0", "answer", "p"),), answering=True) == []
        (sent,) = requests(made.trickle("0", (candidate(),)))
        assert isinstance(sent.contents[0].transport, IceTransport)
        assert sent.contents[0].transport.ufrag == "answer"

    def test_a_confirmation_that_overtakes_the_result(self) -> None:
        made = initiator()
        request = self.begin(made)
        made.trickle("0", (candidate(),))
        outputs = made.receive("q", parsed("transport-info", trickled(CANDIDATE, ufrag="new")))
        assert kinds(outputs) == ["ReplyResult", "Deliver", "SendIq", "Deliver"]
        assert isinstance(delivered(outputs)[0], RestartReceived)
        assert made.request_finished(request.id, None) == []

    def test_a_restart_with_fingerprint_is_answered_in_its_form(self) -> None:
        made = responder()
        made.receive("q", parsed("transport-info", trickled(fingerprint("actpass"), ufrag="new")))
        (sent,) = requests(made.restart((("0", "answer", "p"), ("gone", "x", "y")), answering=True))
        known, unknown = (item.transport for item in sent.contents)
        assert isinstance(known, IceTransport)
        assert isinstance(unknown, IceTransport)
        assert (known.ufrag, len(known.fingerprints), len(unknown.fingerprints)) == ("answer", 1, 0)

    def test_an_answer_in_the_form_of_an_offer_is_an_answer(self) -> None:
        """S-02: stanza.io, which begins only as the initiator."""
        made = initiator(PeerProfile(restarts=Restarts.INITIATOR))
        self.begin(made)
        outputs = made.receive("q", parsed("transport-info", trickled(fingerprint("active"), ufrag="new")))
        assert delivered(outputs) == [RestartReceived((("0", "new", "peer-password"),), ours=True)]

    def test_before_the_answer_nothing_is_a_restart(self) -> None:
        made = session(Role.RESPONDER)
        made.ring_with(OFFER)
        outputs = made.receive("q", parsed("transport-info", trickled(CANDIDATE, ufrag="new")))
        assert [type(message) for message in delivered(outputs)] == [CandidatesReceived]


class TestOwnRequests:
    @pytest.mark.parametrize(
        ("error", "reason", "origin"),
        [
            ("service-unavailable", EndReason.GONE, Origin.NETWORK),
            ("remote-server-timeout", EndReason.GONE, Origin.NETWORK),
            ("item-not-found", EndReason.GONE, Origin.REMOTE),
        ],
    )
    def test_an_offer_to_nobody(self, error: str, reason: EndReason, origin: Origin) -> None:
        made = session()
        (request,) = made.initiate(description(), OWN)
        assert isinstance(request, SendIq)
        outputs = made.request_finished(request.id, error)
        assert outputs is not None
        assert kinds(outputs) == ["Deliver", "Forget"]
        assert (ended(outputs).reason, ended(outputs).origin) == (reason, origin)

    def test_an_answer_that_nobody_acknowledges_is_left_to_the_media(self) -> None:
        made = session(Role.RESPONDER)
        made.ring_with(OFFER)
        (request,) = made.accept(description(Setup.ACTIVE))
        assert isinstance(request, SendIq)
        assert made.request_finished(request.id, "timeout") == []

    @pytest.mark.parametrize("error", ["bad-request", "not-acceptable"])
    def test_a_description_that_is_refused_ends_the_session_in_order(self, error: str) -> None:
        made = session(Role.RESPONDER)
        made.ring_with(OFFER)
        (request,) = made.accept(description(Setup.ACTIVE))
        assert isinstance(request, SendIq)
        outputs = made.request_finished(request.id, error)
        assert outputs is not None
        assert kinds(outputs) == ["SendIq", "Deliver", "Forget"]
        assert ended(outputs).reason is EndReason.FAILED_APPLICATION

    def test_a_late_timeout_of_an_offer_that_was_answered(self) -> None:
        made = session()
        (request,) = made.initiate(description(), OWN)
        assert isinstance(request, SendIq)
        made.receive("q", parsed("session-accept", ACCEPT))
        assert made.request_finished(request.id, "timeout") == []

    @pytest.mark.parametrize("error", ["timeout", "not-authorized", "bad-request", "feature-not-implemented", None])
    def test_other_requests_may_fail(self, error: str | None) -> None:
        made = initiator()
        outputs = [*made.trickle("0", (candidate(),)), *made.inform(Information.MUTE), *made.ring()]
        for output in outputs:
            assert isinstance(output, SendIq)
            assert made.request_finished(output.id, error) == []
        assert made.state is SessionState.ACTIVE

    def test_a_peer_whose_stream_broke_during_the_call(self) -> None:
        made = initiator()
        (request,) = made.inform(Information.HOLD)
        assert isinstance(request, SendIq)
        assert made.request_finished(request.id, "recipient-unavailable") == []
        assert made.state is SessionState.ACTIVE

    def test_a_peer_that_went_away_before_the_answer(self) -> None:
        made = session(Role.RESPONDER)
        made.ring_with(OFFER)
        (request,) = made.accept(description(Setup.ACTIVE))
        assert isinstance(request, SendIq)
        outputs = made.request_finished(request.id, "recipient-unavailable")
        assert outputs is not None
        assert ended(outputs).reason is EndReason.CONNECTIVITY_ERROR

    def test_after_the_end_no_outcome_matters(self) -> None:
        made = initiator()
        (request,) = made.terminate(EndReason.SUCCESS)
        assert isinstance(request, SendIq)
        assert made.request_finished(request.id, "item-not-found") == []
        assert made.request_finished("never sent", None) is None


@pytest.mark.parametrize(
    ("made", "reason", "said"),
    [
        (offering(), EndReason.SUCCESS, EndReason.CANCEL),
        (session(Role.RESPONDER), EndReason.SUCCESS, EndReason.DECLINE),
        (offering(), EndReason.TIMEOUT, EndReason.TIMEOUT),
    ],
)
def test_before_the_answer_there_is_no_success(made: Session, reason: EndReason, said: EndReason) -> None:
    (request,) = requests(made.terminate(reason))
    assert request.reason is said


@pytest.mark.parametrize(
    ("made", "reason"),
    [(offering(), EndReason.DECLINE), (session(Role.RESPONDER), EndReason.CANCEL), (initiator(), EndReason.SUCCESS)],
)
def test_an_end_without_reason(made: Session, reason: EndReason) -> None:
    outputs = made.receive("q", parsed("session-terminate"))
    assert ended(outputs) == Ended(reason, Origin.REMOTE)


def test_peers_that_do_not_understand_information_get_none() -> None:
    assert initiator(PeerProfile(understands_information=False)).inform(Information.MUTE) == []
    assert session().inform(Information.MUTE) == []


def test_removing_the_voice_ends_the_call() -> None:
    outputs = initiator().receive("q", parsed("content-remove", "<content creator='initiator' name='0'/>"))
    assert kinds(outputs) == ["ReplyResult", "SendIq", "Deliver", "Forget"]
    assert ended(outputs) == Ended(EndReason.SUCCESS, Origin.REMOTE)


def test_a_refused_content_keeps_what_conversations_compares() -> None:
    foreign = "<content creator='initiator' name='f' senders='none'><description xmlns='urn:x'/></content>"
    added = content("1", media="video", senders="responder", codecs="") + foreign
    outputs = initiator().receive("q", parsed("content-add", added))
    refusals: list[Element] = [output.payload for output in outputs if isinstance(output, SendIq)]
    assert [refusal.get("action") for refusal in refusals] == ["content-reject"] * 2
    video, other = (refusal[0] for refusal in refusals)
    assert [(item.get("name"), item.get("senders")) for item in (video, other)] == [("1", "responder"), ("f", "none")]
    assert video[0].attrib == {"media": "video"}
    assert len(video[0]) == 0
    assert other[0].tag == ns.qualified("urn:x", "description")


def test_a_refusal_that_names_nothing_is_of_all_that_was_added() -> None:
    made = initiator()
    made.contents.add([video("1"), video("2")], ())
    outputs = made.receive("q", parsed("content-reject", "<reason><failed-application/></reason>"))
    assert delivered(outputs) == [ContentsRejected(("1", "2"))]
    assert not made.contents.pending
    assert delivered(made.receive("q", parsed("content-reject"))) == []


WORDS = WordsMessage(Step.NONCE, DIGEST)


def test_words_go_to_the_peer_in_a_session_info_and_back() -> None:
    for made in (initiator(), responder()):
        (request,) = requests(made.inform(WORDS))
        assert (request.action, request.information) == (JingleAction.SESSION_INFO, WORDS)
        inner = ElementTree.tostring(serialize_words(WORDS), encoding="unicode")
        outputs = made.receive("q", parsed("session-info", inner))
        assert kinds(outputs) == ["ReplyResult", "Deliver"]
        assert delivered(outputs) == [WordsReceived(WORDS)]


def test_the_call_learns_the_session_and_whether_the_peer_takes_words() -> None:
    made = session(profile=PeerProfile(takes_words=True))
    made.initiate(description(), OWN)
    (answer,) = delivered(made.receive("q", parsed("session-accept", ACCEPT)))
    assert isinstance(answer, AnswerReceived)
    assert (answer.session, answer.takes_words) == ("sid", True)
    offer = session(Role.RESPONDER).ring_with(OFFER)
    assert isinstance(offer, OfferReceived)
    assert offer.session == "sid"
