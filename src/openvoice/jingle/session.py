"""One XEP-0166 session with one device of the peer: its requests in, replies and call inputs out, and the reverse."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from openvoice.core.address import Address
from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.effects import Statement
from openvoice.core.inputs import (
    AnswerReceived,
    Ended,
    OfferReceived,
    PeerInput,
    PeerProposed,
)
from openvoice.core.remedies import Restart
from openvoice.core.types import CallId, EndReason, Origin, Role, Vouching
from openvoice.errors import MalformedStanza
from openvoice.jingle.contents import Contents
from openvoice.jingle.information import read_information, write_information
from openvoice.jingle.limits import MAXIMUM_EARLY
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import (
    InformationKind,
    Jingle,
    JingleAction,
    JingleContent,
    JingleMessage,
    MessageKind,
    SessionInformation,
)
from openvoice.jingle.negotiation import Negotiation
from openvoice.jingle.outcomes import PeerGone, Unusable, meaning_of, reason_of
from openvoice.jingle.outputs import Deliver, Doubt, Forget, Output, ReplyError, ReplyResult, Seal, SendMessage
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.refusal import Refusal
from openvoice.jingle.requests import Requests
from openvoice.jingle.restart import Credentials
from openvoice.jingle.sealing import Sealed, Unsealed
from openvoice.jingle.trickling import Trickling


class SessionState(StrEnum):
    """XEP-0166, 5."""

    NEW = "new"
    """An initiator's, before its offer has left."""
    PENDING = "pending"
    ACTIVE = "active"
    ENDED = "ended"


_OUT_OF_ORDER = ("unexpected-request", "out-of-order", "wait")
_UNKNOWN = ("item-not-found", "unknown-session")


