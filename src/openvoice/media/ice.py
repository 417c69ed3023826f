"""One ICE agent (RFC 8445) with trickle in both directions (RFC 8838), on the check list of aioice.

What it adds to :class:`aioice.Connection`: host candidates are ready at once and the others follow; any number of
STUN and TURN servers, none of them by default; the datagram guard; a bounded check list; failure only by the
deadline of the caller, since XMPP clients do not say when their candidates end; nomination of the best pair instead
of the first; and consent that is asked for by the transport and never closes anything by itself.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aioice
from aioice import ice, stun
from aioice.ice import CandidatePair, StunProtocol

from openvoice.core.contacts import Contact, ContactKind
from openvoice.core.description import Candidate, CandidateType
from openvoice.media import relay
from openvoice.media.candidates import (
    acceptable,
    from_description,
    hidden_address,
    local_addresses,
    make_local,
    on_loopback,
    to_description,
)
from openvoice.media.contacts import Contacts
from openvoice.media.guard import GuardedSocket
from openvoice.media.logs import quieten
from openvoice.ports import MediaSettings, RelayServer

CHECK_INTERVAL = 0.02
"""Seconds between two new checks: Ta is 50 ms by default, and no less than 5 ms (RFC 8445, 14.2)."""
MAXIMUM_REMOTE_CANDIDATES = 64
MAXIMUM_PAIRS = 100
"""RFC 8445, 6.1.2.5."""
NOMINATION_DELAY = 0.2
"""Seconds that better pairs get after the first success, before the best so far is nominated."""
CLOSING_TIMEOUT = 0.5
"""Seconds that TURN servers get to confirm the end of their allocations."""

_TRANSPORT_RANK = {"udp": 0, "tcp": 1, "tls": 2}

_log = logging.getLogger(__name__)


class IceAgent(aioice.Connection):
    """Finds a path to the peer and keeps the sockets of it.

    Gather, set the remote credentials, :meth:`connect`; candidates may be added at any time. Authenticated datagrams
    of the path go to ``deliver``, candidates found after :meth:`gather_candidates` returned go to ``found``,
    ``consented`` is told of each answered consent check, ``moved`` of each change of the selected pair, and
    ``contacted`` of everybody that packets go to. All are called on the event loop and must not wait.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        settings: MediaSettings,
        deliver: Callable[[bytes], None],
        found: Callable[[IceAgent, Candidate], None],
        consented: Callable[[], None],
        moved: Callable[[IceAgent], None],
        contacted: Callable[[Contact], None],
    ) -> None:
        quieten()
        policy = aioice.TransportPolicy.RELAY if settings.relay_only else aioice.TransportPolicy.ALL
        super().__init__(ice_controlling=controlling, transport_policy=policy)
        # With these two aioice checks without USE-CANDIDATE and leaves the nomination to _nominate_best.
        self.remote_is_lite = True
        self._nominating.add(1)
        self._settings = settings
        self._addresses = () if settings.relay_only else local_addresses(settings.interfaces)
        self._loopback = on_loopback(settings.interfaces)
        self.deliver = deliver
        self._found = found
        self._consented = consented
        self._moved = moved
        self._contacts = Contacts(contacted)
        self._reflectors: dict[tuple[str, int], str] = {}
        self._checked: dict[tuple[str, int], set[Contact]] = {}
        self._gathering: set[asyncio.Task[None]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._nomination: asyncio.TimerHandle | None = None
        self._last_nominated: CandidatePair | None = None
        self._last_selected: CandidatePair | None = None

    # --- gathering ----------------------------------------------------------------------------------------------------

    async def gather_candidates(self) -> None:
        """Bind the host candidates; ask the servers in the background, all at once."""
        for rank, address in enumerate(self._addresses):
            await self._bind(address, rank)
        self._local_candidates_end = True
        hosts = self.sockets
        for rank, server in enumerate(self._settings.relays):
            if server.kind == "turn":
                self._run(self._gathering, self._add_relayed(server, rank))
            elif server.transport == "udp":
                for socket in hosts:
                    self._run(self._gathering, self._add_reflexive(server, socket, rank))

    async def gathered(self, timeout: float) -> None:
        """Wait until every server answered or was given up, ``timeout`` seconds at most."""
        if self._gathering:
            await asyncio.wait(self._gathering, timeout=timeout)

    async def _bind(self, address: str, rank: int) -> None:
        loop = asyncio.get_running_loop()
        try:
            transport, socket = await loop.create_datagram_endpoint(
                lambda: GuardedSocket(self), local_addr=(address, 0)
            )
        except OSError as error:
            _log.debug("no host candidate on %s: %s", address, error)
            return
        if self._closing:
            transport.abort()
            return
        port = transport.get_extra_info("sockname")[1]
        socket.local_candidate = make_local(CandidateType.HOST, (address, port), rank=rank, base=address)
        self._protocols.append(socket)
        self._local_candidates.append(socket.local_candidate)

    async def _add_reflexive(self, server: RelayServer, socket: GuardedSocket, rank: int) -> None:
        host = socket.local_candidate
        try:
            address = await relay.resolve(server, host.host)
            self._reflectors[address] = server.host
            mapped = await relay.mapped_address(address, socket)
        except relay.UNUSABLE as error:
            _log.debug("STUN server %s: %s", server.host, error or type(error).__name__)
            return
        # RFC 8445, 5.1.3: a candidate that only repeats another one is left out.
        if all((known.host, known.port) != mapped for known in self._local_candidates):
            related = (host.host, host.port)
            self._announce(
                make_local(
                    CandidateType.SERVER_REFLEXIVE, mapped, rank=rank, base=f"{host.host}|{rank}", related=related
                )
            )

    async def _add_relayed(self, server: RelayServer, rank: int) -> None:
        try:
            contact = Contact(kind=ContactKind.TURN, host=server.host, address=await relay.source_address(server))
            self._contacts.note(contact)
            socket = await relay.allocate(server, lambda: GuardedSocket(self), self._settings.ca_file)
        except relay.UNUSABLE as error:
            _log.debug("TURN server %s: %s", server.host, error or type(error).__name__)
            return
        address = socket.transport.get_extra_info("sockname")
        mapped = socket.transport.get_extra_info("related_address")
        self._contacts.note(replace(contact, mapped=mapped[0]))
        related = hidden_address(address[0]) if self._settings.relay_only else mapped
        socket.local_candidate = make_local(
            CandidateType.RELAY,
            address,
            rank=rank + 1000 * _TRANSPORT_RANK[server.transport],
            base=f"{address[0]}|{rank}",
            related=related,
        )
        self._protocols.append(socket)
        self._announce(socket.local_candidate)
        if not self._check_list_done:
            for remote in self._remote_candidates:
                self._pair_remote_candidate(remote)
            self.sort_check_list()

    def _announce(self, candidate: aioice.Candidate) -> None:
        try:
            description = to_description(candidate)
        except ValueError:
            _log.debug("a server made up an address that cannot be")
            return
        self._local_candidates.append(candidate)
        self._found(self, description)

    def note_contact(self, socket: GuardedSocket, destination: tuple[str, int], mapped: str = "") -> None:
        """A request goes from a socket to ``destination``, or its answer says that it came from ``mapped``."""
        kind, host = ContactKind.PEER, destination[0]
        if destination in self._reflectors:
            kind, host = ContactKind.STUN, self._reflectors[destination]
        elif any((c.host, c.port) == destination and c.type == "relay" for c in self._remote_candidates):
            kind = ContactKind.PEER_RELAY
        local = socket.local_candidate
        contact = Contact(kind=kind, host=host, address=local.host, type=CandidateType(local.type), mapped=mapped)
        self._checked.setdefault(destination, set()).add(contact)
        self._contacts.note(contact)

    @property
    def sockets(self) -> tuple[GuardedSocket, ...]:
        """The local sockets, relayed ones among them, that are open so far."""
        return tuple(socket for socket in self._protocols if isinstance(socket, GuardedSocket))

    @property
    def descriptions(self) -> tuple[Candidate, ...]:
        """All local candidates so far."""
        return tuple(to_description(candidate) for candidate in self._local_candidates)

    @property
    def hopeless(self) -> bool:
        """Whether there is neither a local address nor a server that could lend one."""
        return not self._protocols and not self._gathering

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
            pair.protocol.release(pair.remote_addr)
        self._consider_nomination()
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
            self._last_nominated = best
            self._run(self._tasks, self._nominate(best))

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

    def send_datagram(self, datagram: bytes) -> None:
        """Send by the selected pair, without waiting; without a pair it is lost like any datagram may be."""
        pair = self._nominated.get(1)
        if pair is not None and isinstance(pair.protocol, GuardedSocket):
            pair.protocol.send(datagram, pair.remote_addr)

    def check_consent(self) -> None:
        """Ask whether the peer still wants what we send (RFC 7675, 5.1). The answer goes to ``consented``."""
        pair = self._nominated.get(1)
        if pair is not None and not self._closing:
            self._run(self._tasks, self._check_consent(pair))

    async def _check_consent(self, pair: CandidatePair) -> None:
        try:
            # One retransmission is what makes aioice wait longer than 500 ms for the answer.
            await self._request(pair, nominate=False, retransmissions=1)
        except stun.TransactionError:
            return
        self._consented()

    async def _request(self, pair: CandidatePair, *, nominate: bool, retransmissions: int | None = None) -> None:
        assert self.remote_password is not None
        await pair.protocol.request(
            self.build_request(pair, nominate=nominate),
            pair.remote_addr,
            integrity_key=self.remote_password.encode(),
            retransmissions=retransmissions,
        )

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

    def _run(self, tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
