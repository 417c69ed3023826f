"""The candidates of an ICE agent: host candidates at once, those that servers give as they come (RFC 8838)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import aioice

from openvoice.core.contacts import Contact, ContactKind
from openvoice.core.description import Candidate, CandidateType
from openvoice.media import relay
from openvoice.media.candidates import hidden_address, local_addresses, make_local, on_loopback, to_description
from openvoice.media.contacts import Contacts
from openvoice.media.guard import GuardedSocket
from openvoice.media.logs import quieten
from openvoice.media.pinning import pin
from openvoice.ports import MediaSettings, RelayServer

_TRANSPORT_RANK = {"udp": 0, "tcp": 1, "tls": 2}

_log = logging.getLogger(__name__)


class GatheringAgent(aioice.Connection):
    """Has the sockets of an ICE agent, and knows whom they send to.

    Candidates found after :meth:`gather_candidates` returned go to ``found``; ``contacted`` is told of everybody that
    packets go to. Both are called on the event loop and must not wait.
    """

    def __init__(
        self,
        *,
        controlling: bool,
        settings: MediaSettings,
        found: Callable[[GatheringAgent, Candidate], None],
        contacted: Callable[[Contact], None],
    ) -> None:
        quieten()
        policy = aioice.TransportPolicy.RELAY if settings.relay_only else aioice.TransportPolicy.ALL
        super().__init__(ice_controlling=controlling, transport_policy=policy)
        self._settings = settings
        self._loopback = on_loopback(settings.interfaces)
        self._found = found
        self._contacts = Contacts(contacted)
        self._reflectors: dict[tuple[str, int], str] = {}
        self._checked: dict[tuple[str, int], set[Contact]] = {}
        self._gathering: set[asyncio.Task[None]] = set()

    def _make_socket(self) -> GuardedSocket:
        raise NotImplementedError

    async def gather_candidates(self) -> None:
        """Bind the host candidates; ask the servers in the background, all at once."""
        addresses = () if self._settings.relay_only else local_addresses(self._settings.interfaces)
        for rank, address in enumerate(addresses):
            await self._bind(address, rank)
        self._local_candidates_end = True
        if self._closing:
            return
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
            transport, socket = await loop.create_datagram_endpoint(self._make_socket, local_addr=(address, 0))
        except OSError as error:
            _log.debug("no host candidate on %s: %s", address, error)
            return
        if self._closing:
            transport.abort()
            return
        socket.pinned = pin(transport.get_extra_info("socket"), self._settings.interface_of(address))
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
            socket = await relay.allocate(
                server, self._make_socket, self._settings.ca_file, self._settings.interface_of
            )
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

    @staticmethod
    def _run(tasks: set[asyncio.Task[None]], work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task
