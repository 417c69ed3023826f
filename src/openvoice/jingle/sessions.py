"""The sessions of one account: how they are made, and found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from openvoice.core import effects as e
from openvoice.core.address import Address
from openvoice.core.types import CallId, Role
from openvoice.jingle.outputs import Output
from openvoice.jingle.peers import PeerProfile
from openvoice.jingle.session import Session, SessionState


@dataclass(frozen=True, slots=True)
class Dialled:
    """A call of this side, and whom it goes to; ``sid`` is the id of the session that it wants."""

    peer: Address
    sid: str
    media: frozenset[str]


class Sessions:
    """At most one session for each call. ``profile`` and ``able`` are as for the endpoint."""

    def __init__(
        self, *, new_id: Callable[[], str], profile: Callable[[Address], PeerProfile], able: Callable[[], bool]
    ) -> None:
        self._new_id = new_id
        self._profile = profile
        self._able = able
        self._by_call: dict[CallId, Session] = {}
        self.dialled: dict[CallId, Dialled] = {}

    def make(
        self, call: CallId, sid: str, peer: Address, role: Role, *, proposed: frozenset[str] | None = None
    ) -> Session:
        """A session that is not among these yet; ``proposed`` are the media of the proposal that began it, if any."""
        return Session(
            call=call,
            sid=sid,
            peer=peer,
            role=role,
            profile=self._profile(peer),
            new_id=self._new_id,
            proposed=proposed,
            able=self._able,
        )

    def add(self, session: Session) -> Session:
        self._by_call[session.call] = session
        return session

    def of_call(self, call: CallId) -> Session | None:
        return self._by_call.get(call)

    def find(self, sid: str, peer: Address) -> Session | None:
        """The session with just this device."""
        return next((s for s in self._by_call.values() if (s.sid, s.peer) == (sid, peer)), None)

    def with_person(self, sid: str, peer: Address) -> bool:
        """Whether there is one of this id with any device of that person."""
        return any((s.sid, s.peer.bare) == (sid, peer.bare) for s in self._by_call.values())

    def with_device(self, peer: Address) -> bool:
        return any(session.peer == peer for session in self._by_call.values())

    def movable(self, peer: Address, media: frozenset[str]) -> Session | None:
        """The one that a device of the person ``peer`` may take over (XEP-0353, 6.2).

        Another device needs the same media for it. The very device of the session may have others: it has left the
        session, perhaps while pictures came to it or went.
        """
        for session in self._by_call.values():
            agreed = session.remote.media if session.remote is not None else frozenset()
            same = media == agreed or (session.peer == peer and "audio" in media & agreed)
            if same and session.state is SessionState.ACTIVE and session.peer.bare == peer.bare:
                return session
        return None

    def replaceable(self, peer: Address, media: frozenset[str]) -> Session | None:
        """The one that the device ``peer`` itself may begin anew."""
        session = self.movable(peer, media)
        return session if session is not None and session.peer == peer else None

    def request_finished(self, request: str, error: str | None) -> list[Output]:
        """Tell the session whose request it was."""
        told = (session.request_finished(request, error) for session in list(self._by_call.values()))
        return list(chain.from_iterable(outputs for outputs in told if outputs is not None))

    def remove(self, call: CallId) -> Session | None:
        return self._by_call.pop(call, None)


def perform_in(session: Session, effect: e.SignallingEffect) -> list[Output]:
    """Say what a call wants said in a session that is there."""
    match effect:
        case e.SendAnswer(answer):
            return session.accept(answer)
        case e.SendCandidates(content, candidates):
            return session.trickle(content, candidates)
        case e.SendRestart(credentials, answering):
            return session.restart(credentials, answering=answering)
        case e.SendInformation(information, content):
            return session.inform(information, content)
        case e.SendContentAdd(contents, bundle):
            return session.contents.add(contents, bundle)
        case e.SendContentAccept(contents, bundle):
            return session.contents.accept(contents, bundle)
        case e.SendContentReject(names):
            return session.contents.reject(names)
        case e.SendContentModify(senders):
            return session.contents.modify(senders)
        case e.SendContentRemove(names):
            return session.contents.remove(names)
        case _:
            return []
