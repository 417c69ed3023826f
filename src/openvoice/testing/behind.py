"""A media engine behind an impaired link: whole clients on a bad network, with no change to either."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from openvoice.core.description import Candidate, CandidateType, Content, SessionDescription
from openvoice.core.inputs import LocalCandidates, MediaInput
from openvoice.core.statistics import CallStatistics
from openvoice.core.types import Role, VideoLabel
from openvoice.ports import MediaEngine, MediaSession, MediaSettings, RelayServer
from openvoice.testing.link import ImpairedLink
from openvoice.testing.nat import Nat


class EngineBehindLink:
    """Wraps a media engine on loopback so that all its UDP passes through ``link``.

    It swaps addresses where they pass by: the peer's candidates and the STUN and TURN servers become gates of the link;
    the own host candidates become outside ports, or disappear where a NAT makes them unreachable.
    TURN over TCP and TLS goes its own way, unimpaired.
    """

    def __init__(self, engine: MediaEngine, link: ImpairedLink) -> None:
        self._engine = engine
        self._link = link

    def session(self, settings: MediaSettings, notify: Callable[[MediaInput], None]) -> MediaSession:
        relays = tuple(self._relay_inward(relay) for relay in settings.relays)

        def notify_outward(message: MediaInput) -> None:
            if isinstance(message, LocalCandidates):
                message = replace(message, candidates=self.outward(message.candidates))
            notify(message)

        return _SessionBehindLink(self._engine.session(replace(settings, relays=relays), notify_outward), self)

    async def close(self) -> None:
        await self._engine.close()

    def outward(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """The own candidates as the peer can use them."""
        return tuple(shown for candidate in candidates if (shown := self._outward(candidate)) is not None)

    def inward(self, candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
        """The peer's candidates as the device behind the link can use them."""
        return tuple(self._inward(candidate) for candidate in candidates)

    def _outward(self, candidate: Candidate) -> Candidate | None:
        if candidate.type is not CandidateType.HOST:
            return replace(candidate, related_address=None, related_port=None)
        if self._link.nat is not Nat.NONE:
            return None
        address, port = self._link.outside((candidate.address, candidate.port))
        return replace(candidate, address=address, port=port)

    def _inward(self, candidate: Candidate) -> Candidate:
        address, port = self._link.gate((candidate.address, candidate.port))
        return replace(candidate, address=address, port=port, related_address=None, related_port=None)

    def _relay_inward(self, relay: RelayServer) -> RelayServer:
        if relay.transport != "udp":
            return relay
        host, port = self._link.gate((relay.host, relay.port))
        return replace(relay, host=host, port=port)


class _SessionBehindLink:
    def __init__(self, session: MediaSession, engine: EngineBehindLink) -> None:
        self._session = session
        self._engine = engine

    async def open(
        self, role: Role, offer: SessionDescription | None, gather_fully: bool = False, video: bool = False
    ) -> SessionDescription:
        offer = self._described(offer, self._engine.inward) if offer else None
        return self._described(await self._session.open(role, offer, gather_fully, video), self._engine.outward)

    async def apply_answer(self, answer: SessionDescription) -> None:
        await self._session.apply_answer(self._described(answer, self._engine.inward))

    async def propose_content(self, name: str, label: VideoLabel) -> Content:
        return _with_candidates(await self._session.propose_content(name, label), self._engine.outward)

    async def answer_contents(self, contents: Sequence[Content], bundle: Sequence[str]) -> Sequence[Content]:
        offered = [_with_candidates(content, self._engine.inward) for content in contents]
        answered = await self._session.answer_contents(offered, bundle)
        return tuple(_with_candidates(content, self._engine.outward) for content in answered)

    async def settle(self, local: SessionDescription, remote: SessionDescription) -> None:
        await self._session.settle(local, self._described(remote, self._engine.inward))

    async def show(self, label: VideoLabel, content: str | None) -> None:
        await self._session.show(label, content)

    async def add_candidates(self, content: str, candidates: Sequence[Candidate]) -> None:
        await self._session.add_candidates(content, self._engine.inward(candidates))

    async def open_gate(self) -> None:
        await self._session.open_gate()

    async def restart(self, remote: Sequence[tuple[str, str, str]]) -> Sequence[tuple[str, str, str]]:
        return await self._session.restart(remote)

    async def apply_restart(self, credentials: Sequence[tuple[str, str, str]]) -> None:
        await self._session.apply_restart(credentials)

    def network_changed(self) -> None:
        self._session.network_changed()

    async def set_muted(self, muted: bool) -> None:
        await self._session.set_muted(muted)

    async def set_peer_muted(self, content: str, muted: bool) -> None:
        await self._session.set_peer_muted(content, muted)

    async def set_held(self, held: bool) -> None:
        await self._session.set_held(held)

    async def play_digits(self, digits: str) -> None:
        await self._session.play_digits(digits)

    def statistics(self) -> CallStatistics:
        return self._session.statistics()

    async def close(self) -> None:
        await self._session.close()

    @staticmethod
    def _described(description: SessionDescription, change: _Change) -> SessionDescription:
        return replace(
            description, contents=tuple(_with_candidates(content, change) for content in description.contents)
        )


_Change = Callable[[Sequence[Candidate]], tuple[Candidate, ...]]


def _with_candidates(content: Content, change: _Change) -> Content:
    return replace(content, transport=replace(content.transport, candidates=change(content.transport.candidates)))
