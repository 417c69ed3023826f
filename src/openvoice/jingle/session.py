"""One XEP-0166 session with one device of the peer: its requests in, replies and call inputs out, and the reverse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum

from openvoice.core.address import Address
from openvoice.core.description import Candidate, Senders, SessionDescription
from openvoice.core.effects import Information
from openvoice.core.inputs import (
    AnswerReceived,
    CandidatesReceived,
    Ended,
    OfferReceived,
    PeerInput,
    RestartReceived,
    RestartRefused,
)
from openvoice.core.types import CallId, EndReason, Origin, Role
from openvoice.errors import MalformedStanza
from openvoice.jingle.additions import Additions, stubs
from openvoice.jingle.describe import read_answer, read_fingerprint, write_contents
from openvoice.jingle.information import read_information, write_information
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import (
    IceTransport,
    InformationKind,
    Jingle,
    JingleAction,
    JingleContent,
    JingleMessage,
    MessageKind,
    SessionInformation,
)
from openvoice.jingle.outputs import Deliver, Forget, Output, ReplyError, ReplyResult, SendIq, SendMessage
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.restart import Attempt, Credentials, IceCredentials, restart_contents
from openvoice.jingle.serialize import serialize_jingle

MAXIMUM_EARLY = 64
"""Requests kept until the description that they belong to has come."""

_UNREACHABLE = frozenset(
    {"service-unavailable", "recipient-unavailable", "remote-server-not-found", "remote-server-timeout"}
)


class SessionState(StrEnum):
    """XEP-0166, 5."""

    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


class Refusal(Exception):
    """A request that is answered with an error; nothing was changed."""

    def __init__(self, condition: str, jingle_condition: str, error_type: str = "cancel") -> None:
        super().__init__(jingle_condition)
        self.condition = condition
        self.jingle_condition = jingle_condition
        self.error_type = error_type


_OUT_OF_ORDER = ("unexpected-request", "out-of-order", "wait")


class Session:
    """One session: ``sid`` with the device ``peer``, in the role of ``role``.

    An initiator begins with :meth:`initiate`, a responder with :meth:`take_offer`. After ``ENDED`` the session takes
    nothing more. ``by_message`` says that XEP-0353 began it, and therefore finishes it.
    """

    def __init__(
        self,
        *,
        call: CallId,
        sid: str,
        peer: Address,
        role: Role,
        profile: PeerProfile,
        new_id: Callable[[], str],
        by_message: bool,
    ) -> None:
        self.call = call
        self.sid = sid
        self.peer = peer
        self.role = role
        self.profile = profile
        self.by_message = by_message
        self.state = SessionState.PENDING
        self.remote: SessionDescription | None = None
        self._new_id = new_id
        self._local: SessionDescription | None = None
        self._ice = IceCredentials()
        self._requests: dict[str, JingleAction] = {}
        self._early: list[Jingle] = []
        self._held: list[tuple[str, tuple[Candidate, ...]]] = []
        self._answer_with_fingerprint = False
        self._additions = Additions()

    # --- what this side does ------------------------------------------------------------------------------------------

    def initiate(self, offer: SessionDescription, own: Address) -> list[Output]:
        """Send the offer (XEP-0166, 6.1), with the candidates that are in it."""
        self._describe_local(offer)
        return [
            self._send(
                Jingle(
                    action=JingleAction.SESSION_INITIATE,
                    sid=self.sid,
                    contents=write_contents(offer),
                    bundle=offer.bundle,
                    initiator=str(own),
                )
            )
        ]

    def take_offer(self, offer: SessionDescription, *, announce: bool) -> OfferReceived:
        """Begin as the responder: what the call is told of an offer that was read and can be answered."""
        self._describe_remote(offer)
        return OfferReceived(offer, announce, self.profile.gather_fully)

    def accept(self, answer: SessionDescription) -> list[Output]:
        """Send the answer (XEP-0166, 6.4)."""
        self._describe_local(answer)
        self.state = SessionState.ACTIVE
        return [self._request(JingleAction.SESSION_ACCEPT, contents=write_contents(answer), bundle=answer.bundle)]

    def trickle(self, content: str, candidates: tuple[Candidate, ...]) -> list[Output]:
        """Send candidates, each in a request of its own as every client in use does (XEP-0176, 5.4).

        While the peer has not agreed to a restart it could not use those of the restart: they wait. If it refused,
        they are of no use.
        """
        if self._ice.attempt is Attempt.SENT:
            self._held.append((content, candidates))
        if self._ice.attempt in (Attempt.SENT, Attempt.REFUSED):
            return []
        ufrag, pwd = self._ice.local(content)
        transports = (IceTransport(ufrag=ufrag, pwd=pwd, candidates=(candidate,)) for candidate in candidates)
        return [
            self._request(JingleAction.TRANSPORT_INFO, contents=(JingleContent(name=content, transport=transport),))
            for transport in transports
        ]

    def restart(self, credentials: Credentials, *, answering: bool) -> list[Output]:
        """Begin an ICE restart, or answer one.

        Conversations takes the first candidate with new credentials for the answer; stanza.io wants the answer in the
        form of its own request, with the fingerprint.
        """
        if answering:
            self._ice.renew(credentials)
            if not self._answer_with_fingerprint:
                return []
            return [self._request(JingleAction.TRANSPORT_INFO, contents=restart_contents(credentials, self._local))]
        if not self.profile.restarts_ice:
            self._ice.attempt = Attempt.REFUSED
            return [self._deliver(RestartRefused())]
        request = self._request(JingleAction.TRANSPORT_INFO, contents=restart_contents(credentials))
        self._ice.begin(request.id, credentials)
        return [request]

    def ring(self) -> list[Output]:
        """Say that it rings here."""
        return [self._inform(SessionInformation(InformationKind.RINGING))]

    def inform(self, information: Information) -> list[Output]:
        """Say that this side is muted, on hold, or not any more (XEP-0167, 8)."""
        if not self.profile.understands_information or self._local is None:
            return []
        return [self._inform(said) for said in write_information(information, self._local)]

    def terminate(self, reason: EndReason, text: str = "") -> list[Output]:
        """End the session (XEP-0166, 6.7). Before the answer there is no success yet."""
        if self.state is SessionState.PENDING and reason is EndReason.SUCCESS:
            reason = EndReason.CANCEL if self.role is Role.INITIATOR else EndReason.DECLINE
        self.state = SessionState.ENDED
        farewell = Jingle(action=JingleAction.SESSION_TERMINATE, sid=self.sid, reason=reason, text=text)
        return [self._send(farewell), *self._finish(reason)]

    def fail(self, reason: EndReason, text: str) -> list[Output]:
        """End the session for a reason that lies in the signalling, and tell the call."""
        return [*self.terminate(reason, text), *self._lost(reason, Origin.LOCAL, text)]

    # --- what the peer does -------------------------------------------------------------------------------------------

    def receive(self, request: str, jingle: Jingle) -> list[Output]:
        """Take a request of the peer. The reply is the first output, always."""
        try:
            following = self._changed_fingerprint(jingle) or self._react(jingle)
        except Refusal as refusal:
            return [ReplyError(request, self.peer, refusal.condition, refusal.error_type, refusal.jingle_condition)]
        return [ReplyResult(request, self.peer), *following]

    def catch_up(self, request: Jingle) -> list[Output]:
        """Take a transport-info that came before the description that it belongs to, and was answered then."""
        if self.state is SessionState.ENDED:
            return []
        return self._changed_fingerprint(request) or self._transport_info(request)

    def finished_by_message(self, reason: EndReason, text: str) -> list[Output]:
        """The peer said by message that it is over; its session-terminate may follow or not."""
        return self._ended(reason, Origin.REMOTE, text)

    def request_finished(self, request: str, error: str | None) -> list[Output] | None:
        """Note the outcome of an own request: ``None``, an error condition, or ``timeout``.

        Returns ``None`` if it was not a request of this session.
        """
        action = self._requests.pop(request, None)
        if action is None:
            return None
        if self._ice.finished(request, error is not None):
            if error is None:
                return self._release()
            self._held.clear()
            return [self._deliver(RestartRefused())]
        if error is None or self.state is SessionState.ENDED:
            return []
        if error in _UNREACHABLE:
            gone = action is JingleAction.SESSION_INITIATE
            reason = EndReason.GONE if gone else EndReason.CONNECTIVITY_ERROR
            return self._lost(reason, Origin.NETWORK, "the peer's device cannot be reached any more")
        if error == "item-not-found":
            return self._lost(EndReason.GONE, Origin.REMOTE, "the peer's device knows nothing of the call any more")
        describing = action is JingleAction.SESSION_INITIATE and self.state is SessionState.PENDING
        if describing or action is JingleAction.SESSION_ACCEPT:
            return self.fail(EndReason.FAILED_APPLICATION, "the peer's device could not use the description")
        # Dino and Monal refuse or ignore requests that are correct; the call goes on without them.
        return []

    def _react(self, jingle: Jingle) -> list[Output]:
        match jingle.action:
            case JingleAction.SESSION_ACCEPT:
                return self._accepted(jingle)
            case JingleAction.SESSION_INITIATE:
                raise Refusal(*_OUT_OF_ORDER)
            case JingleAction.SESSION_TERMINATE:
                return self._terminated(jingle)
            case JingleAction.SESSION_INFO:
                return self._informed(jingle)
            case JingleAction.TRANSPORT_INFO:
                return self._transport_info(jingle)
            case JingleAction.TRANSPORT_REPLACE:
                rejected = tuple(JingleContent(name=c.name, transport=c.transport) for c in jingle.contents)
                return [self._request(JingleAction.TRANSPORT_REJECT, contents=rejected)]
            case JingleAction.SECURITY_INFO:
                raise Refusal("feature-not-implemented", "unsupported-info", "modify")
            case JingleAction.CONTENT_ADD | JingleAction.CONTENT_MODIFY | JingleAction.CONTENT_REMOVE:
                return self._contents_changed(jingle)
            case _:
                # Answers to requests that this side never makes, and hints. An error would end the call at
                # Conversations.
                return []

    def _accepted(self, jingle: Jingle) -> list[Output]:
        if self.role is not Role.INITIATOR or self.state is not SessionState.PENDING or self._local is None:
            raise Refusal(*_OUT_OF_ORDER)
        try:
            answer = read_answer(self._tolerated(jingle))
        except MalformedStanza as error:
            return self.fail(EndReason(error.condition), str(error))
        offered = {(content.name, content.media) for content in self._local.contents}
        if {(content.name, content.media) for content in answer.contents} != offered:
            return self.fail(EndReason.SECURITY_ERROR, "the answer holds other contents than the offer")
        self.state = SessionState.ACTIVE
        self._describe_remote(answer)
        early, self._early = self._early, []
        outputs: list[Output] = [self._deliver(AnswerReceived(answer))]
        for request in early:
            outputs += self.catch_up(request)
        return outputs

    def _tolerated(self, jingle: Jingle) -> Jingle:
        if self.profile.reliable_senders:
            return jingle
        return replace(jingle, contents=tuple(replace(content, senders=Senders.BOTH) for content in jingle.contents))

    def _terminated(self, jingle: Jingle) -> list[Output]:
        reason = jingle.reason
        if reason is None:
            # Before the answer, ending means giving up or declining.
            pending = EndReason.CANCEL if self.role is Role.RESPONDER else EndReason.DECLINE
            reason = pending if self.state is SessionState.PENDING else EndReason.SUCCESS
        return self._ended(reason, Origin.REMOTE, jingle.text)

    def _informed(self, jingle: Jingle) -> list[Output]:
        if jingle.unsupported:
            raise Refusal("feature-not-implemented", "unsupported-info", "modify")
        said = read_information(jingle.information, self._local) if jingle.information is not None else None
        return [self._deliver(said)] if said is not None else []

    def _transport_info(self, jingle: Jingle) -> list[Output]:
        remote = self.remote
        if remote is None:
            if len(self._early) < MAXIMUM_EARLY:
                self._early.append(jingle)
            return []
        transports = [(c.name, c.transport) for c in jingle.contents if isinstance(c.transport, IceTransport)]
        outputs: list[Output] = []
        fresh = self._ice.fresh(jingle) if self.state is SessionState.ACTIVE else None
        if fresh is not None:
            outputs += self._restarted(fresh, [transport for _, transport in transports])
        outputs += [
            self._deliver(CandidatesReceived(name, transport.candidates))
            for name, transport in transports
            if transport.candidates and remote.content(name) is not None and not self._ice.outdated(transport)
        ]
        return outputs

    def _restarted(self, fresh: Credentials, transports: list[IceTransport]) -> list[Output]:
        began = self._ice.under_way
        confirms = began and any(transport.candidates for transport in transports)
        if began and not confirms and self.role is Role.INITIATOR:
            raise Refusal("conflict", "tie-break")
        if confirms:
            self._ice.confirmed()
        elif began:
            self._ice.abandon()
            self._held.clear()
        self._ice.adopt(fresh)
        self.profile = replace(self.profile, restarts_ice=True)
        self._answer_with_fingerprint = any(transport.fingerprints for transport in transports)
        return [self._deliver(RestartReceived(fresh, ours=confirms)), *self._release()]

    def _release(self) -> list[Output]:
        held, self._held = self._held, []
        return [output for content, candidates in held for output in self.trickle(content, candidates)]

    def _contents_changed(self, jingle: Jingle) -> list[Output]:
        removed = {content.name for content in jingle.contents if jingle.action is JingleAction.CONTENT_REMOVE}
        if self.remote is not None and removed.issuperset(content.name for content in self.remote.contents):
            return [*self.terminate(EndReason.SUCCESS), *self._lost(EndReason.SUCCESS, Origin.REMOTE, "")]
        if self.profile.answers_with_session_accept and self._local is not None and self.remote is not None:
            contents = self._additions.answer(jingle, self._local, self.remote)
            return [self._request(JingleAction.SESSION_ACCEPT, contents=contents, bundle=jingle.bundle)]
        if jingle.action is JingleAction.CONTENT_ADD:
            return [self._request(JingleAction.CONTENT_REJECT, contents=stubs(jingle))]
        return []

    def _changed_fingerprint(self, jingle: Jingle) -> list[Output]:
        """The end of the session, if the request brings another fingerprint than the one agreed on."""
        if self.remote is None or jingle.action in (JingleAction.SESSION_INITIATE, JingleAction.SESSION_ACCEPT):
            return []
        for content in jingle.contents:
            agreed, transport = self.remote.content(content.name), content.transport
            if agreed is None or not isinstance(transport, IceTransport) or not transport.fingerprints:
                continue
            try:
                fingerprint, _ = read_fingerprint(transport)
            except MalformedStanza as error:
                return self.fail(EndReason.SECURITY_ERROR, str(error))
            if agreed.transport.fingerprint is None or not agreed.transport.fingerprint.matches(fingerprint):
                return self.fail(EndReason.SECURITY_ERROR, "the peer's key changed during the call")
        return []

    # --- parts --------------------------------------------------------------------------------------------------------

    def _describe_local(self, description: SessionDescription) -> None:
        self._local = description
        self._ice.describe_local(description)

    def _describe_remote(self, description: SessionDescription) -> None:
        self.remote = description
        self._ice.describe_remote(description)

    def _inform(self, information: SessionInformation) -> SendIq:
        return self._send(Jingle(action=JingleAction.SESSION_INFO, sid=self.sid, information=information))

    def _request(
        self, action: JingleAction, *, contents: tuple[JingleContent, ...], bundle: tuple[str, ...] = ()
    ) -> SendIq:
        return self._send(Jingle(action=action, sid=self.sid, contents=contents, bundle=bundle))

    def _send(self, jingle: Jingle) -> SendIq:
        request = self._new_id()
        self._requests[request] = jingle.action
        return SendIq(request, self.peer, serialize_jingle(jingle))

    def _deliver(self, message: PeerInput) -> Deliver:
        return Deliver(self.call, message)

    def _finish(self, reason: EndReason) -> list[Output]:
        if not self.by_message:
            return []
        finish = JingleMessage(kind=MessageKind.FINISH, id=self.sid, reason=reason)
        return [SendMessage(serialize_message(finish, self.peer))]

    def _ended(self, reason: EndReason, origin: Origin, text: str) -> list[Output]:
        return [*self._lost(reason, origin, text), *self._finish(reason)]

    def _lost(self, reason: EndReason, origin: Origin, text: str) -> list[Output]:
        self.state = SessionState.ENDED
        return [self._deliver(Ended(reason, origin, text)), Forget(self.call)]