class Session:
    """One session: ``sid`` with the device ``peer``, in the role of ``role``.

    An initiator begins with :meth:`initiate`, a responder with :meth:`ring_with` or :meth:`take_offer`. After ``ENDED``
    the session takes nothing more.

    Args:
        proposed: the media of the XEP-0353 proposal that began it, and therefore finishes it; ``None`` if none did.
        able: whether this side has OMEMO.
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
        proposed: frozenset[str] | None,
        able: Callable[[], bool] = lambda: False,
    ) -> None:
        self.call = call
        self.sid = sid
        self.peer = peer
        self.role = role
        self.profile = profile
        self.proposed = proposed
        self.state = SessionState.NEW if role is Role.INITIATOR else SessionState.PENDING
        self._requests = Requests(sid, peer, new_id)
        self._negotiation = Negotiation(
            call=call,
            sid=sid,
            peer=peer,
            role=role,
            proposed=proposed,
            profile=profile,
            able=able,
        )
        restarts = profile.remedies(role).restart is not Restart.NEVER
        self._ice = Trickling(call=call, role=role, requests=self._requests, restarts=restarts)
        self._early: list[Jingle] = []
        self.contents = Contents(
            call=call,
            role=role,
            requests=self._requests,
            negotiation=self._negotiation,
            profile=profile,
            ice=self._ice,
        )

    @property
    def remote(self) -> SessionDescription | None:
        """The peer's description, once it is here in plain."""
        return self._negotiation.remote

    # --- what this side does ------------------------------------------------------------------------------------------

    def initiate(
        self,
        offer: SessionDescription,
        own: Address,
        *,
        device: int | None = None,
        least: Vouching = Vouching.SIGNALLED,
    ) -> list[Output]:
        """Send the offer (XEP-0166, 6.1), with the candidates that are in it.

        It is sealed for the OMEMO device ``device`` of the peer, if possible. The session ends before it begins if
        less than ``least`` would vouch for the peer's key.
        """
        self._ice.describe_local(offer)
        return self._describe(self._negotiation.offer(offer, own, device, least))

    def accept(self, answer: SessionDescription) -> list[Output]:
        """Send the answer (XEP-0166, 6.4), sealed if the offer was."""
        self._ice.describe_local(answer)
        return self._describe(self._negotiation.answer(answer))

    def _describe(self, seal: Seal | None) -> list[Output]:
        self._requests.hold()
        return self.sealed(None) if seal is None else [seal]

    def sealed(self, result: Sealed | None) -> list[Output]:
        """Send the description, or the content, that was sealed, and what waited for it."""
        if not self._negotiation.leaving:
            return self.contents.sealed(result)
        try:
            description = self._negotiation.finish_sealing(result)
        except MalformedStanza as error:
            return self._refuse(error, withheld=True)
        self.state = SessionState.PENDING if self.role is Role.INITIATOR else SessionState.ACTIVE
        return self._requests.release(description)

    def trickle(self, content: str, candidates: tuple[Candidate, ...]) -> list[Output]:
        """Send candidates."""
        return self._ice.trickle(content, candidates)

    def restart(self, credentials: Credentials, *, answering: bool) -> list[Output]:
        """Begin an ICE restart, or answer one."""
        return self._ice.restart(credentials, self._negotiation.local, answering=answering)

    def ring(self) -> list[Output]:
        """Say that it rings here."""
        return self._requests.inform(SessionInformation(InformationKind.RINGING))

    def inform(self, information: Statement, content: str | None = None) -> list[Output]:
        """Say that this side is muted (in ``content``, if not the voice), on hold, or not any more (XEP-0167, 8), or a
        step of the verification words.
        """
        local = self._negotiation.local
        if not self.profile.understands_information or local is None:
            return []
        return [
            request
            for said in write_information(information, local, content)
            for request in self._requests.inform(said)
        ]

    def terminate(self, reason: EndReason, text: str = "") -> list[Output]:
        """End the session (XEP-0166, 6.7). Before the answer there is no success yet.

        A session whose offer has not left is ended as the proposal that it still is (XEP-0353, 3.5), without a word of
        why: what the own user demands of the peer's key is nobody else's business.
        """
        if self.state is not SessionState.ACTIVE and reason is EndReason.SUCCESS:
            reason = EndReason.CANCEL if self.role is Role.INITIATOR else EndReason.DECLINE
        if self.state is SessionState.NEW:
            self.state = SessionState.ENDED
            return self._say(MessageKind.RETRACT, reason)
        self.state = SessionState.ENDED
        self._requests.drop()
        farewell = Jingle(action=JingleAction.SESSION_TERMINATE, sid=self.sid, reason=reason, text=text)
        return [*self._requests.send(farewell), *self._say(MessageKind.FINISH, reason)]

    def _refuse(self, error: MalformedStanza, *, withheld: bool = False) -> list[Output]:
        return self.fail(EndReason(error.condition), str(error), withheld=withheld)

    def fail(self, reason: EndReason, text: str, *, withheld: bool = False) -> list[Output]:
        """End the session for a reason that lies in the signalling, and tell the call."""
        return [*self.terminate(reason, text), *self._lost(reason, Origin.LOCAL, text, withheld=withheld)]

    # --- what the peer does -------------------------------------------------------------------------------------------

    def ring_with(self, offer: Jingle) -> PeerInput:
        """Begin as the responder with an offer that nobody has agreed to yet: what the call is told of it.

        A sealed one is only kept: :meth:`open_offer` opens it when a person has agreed.

        Raises:
            MalformedStanza: it cannot be answered; the condition is the reason to terminate with.
        """
        told = self._negotiation.take(offer)
        if told is None:
            return PeerProposed(announce=True)
        self._learn()
        return told

    def open_offer(self) -> list[Output]:
        """A person has agreed to the call: open the offer, if it is here under a seal."""
        return [*self._negotiation.unseal()]

    def take_offer(self, offer: Jingle) -> list[Output]:
        """Begin as the responder with an offer that a person has agreed to."""
        return self._take(offer)

    def unsealed(self, result: Unsealed | None) -> list[Output]:
        """Take the description, or the content, that was opened, and what came after it."""
        if not self._negotiation.arrived:
            return self._content_unsealed(result)
        try:
            told = self._negotiation.finish_unsealing(result)
        except MalformedStanza as error:
            return self._refuse(error)
        return self._described(told)

    def _content_unsealed(self, result: Unsealed | None) -> list[Output]:
        try:
            outputs, waited = self.contents.unsealed(result)
        except MalformedStanza as error:
            return self._refuse(error)
        for request in waited:
            outputs += self.catch_up(request)
        return outputs

    def receive(self, request: str, jingle: Jingle) -> list[Output]:
        """Take a request of the peer. The reply is the first output, always."""
        try:
            following = self._changed_fingerprint(jingle) or self._react(jingle)
        except Refusal as refusal:
            return [ReplyError(request, self.peer, refusal.condition, refusal.error_type, refusal.jingle_condition)]
        return [ReplyResult(request, self.peer), *following]

    def catch_up(self, request: Jingle) -> list[Output]:
        """Take what came before the description that it belongs to, and was answered then."""
        if self.state is SessionState.ENDED:
            return []
        follow = self._informed if request.action is JingleAction.SESSION_INFO else self._transport_info
        return self._changed_fingerprint(request) or follow(request)

    def finished_by_message(self, reason: EndReason, text: str) -> list[Output]:
        """The peer said by message that it is over; its session-terminate may follow or not."""
        return self._ended(reason, Origin.REMOTE, text)

    def request_finished(self, request: str, error: str | None) -> list[Output] | None:
        """Note the outcome of an own request: ``None``, an error condition, or ``timeout``.

        Returns ``None`` if it was not a request of this session.
        """
        action = self._requests.finished(request)
        if action is None:
            return None
        restarted = self._ice.finished(request, error)
        changed = restarted if restarted is not None else self.contents.finished(request, error)
        if changed is not None:
            return changed if self.state is not SessionState.ENDED else []
        if error is None or self.state is SessionState.ENDED:
            return []
        match meaning_of(error, action, answered=self.state is SessionState.ACTIVE):
            case PeerGone(reason, origin, text):
                return self._lost(reason, origin, text)
            case Unusable(text):
                return self.fail(EndReason.FAILED_APPLICATION, text)
            case _:
                return []

    def _react(self, jingle: Jingle) -> list[Output]:
        if self.state is SessionState.NEW:
            raise Refusal(*_UNKNOWN)
        match jingle.action:
            case JingleAction.SESSION_ACCEPT:
                return self._accepted(jingle)
            case JingleAction.SESSION_INITIATE:
                raise Refusal(*_OUT_OF_ORDER)
            case JingleAction.SESSION_TERMINATE:
                reason = reason_of(jingle.reason, self.role, answered=self.state is SessionState.ACTIVE)
                return self._ended(reason, Origin.REMOTE, jingle.text)
            case JingleAction.SESSION_INFO:
                return self._informed(jingle)
            case JingleAction.TRANSPORT_INFO:
                return self._transport_info(jingle)
            case JingleAction.TRANSPORT_REPLACE:
                rejected = tuple(JingleContent(name=c.name, transport=c.transport) for c in jingle.contents)
                return self._requests.contents(JingleAction.TRANSPORT_REJECT, rejected)
            case JingleAction.SECURITY_INFO:
                raise Refusal("feature-not-implemented", "unsupported-info", "modify")
            case JingleAction.DESCRIPTION_INFO | JingleAction.TRANSPORT_ACCEPT | JingleAction.TRANSPORT_REJECT:
                # Hints, and answers to requests that this side never makes. An error would end the call at
                # Conversations.
                return []
            case _:
                return self._contents_changed(jingle)

    def _accepted(self, jingle: Jingle) -> list[Output]:
        if self.state is SessionState.ACTIVE and self.profile.answers_with_session_accept and self.contents.pending:
            return self._contents_changed(jingle)
        if self.role is not Role.INITIATOR or self.state is not SessionState.PENDING or self._negotiation.arrived:
            raise Refusal(*_OUT_OF_ORDER)
        return self._take(jingle)

    def _take(self, description: Jingle) -> list[Output]:
        try:
            told = self._negotiation.take(description)
        except MalformedStanza as error:
            # Dino answers without a key what it cannot open, and would do so for ever.
            doubted = self._negotiation.sealed_for
            return [*self._refuse(error), *([Doubt(self.peer, doubted)] if doubted is not None else [])]
        return self._described(told) if told is not None else self.open_offer()

    def _described(self, told: OfferReceived | AnswerReceived) -> list[Output]:
        """The peer's description is here in plain: tell the call, and go on with what came after it."""
        if self.role is Role.INITIATOR:
            self.state = SessionState.ACTIVE
        self._learn()
        early, self._early = self._early, []
        outputs: list[Output] = [self._deliver(told)]
        for request in early:
            outputs += self.catch_up(request)
        return outputs

    def _informed(self, jingle: Jingle) -> list[Output]:
        if jingle.unsupported:
            raise Refusal("feature-not-implemented", "unsupported-info", "modify")
        if self.contents.opens(jingle):
            return []
        information, local = jingle.information, self._negotiation.local
        return [self._deliver(said) for said in read_information(information, local)] if information else []

    def _transport_info(self, jingle: Jingle) -> list[Output]:
        remote = self.remote
        if self.contents.opens(jingle):
            return []
        if remote is None:
            if len(self._early) < MAXIMUM_EARLY:
                self._early.append(jingle)
            return []
        known = {content.name for content in remote.contents} | self.contents.pending
        return self._ice.receive(jingle, known, active=self.state is SessionState.ACTIVE)

    def _contents_changed(self, jingle: Jingle) -> list[Output]:
        """A call without its voice is over."""
        removed = {content.name for content in jingle.contents if jingle.action is JingleAction.CONTENT_REMOVE}
        if self.remote is not None and self.remote.voice in removed:
            return [*self.terminate(EndReason.SUCCESS), *self._lost(EndReason.SUCCESS, Origin.REMOTE, "")]
        if self.state is not SessionState.ACTIVE:
            return self.contents.decline(jingle)
        try:
            return self.contents.receive(jingle)
        except MalformedStanza as error:
            return self._refuse(error)

    def _changed_fingerprint(self, jingle: Jingle) -> list[Output]:
        """The end of the session, if the request brings another fingerprint than the one agreed on."""
        changed = self._negotiation.changed_fingerprint(jingle)
        return self.fail(EndReason.SECURITY_ERROR, changed) if changed is not None else []

    def _learn(self) -> None:
        assert self.remote is not None
        self._ice.describe_remote(self.remote)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _deliver(self, message: PeerInput) -> Deliver:
        return Deliver(self.call, message)

    def _say(self, kind: MessageKind, reason: EndReason) -> list[Output]:
        if self.proposed is None:
            return []
        said = JingleMessage(kind=kind, id=self.sid, reason=reason)
        return [SendMessage(serialize_message(said, self.peer))]

    def _ended(self, reason: EndReason, origin: Origin, text: str) -> list[Output]:
        return [*self._lost(reason, origin, text), *self._say(MessageKind.FINISH, reason)]

    def _lost(self, reason: EndReason, origin: Origin, text: str, *, withheld: bool = False) -> list[Output]:
        self.state = SessionState.ENDED
        return [self._deliver(Ended(reason, origin, text, withheld)), Forget(self.call)]
