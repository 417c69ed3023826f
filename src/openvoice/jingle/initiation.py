"""XEP-0353 for one account: who is being called, who calls, and which device of either side takes the call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from openvoice.core.address import Address
from openvoice.core.inputs import Ended, GlareLost, PeerProceeded, PeerProposed, PeerRinging
from openvoice.core.policy import Screening
from openvoice.core.types import CallId, Direction, EndReason, Origin
from openvoice.jingle.envelope import Envelope
from openvoice.jingle.limits import Memory
from openvoice.jingle.messages import serialize_message, serialize_receipt, serialize_unknown_session
from openvoice.jingle.model import Jingle, JingleMessage, MessageKind
from openvoice.jingle.outputs import Deliver, Forget, Incoming, Missed, Output, SendMessage
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.screening import Doorkeeper
from openvoice.ports import IncomingCall

MAXIMUM_PROPOSALS = 32
"""Incoming proposals that may be open at once."""
PROPOSAL_SECONDS = 60.0
RINGING_SECONDS = 45.0
PROCEED_SECONDS = 30.0

_PROPOSE_PREFIX = "ov-propose-"
_PROCEED_PREFIX = "ov-proceed-"

Key = tuple[str, Address]
"""A session id counts only together with the peer's bare address."""


@dataclass(slots=True)
class Proposal:
    """A call that has no session yet. ``peer`` is bare until the device that takes the call is known."""

    call: CallId
    sid: str
    direction: Direction
    peer: Address
    media: frozenset[str]
    proceeded: bool = False
    device: int | None = None
    """The OMEMO device of the peer that takes the call, if it has one."""
    rang: bool = False
    receipt: str = ""
    """The id of the message whose sender asked for a receipt."""
    contested: bool = False
    """Whether the peer proposed at the same time, and lost."""
    early: list[Jingle] = field(default_factory=list)
    """Requests that overtook the offer."""

    @property
    def key(self) -> Key:
        return self.sid, self.peer.bare


