"""A call that goes on in a new session: begun by this side, or by the peer (XEP-0353, 6.2).

The new session has an id of its own. Nobody has to agree again on this side; what the call demands of its protection is
the machine's business.
"""

from __future__ import annotations

from collections.abc import Callable

from openvoice.core.address import Address
from openvoice.core.inputs import PeerMigrated, PeerProceeded, PeerProposed
from openvoice.core.remedies import Renewal
from openvoice.core.types import EndReason, Role
from openvoice.errors import MalformedStanza
from openvoice.jingle.envelope import Envelope
from openvoice.jingle.initiation import Initiation, Key
from openvoice.jingle.limits import Memory
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import Jingle, JingleMessage, MessageKind
from openvoice.jingle.outputs import Deliver, Output, ReplyResult, SendIq, SendMessage
from openvoice.jingle.session import Session
from openvoice.jingle.sessions import Dialled, Sessions

LATE_MOVE = 40.0
"""Seconds that the proposal of a move may be on its way, while the own stream is down or the device sleeps."""


class Moving:
    """Of the sessions of one account."""

    def __init__(
        self, *, initiation: Initiation, sessions: Sessions, ended: Memory[Key], new_id: Callable[[], str]
    ) -> None:
        self._initiation = initiation
        self._sessions = sessions
        self._ended = ended
        self._new_id = new_id

    def renew(self, session: Session, media: frozenset[str], now: float) -> list[Output]:
        """Leave ``session``, and begin another one with the same device, in the way in which this one began.

        A client that does not know that it is the same call refuses a second one: there the first is ended before.
        """
        silent = session.profile.renewal is Renewal.SILENT
        farewell = [] if silent else session.terminate(EndReason.CONNECTIVITY_ERROR)
        self._leave(session, now)
        dialled = self._sessions.dialled[session.call] = Dialled(session.peer, self._new_id(), media)
        if session.proposed is None:
            profile = session.profile
            return [*farewell, Deliver(session.call, PeerProceeded(profile.answer_within, profile.gather_fully))]
        return [*farewell, *self._initiation.propose(session.call, dialled.sid, dialled.peer, dialled.media, now)]

    def migrating(self, said: JingleMessage, envelope: Envelope, now: float) -> Session | None:
        """The session that the peer moves by a proposal, if that is what the proposal does."""
        peer = envelope.sender
        fresh = self._initiation.find(said.id, peer) is None and not self._ended.holds((said.id, peer.bare), now)
        live = envelope.carbon is None and now - (envelope.stamp or now) < LATE_MOVE
        ours = envelope.to in (self._initiation.own, self._initiation.own.bare)
        if said.kind is not MessageKind.PROPOSE or not fresh or not live or not ours:
            return None
        return self._sessions.movable(peer, said.media)

    def migrate(self, session: Session, said: JingleMessage, peer: Address, now: float) -> list[Output]:
        """Leave the old session and wait for the offer of the new one.

        A client that knows nothing of moves, but whose user calls again, holds on to the old session until it is ended.
        """
        same = session.peer == peer and session.profile.renewal is not Renewal.SILENT
        farewell = [o for o in session.terminate(EndReason.EXPIRED) if isinstance(o, SendIq)] if same else []
        finish = JingleMessage(kind=MessageKind.FINISH, id=session.sid, reason=EndReason.EXPIRED, migrated=said.id)
        self._leave(session, now)
        self._initiation.admit(session.call, said.id, peer, said.media)
        told = SendMessage(serialize_message(finish, session.peer))
        return [*farewell, told, Deliver(session.call, PeerMigrated())]

    def replace(self, session: Session, request: str, offer: Jingle, now: float) -> list[Output]:
        """Take an offer of the very device that ``session`` is with: it has given up that one.

        An offer that cannot be answered is no reason to give up a session: it alone ends.
        """
        fresh = self._sessions.make(session.call, offer.sid, session.peer, Role.RESPONDER)
        reply = ReplyResult(request, session.peer)
        try:
            first = fresh.ring_with(offer)
        except MalformedStanza as error:
            self._ended.add((offer.sid, session.peer.bare), now)
            return [reply, *fresh.terminate(EndReason(error.condition), str(error))]
        farewell = session.terminate(EndReason.EXPIRED)
        self._leave(session, now)
        self._sessions.add(fresh)
        moved: list[Output] = [reply, *farewell, Deliver(session.call, PeerMigrated())]
        # What is sealed is opened when the call proceeds.
        return moved if isinstance(first, PeerProposed) else [*moved, Deliver(session.call, first)]

    def _leave(self, session: Session, now: float) -> None:
        self._sessions.remove(session.call)
        self._ended.add((session.sid, session.peer.bare), now)
        proposal = self._initiation.of_call(session.call)
        if proposal is not None:
            self._initiation.remove(proposal, now)
