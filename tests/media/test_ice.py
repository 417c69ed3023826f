"""ICE agents on loopback: how they find each other, and what they refuse to do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import aioice
import pytest
from aioice import stun
from aioice.ice import CandidatePair

from openvoice.core.contacts import Contact, ContactKind
from openvoice.core.description import Candidate, CandidateType
from openvoice.media import ice
from openvoice.media.candidates import make_local
from openvoice.media.gathering import GatheringAgent
from openvoice.media.guard import GuardedSocket
from openvoice.media.ice import MAXIMUM_PAIRS, MAXIMUM_REMOTE_CANDIDATES, IceAgent
from openvoice.ports import MediaSettings, RelayServer
from tests.media.peers import LOOPBACK, settings
from tests.waiting import until

pytestmark = pytest.mark.network


class Agent(IceAgent):
    """An agent that keeps what it was given."""

    def __init__(self, controlling: bool, of: MediaSettings | None = None) -> None:
        self.received: list[bytes] = []
        self.late: list[Candidate] = []
        self.consents = 0
        self.selections: list[CandidatePair | None] = []
        self.contacts: list[Contact] = []
        super().__init__(
            controlling=controlling,
            settings=of or settings(),
            deliver=self.received.append,
            found=lambda agent, candidate: self.late.append(candidate),
            consented=self.count,
            moved=lambda _: self.selections.append(self.selected_pair),
            contacted=self.contacts.append,
        )

    def count(self, agent: GatheringAgent) -> None:
        assert agent is self
        self.consents += 1


def introduce(first: Agent, second: Agent, *, candidates: bool = True) -> None:
    for one, other in ((first, second), (second, first)):
        one.remote_username, one.remote_password = other.local_username, other.local_password
        if candidates:
            for candidate in other.descriptions:
                one.add_candidate(candidate)


def contacts(agent: Agent) -> list[tuple[ContactKind, str, str, str]]:
    return [(contact.kind, contact.host, contact.address, contact.mapped) for contact in agent.contacts]


async def gathered(*agents: Agent) -> None:
    for agent in agents:
        await agent.gather_candidates()


async def connect(*agents: Agent) -> None:
    async with asyncio.timeout(10):
        await asyncio.gather(*(agent.connect() for agent in agents))


async def close(*agents: IceAgent) -> None:
    for agent in agents:
        await agent.close()


@pytest.fixture
async def pair() -> AsyncIterator[tuple[Agent, Agent]]:
    first, second = Agent(True), Agent(False)
    await gathered(first, second)
    yield first, second
    await close(first, second)


@pytest.fixture
def silent_server() -> Iterator[RelayServer]:
    """A port that takes everything and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((LOOPBACK, 0))
        yield RelayServer("stun", LOOPBACK, server.getsockname()[1])