class Initiation:
    """The proposals of one account, from the first message until the call is over.

    ``own`` is the full address of this device. Keys of calls that are over are in ``ended``, which the owner fills
    when it forgets a call: a repeated proposal never rings twice.
    """

    def __init__(
        self,
        *,
        own: Address,
        new_id: Callable[[], str],
        doorkeeper: Doorkeeper,
        other_devices: Callable[[], bool],
        profile: Callable[[Address], PeerProfile],
        proposal_age: float,
        ended: Memory[Key],
        omemo_device: Callable[[], int | None],
    ) -> None:
        self.own = own
        self._omemo_device = omemo_device
        self._new_id = new_id
        self._doorkeeper = doorkeeper
        self._other_devices = other_devices
        self._profile = profile
        self._proposal_age = proposal_age
        self._ended = ended
        self._proposals: dict[Key, Proposal] = {}

    def find(self, sid: str, peer: Address) -> Proposal | None:
        return self._proposals.get((sid, peer.bare))

    def of_call(self, call: CallId) -> Proposal | None:
        return next((proposal for proposal in self._proposals.values() if proposal.call == call), None)

    def remove(self, proposal: Proposal, now: float) -> None:
        """Forget a proposal, and remember that it was."""
        self._proposals.pop(proposal.key, None)
        self._ended.add(proposal.key, now)

    # --- what this side does ------------------------------------------------------------------------------------------

    def propose(self, call: CallId, sid: str, peer: Address, media: frozenset[str], now: float) -> list[Output]:
        """Ring all devices of the peer (XEP-0353, 3.1), or the one alone that ``peer`` names.

        A proposal of the peer that rings here already, because it came while the own user dialled, is taken instead.
        """
        ringing = self._undecided(Direction.INCOMING, peer)
        if ringing is not None:
            before, ringing.call = ringing.call, call
            over = Ended(EndReason.SUCCESS, Origin.ELSEWHERE, "you called each other at once")
            return [Deliver(before, over), Deliver(call, GlareLost())]
        proposal = Proposal(call, sid, Direction.OUTGOING, peer.bare, media)
        self._proposals[proposal.key] = proposal
        message = serialize_message(
            JingleMessage(kind=MessageKind.PROPOSE, id=sid, media=media),
            peer,
            message_id=_PROPOSE_PREFIX + sid,
            request_receipt=True,
        )
        return [SendMessage(message, now + PROPOSAL_SECONDS)]

    def admit(self, call: CallId, sid: str, peer: Address, media: frozenset[str]) -> None:
        """Take a proposal of the peer for a call that is there already: a person has agreed to it before."""
        proposal = Proposal(call, sid, Direction.INCOMING, peer, media)
        self._proposals[proposal.key] = proposal

    def ring(self, proposal: Proposal, now: float) -> list[Output]:
        """Tell the caller that it rings (XEP-0353, 3.2), in both ways that are understood."""
        expires = now + RINGING_SECONDS
        outputs: list[Output] = []
        if proposal.receipt:
            outputs.append(SendMessage(serialize_receipt(proposal.receipt, proposal.peer), expires))
        return [*outputs, self._say(MessageKind.RINGING, proposal, proposal.peer, expires=expires)]

    def proceed(self, proposal: Proposal, now: float) -> list[Output]:
        """Take the call (XEP-0353, 3.3): own other devices stop ringing, the caller sends its offer to this one."""
        if proposal.direction is Direction.OUTGOING or proposal.proceeded:
            return []
        proposal.proceeded = True
        expires = now + PROCEED_SECONDS
        return [
            self._say(MessageKind.ACCEPT, proposal, self.own.bare, expires=expires),
            self._say(
                MessageKind.PROCEED,
                proposal,
                proposal.peer,
                message_id=_PROCEED_PREFIX + proposal.sid,
                expires=expires,
                device=self._omemo_device(),
            ),
        ]

    def end(self, proposal: Proposal, reason: EndReason, text: str) -> list[Output]:
        """Retract or reject (XEP-0353, 3.4 and 3.5). No success has happened yet, whatever the reason says."""
        if proposal.direction is Direction.OUTGOING:
            reason = _unless_success(reason, EndReason.CANCEL)
            return [self._say(MessageKind.RETRACT, proposal, proposal.peer, reason=reason, text=text)]
        reason = _unless_success(reason, EndReason.DECLINE)
        outputs: list[Output] = [self._say(MessageKind.REJECT, proposal, proposal.peer, reason=reason, text=text)]
        if not proposal.proceeded:
            # Not every server makes carbons of messages without a body, and Movim does not look into carbons.
            outputs.append(self._say(MessageKind.REJECT, proposal, self.own.bare, reason=reason))
        return outputs

    # --- what is heard ------------------------------------------------------------------------------------------------

    def receive(self, said: JingleMessage, envelope: Envelope, now: float) -> list[Output]:
        """Take a message of the peer, or of an own other device."""
        if envelope.carbon == "sent" or envelope.sender.bare == self.own.bare:
            return self._own_device(said, envelope)
        # What was addressed to another device of this account is that device's business.
        if envelope.to != self.own.bare and (envelope.to != self.own or envelope.carbon is not None):
            return []
        match said.kind:
            case MessageKind.PROPOSE:
                return self._proposed(said, envelope, now)
            case MessageKind.PROCEED:
                return self._proceeded(said, envelope, now)
            case MessageKind.RINGING:
                return self._rang(self.find(said.id, envelope.sender))
            case MessageKind.REJECT:
                return self._rejected(said, envelope)
            case MessageKind.RETRACT | MessageKind.FINISH:
                return self._retracted(said, envelope)
            case _:
                # An accept is for the devices of the one who sends it.
                return []

    def receipt(self, message_id: str, sender: Address) -> list[Output]:
        """A device of the peer has the proposal: all that some clients ever say about ringing."""
        return self._rang(self._by_message(_PROPOSE_PREFIX, message_id, sender))

    def bounced(self, message_id: str, sender: Address) -> list[Output]:
        """A server gave a message of this side back (RFC 6120, 8.3)."""
        proposal = self._by_message(_PROPOSE_PREFIX, message_id, sender)
        if proposal is not None and proposal.direction is Direction.OUTGOING and not proposal.rang:
            text = "the peer's server says that nobody can be reached there"
            return [] if proposal.proceeded else self._over(proposal, Ended(EndReason.GONE, Origin.NETWORK, text))
        proposal = self._by_message(_PROCEED_PREFIX, message_id, sender)
        if proposal is not None and proposal.direction is Direction.INCOMING and proposal.proceeded:
            text = "the caller cannot be reached any more"
            return self._over(proposal, Ended(EndReason.CONNECTIVITY_ERROR, Origin.NETWORK, text))
        return []

    def _own_device(self, said: JingleMessage, envelope: Envelope) -> list[Output]:
        """Another device of this account took or declined the call (XEP-0353, 3.3 and 3.4)."""
        if envelope.sender.bare != self.own.bare or envelope.sender == self.own:
            return []
        own_audience = envelope.to.bare == self.own.bare
        if said.kind not in (MessageKind.ACCEPT, MessageKind.REJECT) and (own_audience or envelope.carbon != "sent"):
            return []
        if said.kind not in (MessageKind.ACCEPT, MessageKind.PROCEED, MessageKind.REJECT):
            return []
        for proposal in self._proposals.values():
            if proposal.direction is Direction.OUTGOING or proposal.proceeded or proposal.sid != said.id:
                continue
            if own_audience or envelope.to.bare == proposal.peer.bare:
                reason = EndReason.DECLINE if said.kind is MessageKind.REJECT else EndReason.SUCCESS
                return self._over(proposal, Ended(reason, Origin.ELSEWHERE))
        return []

    def _proposed(self, said: JingleMessage, envelope: Envelope, now: float) -> list[Output]:
        peer = envelope.sender
        key = (said.id, peer.bare)
        if self._ended.holds(key, now):
            return []
        age = max(0.0, now - envelope.stamp) if envelope.stamp is not None else 0.0
        rival = self._undecided(Direction.OUTGOING, peer)
        if rival is not None and age < self._proposal_age and "audio" in said.media:
            return self._tie_break(rival, said, peer, now)
        if key in self._proposals or len(self._proposals) >= MAXIMUM_PROPOSALS:
            return []
        incoming = IncomingCall(call=CallId(self._new_id()), peer=peer, media=said.media, age=age)
        screening = self._doorkeeper.judge(incoming, now) if "audio" in said.media else Screening.SILENT
        if screening is Screening.RING and age < self._proposal_age:
            receipt = envelope.id if envelope.wants_receipt else ""
            proposal = Proposal(incoming.call, said.id, Direction.INCOMING, peer, said.media, receipt=receipt)
            self._proposals[key] = proposal
            return [Incoming(incoming, PeerProposed(announce=True))]
        self._ended.add(key, now)
        if screening is Screening.SILENT:
            return self._doorkeeper.note_silently(incoming, now)
        if age >= self._proposal_age:
            return [Missed(incoming, "missed")]
        outputs: list[Output] = [Missed(incoming, "busy")]
        if not self._other_devices():
            busy = JingleMessage(kind=MessageKind.REJECT, id=said.id, reason=EndReason.BUSY)
            outputs.append(SendMessage(serialize_message(busy, peer)))
        return outputs

    def _undecided(self, direction: Direction, peer: Address) -> Proposal | None:
        """A proposal to or from the person ``peer`` that no device has taken yet."""
        return next(
            (
                p
                for p in self._proposals.values()
                if p.direction is direction and not p.proceeded and p.peer.bare == peer.bare
            ),
            None,
        )

    def _tie_break(self, ours: Proposal, said: JingleMessage, peer: Address, now: float) -> list[Output]:
        """Both called at once: the lower session id wins, then the lower address (XEP-0353, 6.1)."""
        mine = (ours.sid.encode("utf-8", "surrogatepass"), str(self.own.bare).encode())
        theirs = (said.id.encode("utf-8", "surrogatepass"), str(peer.bare).encode())
        lost = JingleMessage(kind=MessageKind.REJECT, id=said.id, reason=EndReason.EXPIRED, tie_break=True)
        if mine < theirs:
            ours.contested = True
            self._ended.add((said.id, peer.bare), now)
            return [SendMessage(serialize_message(lost, peer))]
        retract = JingleMessage(kind=MessageKind.RETRACT, id=ours.sid, reason=EndReason.EXPIRED, tie_break=True)
        self.remove(ours, now)
        self.admit(ours.call, said.id, peer, said.media)
        return [SendMessage(serialize_message(retract, peer.bare)), Deliver(ours.call, GlareLost())]

    def _proceeded(self, said: JingleMessage, envelope: Envelope, now: float) -> list[Output]:
        proposal = self.find(said.id, envelope.sender)
        if proposal is None or proposal.direction is Direction.INCOMING:
            known = proposal is not None or self._ended.holds((said.id, envelope.sender.bare), now)
            if known or envelope.to != self.own or not self._doorkeeper.in_roster(envelope.sender.bare):
                return []
            return [SendMessage(serialize_unknown_session(envelope.sender, envelope.id), now + PROCEED_SECONDS)]
        if proposal.proceeded:
            return []
        proposal.proceeded = True
        proposal.peer = envelope.sender
        proposal.device = said.device
        profile = self._profile(envelope.sender)
        return [Deliver(proposal.call, PeerProceeded(profile.answer_within, profile.gather_fully))]

    def _rang(self, proposal: Proposal | None) -> list[Output]:
        if proposal is None or proposal.direction is Direction.INCOMING or proposal.proceeded or proposal.rang:
            return []
        proposal.rang = True
        return [Deliver(proposal.call, PeerRinging())]

    def _rejected(self, said: JingleMessage, envelope: Envelope) -> list[Output]:
        proposal = self.find(said.id, envelope.sender)
        if proposal is None or proposal.direction is Direction.INCOMING:
            return []
        # Once a device proceeded it alone speaks; a tie-break says that the peer's own proposal goes on instead.
        if said.tie_break or (proposal.proceeded and envelope.sender != proposal.peer):
            return []
        usual = EndReason.BUSY if proposal.contested else EndReason.DECLINE
        return self._over(proposal, Ended(_unless_success(said.reason, usual), Origin.REMOTE, said.text))

    def _retracted(self, said: JingleMessage, envelope: Envelope) -> list[Output]:
        proposal = self.find(said.id, envelope.sender)
        if proposal is None or envelope.sender != proposal.peer:
            return []
        return self._over(proposal, Ended(_unless_success(said.reason, EndReason.CANCEL), Origin.REMOTE, said.text))

    # --- parts --------------------------------------------------------------------------------------------------------

    def _by_message(self, prefix: str, message_id: str, sender: Address) -> Proposal | None:
        return self.find(message_id.removeprefix(prefix), sender) if message_id.startswith(prefix) else None

    def _over(self, proposal: Proposal, ended: Ended) -> list[Output]:
        return [Deliver(proposal.call, ended), Forget(proposal.call)]

    def _say(
        self,
        kind: MessageKind,
        proposal: Proposal,
        to: Address,
        *,
        message_id: str = "",
        reason: EndReason | None = None,
        text: str = "",
        expires: float | None = None,
        device: int | None = None,
    ) -> SendMessage:
        said = JingleMessage(kind=kind, id=proposal.sid, reason=reason, text=text, device=device)
        return SendMessage(serialize_message(said, to, message_id=message_id), expires)


def _unless_success(reason: EndReason | None, usual: EndReason) -> EndReason:
    """What a call that never began ended with: no reason, and success too, mean the usual one."""
    return usual if reason is None or reason is EndReason.SUCCESS else reason
