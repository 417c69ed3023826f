"""The one entry to Jingle for an adapter: all proposals and sessions of one account."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from xml.etree.ElementTree import Element

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.description import SessionDescription
from openvoice.core.inputs import Ended
from openvoice.core.policy import Screening
from openvoice.core.types import CallId, Direction, EndReason, Origin, Role, Vouching
from openvoice.errors import MalformedStanza
from openvoice.jingle.archive import ArchivedMessage, read_archive
from openvoice.jingle.envelope import Envelope
from openvoice.jingle.initiation import Initiation, Key, Proposal
from openvoice.jingle.limits import MAXIMUM_EARLY, Memory
from openvoice.jingle.messages import parse_message, parse_receipt
from openvoice.jingle.model import (
    Jingle,
    JingleAction,
    JingleMessage,
    MessageKind,
    RtpDescription,
)
from openvoice.jingle.moving import Moving
from openvoice.jingle.outputs import (
    Deliver,
    Forget,
    Incoming,
    Missed,
    Output,
    ReplyError,
    ReplyResult,
)
from openvoice.jingle.parse import parse_jingle
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.screening import Doorkeeper
from openvoice.jingle.sealing import Sealed, Unsealed
from openvoice.jingle.sessions import Dialled, Sessions, perform_in
from openvoice.ports import IncomingCall

ENDED_SECONDS = 24 * 3600.0
ENDED_CALLS = 4096
"""So long and so many ids of calls that are over are remembered."""

_ENDINGS = {
    MessageKind.FINISH: EndReason.SUCCESS,
    MessageKind.REJECT: EndReason.DECLINE,
    MessageKind.RETRACT: EndReason.CANCEL,
}
"""The messages that end a session too, and what they mean where they give no reason."""

VOICE_CALL = frozenset({"audio"})
VIDEO_CALL = frozenset({"audio", "video"})
"""What a proposal names."""

_logger = logging.getLogger(__name__)


class JingleEndpoint:
    """Jingle for one account on one device.

    Every method that takes ``now`` (Unix time) returns what to do, in order; the adapter does all of it before it
    calls again. Nothing a peer or a server sends raises. A person outside the contact list whom the policy does not let
    ring gets no stanza, except for the error to an IQ that the server itself gives for a device that is not there.

    Args:
        own: the full address of this device; settable, for a new stream may bind another resource.
        new_id: gives ids that are unique in the world.
        screen: asks the policy about a call that comes in.
        in_roster: whether a bare address is in the contact list.
        other_devices: whether another own device that takes calls is online.
        profile: what is known about the client at a full address.
        proposal_age: seconds after which a proposal that a server kept does not ring any more.
        omemo_device: the id of the own OMEMO device, while there is one that peers can find.
    """

    def __init__(
        self,
        *,
        own: Address,
        new_id: Callable[[], str],
        screen: Callable[[IncomingCall], Screening],
        in_roster: Callable[[Address], bool],
        other_devices: Callable[[], bool] = lambda: False,
        profile: Callable[[Address], PeerProfile] = lambda _: PeerProfile(),
        proposal_age: float = 60.0,
        omemo_device: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._new_id = new_id
        self._in_roster = in_roster
        self._doorkeeper = Doorkeeper(screen=screen, in_roster=in_roster)
        self._ended: Memory[Key] = Memory(ENDED_CALLS, ENDED_SECONDS)
        self._initiation = Initiation(
            own=own,
            new_id=new_id,
            doorkeeper=self._doorkeeper,
            other_devices=other_devices,
            profile=profile,
            proposal_age=proposal_age,
            ended=self._ended,
            omemo_device=omemo_device,
        )
        self._sessions = Sessions(new_id=new_id, profile=profile, able=lambda: omemo_device() is not None)
        self._moving = Moving(initiation=self._initiation, sessions=self._sessions, ended=self._ended, new_id=new_id)

    @property
    def own(self) -> Address:
        """The full address of this device."""
        return self._initiation.own

    @own.setter
    def own(self, address: Address) -> None:
        self._initiation.own = address

    # --- the call's side ----------------------------------------------------------------------------------------------

    def begin(self, call: CallId, peer: Address, media: frozenset[str], now: float) -> None:
        """Make an outgoing call known. Its id becomes the id of the session."""
        self._sessions.dialled[call] = Dialled(peer, str(call), media)

    def perform(self, call: CallId, effect: e.SignallingEffect, now: float) -> list[Output]:
        """Do what the machine of a call wants said. What a call has no way to say (any more) says nothing."""
        session, proposal = self._sessions.of_call(call), self._initiation.of_call(call)
        dialled = self._sessions.dialled.get(call)
        outputs: list[Output] = []
        match effect:
            case e.SendProposal():
                if dialled is not None:
                    outputs = self._initiation.propose(call, dialled.sid, dialled.peer.bare, dialled.media, now)
            case e.SendRinging():
                if session is not None:
                    outputs = session.ring()
                elif proposal is not None:
                    outputs = self._initiation.ring(proposal, now)
            case e.SendProceed():
                if session is not None:
                    outputs = session.open_offer()
                elif proposal is not None:
                    outputs = self._initiation.proceed(proposal, now)
            case e.SendOffer(offer, least):
                if session is None and dialled is not None:
                    outputs = self._offer(call, proposal or dialled, offer, least)
            case e.SendRenewal(video):
                if session is not None:
                    outputs = self._moving.renew(session, VIDEO_CALL if video else VOICE_CALL, now)
            case e.SendEnd(reason, text):
                outputs = self._end(call, reason, text)
            case _ if session is not None:
                outputs = perform_in(session, effect)
        return self._settled(outputs, now)

    def sealed(self, call: CallId, result: Sealed | None, now: float) -> list[Output]:
        """Take what came of :class:`~openvoice.jingle.outputs.Seal`; ``None`` if it could not be done."""
        session = self._sessions.of_call(call)
        return self._settled(session.sealed(result) if session is not None else [], now)

    def unsealed(self, call: CallId, result: Unsealed | None, now: float) -> list[Output]:
        """Take what came of :class:`~openvoice.jingle.outputs.Unseal`; ``None`` if it could not be done."""
        session = self._sessions.of_call(call)
        return self._settled(session.unsealed(result) if session is not None else [], now)

    def _offer(
        self, call: CallId, wanted: Proposal | Dialled, offer: SessionDescription, least: Vouching
    ) -> list[Output]:
        proposed = wanted.media if isinstance(wanted, Proposal) else None
        device = wanted.device if isinstance(wanted, Proposal) else None
        session = self._sessions.make(call, wanted.sid, wanted.peer, Role.INITIATOR, proposed=proposed)
        return self._sessions.add(session).initiate(offer, self.own, device=device, least=least)

    def _end(self, call: CallId, reason: EndReason, text: str) -> list[Output]:
        session, proposal = self._sessions.of_call(call), self._initiation.of_call(call)
        outputs: list[Output] = []
        if session is not None:
            outputs = session.terminate(reason, text)
        elif proposal is not None:
            outputs = self._initiation.end(proposal, reason, text)
        return [*outputs, Forget(call)]

    # --- the peer's side: IQs -----------------------------------------------------------------------------------------

    def receive_iq(self, request: str, sender: Address, payload: Element, now: float) -> list[Output]:
        """Take an IQ of type ``set`` with a ``jingle`` payload. The reply is the first output, always."""
        try:
            jingle = parse_jingle(payload)
        except MalformedStanza as error:
            return [self._refuse(request, sender, error.condition, "", "modify")]
        session = self._sessions.find(jingle.sid, sender)
        if session is not None:
            return self._settled(session.receive(request, jingle), now)
        proposal = self._initiation.find(jingle.sid, sender)
        if jingle.action is JingleAction.SESSION_INITIATE:
            outputs = self._initiated(request, sender, jingle, proposal, now)
        elif proposal is not None and proposal.peer == sender and _expects_offer(proposal):
            outputs = self._overtaking(request, sender, jingle, proposal)
        elif jingle.action is JingleAction.SESSION_TERMINATE and self._in_roster(sender.bare):
            outputs = [ReplyResult(request, sender)]
        else:
            outputs = [self._refuse(request, sender, "item-not-found", "unknown-session")]
        return self._settled(outputs, now)

    def iq_finished(self, request: str, error: str | None, now: float) -> list[Output]:
        """Note the outcome of an IQ of ours: ``None``, the condition of the error, or ``timeout``."""
        return self._settled(self._sessions.request_finished(request, error), now)

    def _initiated(
        self, request: str, sender: Address, jingle: Jingle, proposal: Proposal | None, now: float
    ) -> list[Output]:
        if proposal is not None:
            if proposal.peer != sender:
                # The id belongs to a call with another device.
                return [self._refuse(request, sender, "item-not-found", "unknown-session")]
            if not _expects_offer(proposal):
                return [self._refuse(request, sender, "unexpected-request", "out-of-order", "wait")]
            return self._offered(request, sender, jingle, proposal)
        if self._sessions.with_person(jingle.sid, sender):
            return [self._refuse(request, sender, "item-not-found", "unknown-session")]
        return self._offered_directly(request, sender, jingle, now)

    def _offered(self, request: str, sender: Address, jingle: Jingle, proposal: Proposal) -> list[Output]:
        """The offer after ``proceed``: a person has agreed to it, as far as it is what was proposed."""
        session = self._sessions.make(proposal.call, jingle.sid, sender, Role.RESPONDER, proposed=proposal.media)
        outputs = [ReplyResult(request, sender), *self._sessions.add(session).take_offer(jingle)]
        for early in proposal.early:
            outputs += session.catch_up(early)
        proposal.early.clear()
        return outputs

    def _offered_directly(self, request: str, sender: Address, jingle: Jingle, now: float) -> list[Output]:
        media = frozenset(c.description.media for c in jingle.contents if isinstance(c.description, RtpDescription))
        known = self._ended.holds((jingle.sid, sender.bare), now)
        replaced = self._sessions.replaceable(sender, media)
        if replaced is not None and not known:
            return self._moving.replace(replaced, request, jingle, now)
        incoming = IncomingCall(call=CallId(self._new_id()), peer=sender, media=media)
        screening = self._doorkeeper.judge(incoming, now)
        if screening is Screening.SILENT:
            return [_absent(request, sender), *self._doorkeeper.note_silently(incoming, now)]
        session = self._sessions.make(incoming.call, jingle.sid, sender, Role.RESPONDER)
        reply = ReplyResult(request, sender)
        if screening is Screening.BUSY or known:
            missed: list[Output] = [Missed(incoming, "busy")] if screening is Screening.BUSY else []
            return [reply, *session.terminate(EndReason.BUSY), *missed]
        try:
            first = session.ring_with(jingle)
        except MalformedStanza as error:
            self._ended.add((jingle.sid, sender.bare), now)
            return [reply, *session.terminate(EndReason(error.condition), str(error))]
        self._sessions.add(session)
        return [reply, Incoming(incoming, first)]

    def _overtaking(self, request: str, sender: Address, jingle: Jingle, proposal: Proposal) -> list[Output]:
        """A request before the offer that it belongs to (telepathy and Movim do so)."""
        if jingle.action is JingleAction.SESSION_TERMINATE:
            reason = jingle.reason or EndReason.CANCEL
            ended = Ended(reason, Origin.REMOTE, jingle.text)
            return [ReplyResult(request, sender), Deliver(proposal.call, ended), Forget(proposal.call)]
        if jingle.action is not JingleAction.TRANSPORT_INFO:
            return [self._refuse(request, sender, "unexpected-request", "out-of-order", "wait")]
        if len(proposal.early) < MAXIMUM_EARLY:
            proposal.early.append(jingle)
        return [ReplyResult(request, sender)]

    def _refuse(
        self, request: str, sender: Address, condition: str, jingle_condition: str, error_type: str = "cancel"
    ) -> ReplyError:
        if not self._in_roster(sender.bare) and not self._sessions.with_device(sender):
            return _absent(request, sender)
        return ReplyError(request, sender, condition, error_type, jingle_condition)

    # --- the peer's side: messages ------------------------------------------------------------------------------------

    def receive_message(
        self, message: Element, sender: Address, now: float, *, carbon: str | None = None, stamp: float | None = None
    ) -> list[Output]:
        """Take a message.

        For a carbon (XEP-0280) this is the message inside, ``sender`` is who sent that, and ``carbon`` is ``sent`` or
        ``received``; the caller has checked that the carbon itself came from the own bare address. ``stamp`` is the
        Unix time of a delay that the own server noted.
        """
        envelope = Envelope.of(message, sender, own=self.own, carbon=carbon, stamp=stamp)
        if envelope is None:
            return []
        if message.get("type") == "error":
            return self._settled(self._initiation.bounced(envelope.id, sender) if carbon is None else [], now)
        try:
            said = parse_message(message)
        except MalformedStanza:
            _logger.debug("a message about a call that cannot be understood")
            return []
        if said is None:
            receipt = parse_receipt(message)
            return self._settled(self._initiation.receipt(receipt, sender) if receipt else [], now)
        session = self._sessions.find(said.id, sender)
        if session is not None and said.kind in _ENDINGS:
            return self._settled(session.finished_by_message(said.reason or _ENDINGS[said.kind], said.text), now)
        return self._settled(self._initiate(said, envelope, now), now)

    def _initiate(self, said: JingleMessage, envelope: Envelope, now: float) -> list[Output]:
        migrating = self._moving.migrating(said, envelope, now)
        if migrating is not None:
            return self._moving.migrate(migrating, said, envelope.sender, now)
        return self._initiation.receive(said, envelope, now)

    def catch_up(self, messages: Sequence[ArchivedMessage], now: float) -> list[Output]:
        """Take all messages that the archive holds since this device was last online, at once, oldest first.

        What is still open and young rings; of the rest the history is told.
        """
        outputs: list[Output] = []
        for call in read_archive(messages, self.own):
            key = (call.said.id, call.envelope.sender.bare)
            if not call.outcome:
                outputs += self._initiate(call.said, call.envelope, now)
            elif not self._ended.holds(key, now) and self._initiation.find(*key) is None:
                self._ended.add(key, now)
                age = max(0.0, now - (call.envelope.stamp or now))
                incoming = IncomingCall(
                    call=CallId(self._new_id()), peer=call.envelope.sender, media=call.said.media, age=age
                )
                if self._doorkeeper.screen(incoming) is not Screening.SILENT:
                    outputs.append(Missed(incoming, call.outcome))
        return self._settled(outputs, now)

    # --- the end ------------------------------------------------------------------------------------------------------

    def _settled(self, outputs: list[Output], now: float) -> list[Output]:
        for output in outputs:
            if isinstance(output, Forget):
                self._forget(output.call, now)
                self._sessions.dialled.pop(output.call, None)
        return outputs

    def _forget(self, call: CallId, now: float) -> None:
        session = self._sessions.remove(call)
        if session is not None:
            self._ended.add((session.sid, session.peer.bare), now)
        proposal = self._initiation.of_call(call)
        if proposal is not None:
            self._initiation.remove(proposal, now)


def _expects_offer(proposal: Proposal) -> bool:
    return proposal.direction is Direction.INCOMING and proposal.proceeded


def _absent(request: str, sender: Address) -> ReplyError:
    """What a server answers for a device that is not online (RFC 6121, 8.5.3.2.3): strangers learn nothing from it."""
    return ReplyError(request, sender, "service-unavailable", "cancel")