async def test_two_agents_connect_and_exchange_datagrams(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    first.send_datagram(b"\x80one")
    second.send_datagram(b"\x80two")
    await until(lambda: first.received and second.received)
    assert (first.received, second.received) == ([b"\x80two"], [b"\x80one"])


async def test_candidates_may_come_after_the_start_and_before_the_other_side_starts(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second, candidates=False)
    starting = asyncio.ensure_future(connect(first, second))
    await asyncio.sleep(0.1)
    assert not starting.done()
    first.add_candidate(second.descriptions[0])
    # The other way round the address is learnt from the check itself (RFC 8445, 7.3.1.3).
    await starting
    assert second.selected_pair is not None
    assert second.selected_pair.remote_candidate.type == "prflx"


async def test_failed_pairs_are_no_failure_while_more_may_come(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stun, "RETRY_RTO", 0.01)
    first, second = pair
    introduce(first, second, candidates=False)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind((LOOPBACK, 0))
        first.add_candidate(replace(second.descriptions[0], port=nobody.getsockname()[1]))
        starting = asyncio.ensure_future(connect(first, second))
        await until(lambda: first._check_list and first._check_list[0].state is CandidatePair.State.FAILED)
        assert not starting.done()
        first.add_candidate(second.descriptions[0])
        await starting


@pytest.mark.parametrize("controlling", [True, False])
async def test_a_role_conflict_is_repaired(controlling: bool) -> None:
    first, second = Agent(controlling), Agent(controlling)
    await gathered(first, second)
    introduce(first, second)
    await connect(first, second)
    assert first.ice_controlling is not second.ice_controlling
    await close(first, second)


@pytest.mark.parametrize("controlling", [True, False])
async def test_it_works_with_a_stock_agent(controlling: bool) -> None:
    ours, stock = Agent(controlling), aioice.Connection(ice_controlling=not controlling)
    await gathered(ours)
    stock._local_candidates = await stock.get_component_candidates(1, [LOOPBACK])
    stock._local_candidates_end = True
    ours.remote_username, ours.remote_password = stock.local_username, stock.local_password
    stock.remote_username, stock.remote_password = ours.local_username, ours.local_password
    for candidate in stock.local_candidates:
        ours.add_candidate(
            Candidate(foundation="1", address=LOOPBACK, port=candidate.port, priority=candidate.priority)
        )
    for candidate in ours.local_candidates:
        await stock.add_remote_candidate(candidate)
    async with asyncio.timeout(10):
        await asyncio.gather(ours.connect(), stock.connect())
    ours.send_datagram(b"\x80hello")
    assert await stock.recv() == b"\x80hello"
    await stock.close()
    await ours.close()


async def test_dead_servers_cost_nothing(silent_server: RelayServer) -> None:
    port = silent_server.port
    dead = [
        silent_server,
        RelayServer("turn", LOOPBACK, port, "udp", "name", "secret"),
        RelayServer("turn", LOOPBACK, port, "tcp", "name", "secret"),
        RelayServer("turn", LOOPBACK, port, "tls", "name", "secret"),
        RelayServer("turn", "no such name.invalid", 3478, "udp", "name", "secret"),
    ]
    first, second = Agent(True, settings(*dead)), Agent(False, settings(*dead))
    began = time.monotonic()
    await gathered(first, second)
    introduce(first, second)
    await connect(first, second)
    await close(first, second)
    assert time.monotonic() - began < 3.0  # a second and more less than any timeout in play
    assert first.late == second.late == []


async def test_no_server_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(True)
    await gathered(agent)
    assert agent._gathering == set()
    assert agent.stun_server is None
    assert agent.turn_server is None
    await agent.close()


async def test_a_reflexive_candidate_trickles(pair: tuple[Agent, Agent]) -> None:
    """A STUN server that sees us at another address, as behind a NAT."""

    class Server(asyncio.DatagramProtocol):
        transport: Any

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            request = stun.parse_message(data)
            response = stun.Message(request.message_method, stun.Class.RESPONSE, request.transaction_id)
            response.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.7", 1234)
            self.transport.sendto(bytes(response), addr)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Server, local_addr=(LOOPBACK, 0))
    agent = Agent(True, settings(RelayServer("stun", LOOPBACK, transport.get_extra_info("sockname")[1])))
    await gathered(agent)
    assert [candidate.type for candidate in agent.descriptions] == [CandidateType.HOST]
    await agent.gathered(2.0)
    (found,) = agent.late
    assert (found.type, found.address, found.port) == (CandidateType.SERVER_REFLEXIVE, "192.0.2.7", 1234)
    assert (found.related_address, found.related_port) == (LOOPBACK, agent.descriptions[0].port)
    assert found in agent.descriptions
    await agent.close()
    transport.close()


async def test_relay_only_has_no_socket_of_its_own(silent_server: RelayServer) -> None:
    agent = Agent(True, settings(silent_server, relay_only=True))
    await gathered(agent)
    assert agent.descriptions == ()
    assert agent._protocols == []
    assert agent.hopeless
    agent.add_candidate(Candidate(foundation="1", address=LOOPBACK, port=9, priority=1))
    assert agent._check_list == []
    await agent.close()


async def test_a_flood_of_candidates_leads_to_few_packets_well_spaced(pair: tuple[Agent, Agent]) -> None:
    """Row 16 of the attacks: a thousand candidates must not make us a scanner or an amplifier."""
    first, second = pair
    introduce(first, second, candidates=False)
    for number in range(1000):
        address = f"127.0.{number // 250}.{number % 250 + 1}"
        first.add_candidate(Candidate(foundation="1", address=address, port=9, priority=number))
    assert len(first.remote_candidates) == MAXIMUM_REMOTE_CANDIDATES
    assert len(first._check_list) <= MAXIMUM_PAIRS
    sent: list[float] = []
    (only,) = first._protocols
    only.send_stun = lambda message, addr: sent.append(time.monotonic())  # type: ignore[method-assign]
    checking = asyncio.ensure_future(first.connect())
    await asyncio.sleep(0.45)
    # None of them was due a retransmission yet (RTO 500 ms), so each packet is a new check.
    assert 1 < len(sent) <= 0.45 / ice.CHECK_INTERVAL + 2
    checking.cancel()


