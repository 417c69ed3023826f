"""One ICE agent (RFC 8445) with trickle in both directions (RFC 8838), on the check list of aioice.

What it adds to :class:`aioice.Connection`: host candidates are ready at once and the others follow; any number of
STUN and TURN servers, none of them by default; the datagram guard; a bounded check list; failure only by the
deadline of the caller, since XMPP clients do not say when their candidates end; nomination of the best pair instead
of the first; and consent that is asked for by the transport and never closes anything by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import aioice
from aioice import ice, stun
from aioice.ice import CandidatePair, StunProtocol

from openvoice.core.contacts import Contact, ContactKind
from openvoice.core.description import Candidate, CandidateType
from openvoice.media import relay
from openvoice.media.candidates import acceptable, from_description
from openvoice.media.gathering import GatheringAgent
from openvoice.media.guard import GuardedSocket
from openvoice.ports import MediaSettings

CHECK_INTERVAL = 0.02
"""Seconds between two new checks: Ta is 50 ms by default, and no less than 5 ms (RFC 8445, 14.2)."""
MAXIMUM_REMOTE_CANDIDATES = 64
MAXIMUM_PAIRS = 100
"""RFC 8445, 6.1.2.5."""
NOMINATION_DELAY = 0.2
"""Seconds that better pairs get after the first success, before the best so far is nominated."""
CLOSING_TIMEOUT = 0.5
"""Seconds that TURN servers get to confirm the end of their allocations."""


class IceAgent(GatheringAgent):
    """Finds a path to the peer and keeps the sockets of it.

    Gather, set the remote credentials, :meth:`connect`; candidates may be added at any time. Authenticated datagrams
    of the path go to ``deliver``, ``consented`` is told of each answered consent check, and ``moved`` of each change
    of the selected pair. All are called on the event loop and must not wait.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        settings: MediaSettings,
        deliver: Callable[[bytes], None],
        found: Callable[[GatheringAgent, Candidate], None],
        consented: Callable[[GatheringAgent], None],
        moved: Callable[[GatheringAgent], None],
        contacted: Callable[[Contact], None],
    ) -> None:
        super().__init__(controlling=controlling, settings=settings, found=found, contacted=contacted)
        # With these two aioice checks without USE-CANDIDATE and leaves the nomination to _nominate_best.
        self.remote_is_lite = True
        self._nominating.add(1)
        self._deliver = deliver
        self._consented = consented
        self._moved = moved
        self._tasks: set[asyncio.Task[None]] = set()
        self._nomination: asyncio.TimerHandle | None = None
        self._nominated_by: asyncio.Task[None] | None = None
        self._last_nominated: CandidatePair | None = None
        self._last_selected: CandidatePair | None = None

    def _make_socket(self) -> GuardedSocket:
        return GuardedSocket(self)

    # --- checks -------------------------------------------------------------------------------------------------------

    def add_candidate(self, candidate: Candidate) -> None:
        """Take a candidate of the peer, unless it is one that no honest peer sends or one too many."""
        if candidate.type is CandidateType.RELAY:
            # The peer's checks may come from there before it says that a relay lends it the address.
            for contact in self._checked.get((candidate.address, candidate.port), ()):
                self._contacts.note(replace(contact, kind=ContactKind.PEER_RELAY))
        if not self._closing and acceptable(candidate, loopback=self._loopback) and self._has_room:
            self._add_remote_candidate(from_description(candidate), candidate.address)

    @property
    def _has_room(self) -> bool:
        return len(self._remote_candidates) < MAXIMUM_REMOTE_CANDIDATES

    async def connect(self) -> None:
        """Check pairs until one is nominated. Waits for more candidates for as long as the caller does.

        Raises ``ConnectionError`` when the agent is closed meanwhile.
        """
        for remote in self._remote_candidates:
            self._pair_remote_candidate(remote)
        self.sort_check_list()
        self._unfreeze_initial()
        for check in self._early_checks:
            self.check_incoming(*check)
        self._early_checks.clear()
        self._early_checks_done = True
        while self._check_periodic():  # noqa: ASYNC110 (a pace, not a wait)
            await asyncio.sleep(CHECK_INTERVAL)
        if await self._check_list_state.get() != ice.ICE_COMPLETED:
            raise ConnectionError("the ICE agent was closed")

    def pair_with(self, socket: StunProtocol, remote: tuple[str, int]) -> CandidatePair | None:
        """The pair of a local socket and a remote address, if there is one."""
        selected = self._nominated.get(1)
        if selected is not None and selected.protocol is socket and selected.remote_addr == remote:
            return selected
        return next((p for p in self._check_list if p.protocol is socket and p.remote_addr == remote), None)

    def _pair_remote_candidate(self, remote_candidate: aioice.Candidate) -> None:
        if len(self._check_list) < MAXIMUM_PAIRS:
            super()._pair_remote_candidate(remote_candidate)

    def check_incoming(self, message: stun.Message, addr: tuple[str, int], protocol: StunProtocol) -> None:
        if self._has_room or any((c.host, c.port) == addr for c in self._remote_candidates):
            super().check_incoming(message, addr, protocol)

    def check_complete(self, pair: CandidatePair) -> None:
        super().check_complete(pair)
        if pair.state is CandidatePair.State.SUCCEEDED and isinstance(pair.protocol, GuardedSocket):
            pair.protocol.release(pair)
        self._consider_nomination()
        self._tell_selected()

    def _tell_selected(self) -> None:
        if self.selected_pair is not self._last_selected:
            self._last_selected = self.selected_pair
            self._moved(self)

    def switch_role(self, ice_controlling: bool) -> None:
        super().switch_role(ice_controlling)
        self._consider_nomination()

    # --- nomination (RFC 8445, 8.1.1) ---------------------------------------------------------------------------------

    def _best_pair(self) -> CandidatePair | None:
        return next((pair for pair in self._check_list if pair.state is CandidatePair.State.SUCCEEDED), None)

    def _consider_nomination(self) -> None:
        """Nominate the best pair at once if nothing better can succeed any more, else a little later."""
        best = self._best_pair()
        if not self.ice_controlling or best is None or best is self._last_nominated or self._closing:
            return
        better = self._check_list[: self._check_list.index(best)]
        if self._nominated or all(pair.state is CandidatePair.State.FAILED for pair in better):
            self._nominate_best()
        elif self._nomination is None:
            self._nomination = asyncio.get_running_loop().call_later(NOMINATION_DELAY, self._nominate_best)

    def _nominate_best(self) -> None:
        if self._nomination is not None:
            self._nomination.cancel()
            self._nomination = None
        best = self._best_pair()
        if self.ice_controlling and best is not None and best is not self._last_nominated:
            self._begin_nomination(best)

    def _begin_nomination(self, pair: CandidatePair) -> None:
        if self._nominated_by is not None:
            # What is still sent again could reach the peer after what is nominated now.
            self._nominated_by.cancel()
        self._last_nominated = pair
        self._nominated_by = self._run(self._tasks, self._nominate(pair))

    async def _nominate(self, pair: CandidatePair) -> None:
        try:
            await self._request(pair, nominate=True)
        except stun.TransactionError:
            self.check_state(pair, CandidatePair.State.FAILED)
        else:
            pair.nominated = True
        self.check_complete(pair)

    # --- the selected pair --------------------------------------------------------------------------------------------

    @property
    def selected_pair(self) -> CandidatePair | None:
        return self._nominated.get(1)

    def receive(self, pair: CandidatePair, datagram: bytes) -> None:
        """A datagram that is not STUN came by a pair whose check succeeded."""
        self._deliver(datagram)

    def cannot_send(self, socket: GuardedSocket) -> None:
        """The system refused to send from a socket: its address or its way is gone."""

    def send_datagram(self, datagram: bytes) -> None:
        """Send by the selected pair, without waiting; without a pair it is lost like any datagram may be."""
        pair = self._nominated.get(1)
        if pair is not None and isinstance(pair.protocol, GuardedSocket):
            pair.protocol.send(datagram, pair.remote_addr)

    def check_consent(self) -> None:
        """Ask whether the peer still wants what we send (RFC 7675, 5.1). The answer goes to ``consented``."""
        pair = self._nominated.get(1)
        if pair is not None and not self._closing:
            self._run(self._tasks, self._ask(pair))

    async def _ask(self, pair: CandidatePair) -> None:
        asked = asyncio.get_running_loop().time()
        try:
            # One retransmission is what makes aioice wait longer than 500 ms for the answer.
            await self._request(pair, nominate=False, retransmissions=1)
        except stun.TransactionError:
            self._handle_silence(pair, asked)
        else:
            self._handle_answer(pair)

    def _handle_answer(self, pair: CandidatePair) -> None:
        if pair is self.selected_pair:
            self._consented(self)

    def _handle_silence(self, pair: CandidatePair, asked: float) -> None:
        """What was asked at ``asked`` was not answered. Whoever asks often decides when that is too long."""

    async def _request(self, pair: CandidatePair, *, nominate: bool, retransmissions: int | None = None) -> None:
        assert self.remote_password is not None
        _, source = await pair.protocol.request(
            self.build_request(pair, nominate=nominate),
            pair.remote_addr,
            integrity_key=self.remote_password.encode(),
            retransmissions=retransmissions,
        )
        if source != pair.remote_addr:
            raise stun.TransactionError("the answer came from somewhere else")

    # --- the end ------------------------------------------------------------------------------------------------------

    async def close(self) -> None:
        """Let every socket and allocation go, within :data:`CLOSING_TIMEOUT`."""
        self._closing = True
        if self._nomination is not None:
            self._nomination.cancel()
        running = self._gathering | self._tasks
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        sockets = self.sockets
        for socket in sockets:
            socket.transport.close()
        closing = asyncio.ensure_future(super().close())
        await asyncio.wait({closing}, timeout=CLOSING_TIMEOUT)
        if not closing.done():
            for socket in sockets:
                relay.abandon(socket)
            await closing

    def data_received(self, data: bytes, component: int) -> None:
        """What looks like STUN and is not. aioice would hand it on from anybody; the guard hands on the rest."""