async def test_addresses_learnt_from_checks_are_bounded_too(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["PRIORITY"] = 1
    first.check_start_task = lambda pair: None  # type: ignore[method-assign]
    for port in range(1000, 2000):
        first.check_incoming(request, (LOOPBACK, port), first._protocols[0])
    assert len(first.remote_candidates) <= MAXIMUM_REMOTE_CANDIDATES


async def test_a_forged_or_unsigned_check_changes_nothing(pair: tuple[Agent, Agent]) -> None:
    """Row 8: a stranger who does not know the password can neither become a candidate nor switch the role."""
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    known = len(first.remote_candidates)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind((LOOPBACK, 0))
        for key in (None, b"wrong password of no one"):
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            request.attributes["USERNAME"] = f"{first.local_username}:{first.remote_username}"
            request.attributes["PRIORITY"] = 2**31 - 1
            request.attributes["ICE-CONTROLLING"] = 2**64 - 1
            request.attributes["USE-CANDIDATE"] = None
            if key is not None:
                request.add_message_integrity(key)
            stranger.sendto(bytes(request), (LOOPBACK, first.descriptions[0].port))
        await asyncio.sleep(0.1)
    assert len(first.remote_candidates) == known
    assert first.ice_controlling
    assert first.selected_pair is not None
    assert first.selected_pair.remote_addr == (LOOPBACK, second.descriptions[0].port)


async def test_a_forged_consent_is_no_consent(pair: tuple[Agent, Agent]) -> None:
    """Row 8: the answer must carry the transaction id and the MESSAGE-INTEGRITY of the peer."""
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    selected = first.selected_pair
    assert selected is not None
    await second.close()
    first.check_consent()
    await asyncio.sleep(0)
    for transaction in list(selected.protocol.transactions):
        for key in (None, b"wrong password of no one"):
            response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, transaction)
            response.attributes["XOR-MAPPED-ADDRESS"] = (LOOPBACK, 1)
            if key is not None:
                response.add_message_integrity(key)
            selected.protocol.datagram_received(bytes(response), selected.remote_addr)
    await asyncio.sleep(0.05)
    assert first.consents == 0


async def test_consent_is_answered(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    first.check_consent()
    await until(lambda: first.consents == 1)


def make_pair(agent: IceAgent, host: str, priority: int, state: CandidatePair.State) -> CandidatePair:
    local = GuardedSocket(agent)
    local.local_candidate = make_local(CandidateType.HOST, (LOOPBACK, 1), rank=0)
    remote = aioice.Candidate("1", 1, "udp", priority, host, 9, "host")
    made = CandidatePair(local, remote)
    made.state = state
    return made


async def test_the_best_pair_is_nominated_not_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "NOMINATION_DELAY", 0.05)
    agent = Agent(True)
    nominated: list[str] = []

    async def nominate(checked: CandidatePair, **_: object) -> None:
        nominated.append(checked.remote_candidate.host)

    monkeypatch.setattr(agent, "_request", nominate)
    best = make_pair(agent, "127.0.0.2", 300, CandidatePair.State.IN_PROGRESS)
    relayed = make_pair(agent, "127.0.0.3", 100, CandidatePair.State.SUCCEEDED)
    agent._check_list = [best, relayed]
    agent.check_complete(relayed)
    await asyncio.sleep(0.01)
    assert nominated == []
    best.state = CandidatePair.State.SUCCEEDED
    agent.check_complete(best)
    await asyncio.sleep(0.1)
    assert nominated == ["127.0.0.2"]
    assert agent.selected_pair is best
    await agent.close()


async def test_a_better_pair_is_taken_later_and_a_worse_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ice, "NOMINATION_DELAY", 0.01)
    agent = Agent(True)

    async def nominate(checked: CandidatePair, **_: object) -> None:
        return

    monkeypatch.setattr(agent, "_request", nominate)
    best = make_pair(agent, "127.0.0.2", 300, CandidatePair.State.IN_PROGRESS)
    middle = make_pair(agent, "127.0.0.3", 200, CandidatePair.State.SUCCEEDED)
    worst = make_pair(agent, "127.0.0.4", 100, CandidatePair.State.IN_PROGRESS)
    agent._check_list = [best, middle, worst]
    agent.check_complete(middle)
    await until(lambda: agent.selected_pair is middle)
    worst.state = CandidatePair.State.SUCCEEDED
    agent.check_complete(worst)
    await asyncio.sleep(0.05)
    assert agent.selected_pair is middle
    best.state = CandidatePair.State.SUCCEEDED
    agent.check_complete(best)
    await until(lambda: agent.selected_pair is best)
    await agent.close()


async def test_a_pair_that_cannot_be_nominated_makes_way_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(True)

    async def nominate(checked: CandidatePair, **_: object) -> None:
        if checked.remote_candidate.host == "127.0.0.2":
            raise stun.TransactionTimeout

    monkeypatch.setattr(agent, "_request", nominate)
    best = make_pair(agent, "127.0.0.2", 300, CandidatePair.State.SUCCEEDED)
    second = make_pair(agent, "127.0.0.3", 200, CandidatePair.State.SUCCEEDED)
    agent._check_list = [best, second]
    agent.check_complete(best)
    await until(lambda: agent.selected_pair is second)
    await agent.close()


async def test_closing_while_it_waits_raises_and_frees_the_sockets(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second, candidates=False)
    waiting = asyncio.ensure_future(first.connect())
    await asyncio.sleep(0.05)
    port = first.descriptions[0].port
    await first.close()
    with pytest.raises(ConnectionError):
        await waiting
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((LOOPBACK, port))


async def test_a_socket_bound_after_the_end_is_let_go() -> None:
    agent = Agent(True)
    gathering = asyncio.ensure_future(agent.gather_candidates())
    await asyncio.sleep(0)
    await agent.close()
    await gathering
    assert agent.descriptions == ()
    assert agent.sockets == ()


async def test_no_server_is_asked_after_the_end(silent_server: RelayServer) -> None:
    agent = Agent(True, settings(replace(silent_server, kind="turn")))
    gathering = asyncio.ensure_future(agent.gather_candidates())
    await asyncio.sleep(0)
    await agent.close()
    await gathering
    await asyncio.sleep(0)
    assert not agent._gathering
    assert agent.contacts == []


async def test_a_reflexive_address_that_cannot_be_is_not_told() -> None:
    agent = Agent(True)
    agent._announce(make_local(CandidateType.SERVER_REFLEXIVE, ("192.0.2.1", 0), rank=0))
    assert agent.late == []
    assert agent.descriptions == ()
    await agent.close()


async def test_the_side_that_becomes_controlling_nominates(monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(False)

    async def nominate(checked: CandidatePair, **_: object) -> None:
        return

    monkeypatch.setattr(agent, "_request", nominate)
    only = make_pair(agent, "127.0.0.2", 300, CandidatePair.State.SUCCEEDED)
    agent._check_list = [only]
    agent.check_complete(only)
    assert agent.selected_pair is None
    agent.switch_role(ice_controlling=True)
    await until(lambda: agent.selected_pair is only)
    await agent.close()


async def test_whoever_gets_a_packet_is_noted_before_it_and_once_more_when_it_answers(
    pair: tuple[Agent, Agent],
) -> None:
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    assert contacts(first)[:2] == [
        (ContactKind.PEER, LOOPBACK, LOOPBACK, ""),
        (ContactKind.PEER, LOOPBACK, LOOPBACK, LOOPBACK),
    ]
    first.check_consent()
    await until(lambda: first.consents == 1)
    assert len(first.contacts) == 2


async def test_a_server_that_never_answers_is_noted_all_the_same(silent_server: RelayServer) -> None:
    turn = replace(silent_server, kind="turn")
    agent = Agent(True, settings(silent_server, turn))
    await gathered(agent)
    await until(lambda: len(agent.contacts) == 2)
    assert sorted(contacts(agent)) == [
        (ContactKind.STUN, silent_server.host, LOOPBACK, ""),
        (ContactKind.TURN, turn.host, LOOPBACK, ""),
    ]
    await close(agent)


async def test_a_server_whose_name_leads_nowhere_learns_nothing() -> None:
    nowhere = [RelayServer(kind, "nowhere.invalid", 3478) for kind in ("stun", "turn")]
    agent = Agent(True, settings(*nowhere))
    await gathered(agent)
    await agent.gathered(5)
    assert agent.contacts == []
    await close(agent)


async def test_a_check_towards_a_relay_of_the_peer_is_noted_as_one(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second, candidates=False)
    lent = replace(second.descriptions[0], type=CandidateType.RELAY)
    first.add_candidate(lent)
    second.add_candidate(first.descriptions[0])
    await connect(first, second)
    assert {contact.kind for contact in first.contacts} == {ContactKind.PEER_RELAY}
    assert {contact.kind for contact in second.contacts} == {ContactKind.PEER}


async def test_the_selected_pair_is_told_whenever_it_changes(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    introduce(first, second)
    await connect(first, second)
    assert first.selections[-1] is first.selected_pair
    assert len(first.selections) == len(set(map(id, first.selections)))


async def test_a_relay_of_the_peer_that_is_named_after_its_first_check_is_noted_as_one(
    pair: tuple[Agent, Agent],
) -> None:
    first, second = pair
    introduce(first, second, candidates=False)
    second.add_candidate(first.descriptions[0])
    await connect(first, second)
    assert {contact.kind for contact in first.contacts} == {ContactKind.PEER}
    first.add_candidate(replace(second.descriptions[0], type=CandidateType.RELAY))
    relays = [contact for contact in first.contacts if contact.kind is ContactKind.PEER_RELAY]
    assert {contact.host for contact in relays} == {LOOPBACK}
