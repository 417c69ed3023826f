"""What becomes of a path when the network changes: two agents, each with two addresses of loopback as its networks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from aioice import stun, turn
from aioice.ice import CandidatePair

from openvoice.core.description import Candidate
from openvoice.media import relay, roaming
from openvoice.media.gathering import GatheringAgent
from openvoice.media.guard import GuardedSocket
from openvoice.media.roaming import HINT_INTERVAL, MAXIMUM_ASKED, MAXIMUM_STANDBYS, MOST_TRIES, RoamingAgent
from openvoice.ports import MediaSettings
from tests.media.peers import settings
from tests.waiting import until

pytestmark = pytest.mark.network

WIFI, LTE, NEW = "127.0.0.1", "127.0.0.2", "127.0.0.3"
VOICE = b"\x80voice"


class Agent(RoamingAgent):
    """An agent that keeps what it was given."""

    def __init__(self, controlling: bool, of: MediaSettings | None = None) -> None:
        self.received: list[bytes] = []
        self.late: list[Candidate] = []
        self.moves: list[str] = []
        self.losses = 0
        self.consents = 0
        super().__init__(
            controlling=controlling,
            settings=of or replace(settings(), interfaces=(WIFI, LTE)),
            deliver=self.received.append,
            found=lambda _, candidate: self.late.append(candidate),
            consented=self._count_consent,
            moved=lambda _: self.moves.append(self.network),
            contacted=lambda _: None,
            lost=self._count_loss,
        )

    def _count_consent(self, _: GatheringAgent) -> None:
        self.consents += 1

    def _count_loss(self, _: RoamingAgent) -> None:
        self.losses += 1

    @property
    def network(self) -> str:
        """The own address of the path in use."""
        assert self.selected_pair is not None
        return str(self.selected_pair.local_candidate.host)

    def socket(self, address: str) -> GuardedSocket:
        return next(socket for socket in self.sockets if socket.local_candidate.host == address)

    def cut(self, address: str) -> None:
        """Nothing leaves from an address any more, and nothing comes in, and nobody tells."""
        socket = self.socket(address)
        for way in ("send", "send_stun", "datagram_received"):
            setattr(socket, way, lambda *_: None)

    def mend(self, address: str) -> None:
        socket = self.socket(address)
        del socket.send, socket.send_stun, socket.datagram_received


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Agent, Agent]]:
    """Two agents that have a path; the first is in control. Nothing stands by until a test asks."""
    monkeypatch.setattr(roaming, "STANDBY_AFTER", 1000.0)
    first, second = Agent(True), Agent(False)
    await first.gather_candidates()
    await second.gather_candidates()
    for one, other in ((first, second), (second, first)):
        one.remote_username, one.remote_password = other.local_username, other.local_password
        for candidate in other.descriptions:
            one.add_candidate(candidate)
    async with asyncio.timeout(10):
        await asyncio.gather(first.connect(), second.connect())
    await until(lambda: first.network == second.network == WIFI)
    yield first, second
    await first.close()
    await second.close()


@pytest.mark.parametrize("who", [0, 1])
async def test_another_pair_is_taken_when_the_selected_one_is_dead(pair: tuple[Agent, Agent], who: int) -> None:
    roamer, other = pair[who], pair[1 - who]
    roamer.cut(WIFI)
    consents = roamer.consents
    roamer.seek()
    await until(lambda: roamer.network == LTE)
    assert roamer.consents == consents + 1  # it answered: that is consent
    assert roamer.moves[-1] == LTE
    roamer.send_datagram(VOICE)
    await until(lambda: other.received == [VOICE])


@pytest.mark.parametrize("who", [0, 1])
async def test_the_other_side_follows(pair: tuple[Agent, Agent], who: int) -> None:
    """In control it nominates; else its voice comes by another way, and the other side looks for itself."""
    roamer, other = pair[who], pair[1 - who]
    roamer.cut(WIFI)
    roamer.seek()
    await until(lambda: roamer.network == LTE)
    roamer.send_datagram(VOICE)
    await until(lambda: other.selected_pair is not None and other.selected_pair.remote_addr[0] == LTE)
    other.send_datagram(VOICE)
    await until(lambda: roamer.received == [VOICE])


async def test_a_pair_that_answers_is_kept(pair: tuple[Agent, Agent]) -> None:
    for agent in pair:
        agent.seek()
    await asyncio.sleep(2 * roaming.PREFERENCE)
    assert [agent.network for agent in pair] == [WIFI, WIFI]
    assert not any(agent._is_seeking for agent in pair)


async def test_a_slow_answer_of_the_selected_pair_is_waited_for(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    socket = first.socket(WIFI)
    at_once, later = socket.send_stun, asyncio.get_running_loop().call_later
    monkeypatch.setattr(socket, "send_stun", lambda message, addr: later(0.03, at_once, message, addr))
    first.seek()
    await asyncio.sleep(0.03 + 2 * roaming.PREFERENCE)
    assert first.network == WIFI
    assert not first._is_seeking


async def test_what_still_comes_by_the_pair_before_is_heard(pair: tuple[Agent, Agent]) -> None:
    first, second = pair
    first.cut(WIFI)
    first.seek()
    await until(lambda: first.network == LTE)
    first.mend(WIFI)
    assert second.network == WIFI or second.selected_pair is not None
    second.socket(WIFI).send(VOICE, (WIFI, first.socket(WIFI).local_candidate.port))
    await until(lambda: first.received == [VOICE])


async def test_a_better_pair_that_comes_back_is_taken_again(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roaming, "STANDBY_AFTER", 0.05)
    monkeypatch.setattr(roaming, "STANDBY_INTERVAL", 0.05)
    first, second = pair
    first.cut(WIFI)
    first.seek()
    await until(lambda: first.network == LTE)
    await asyncio.sleep(0.2)
    assert first.network == LTE
    first.mend(WIFI)
    await until(lambda: first.network == second.network == WIFI)


async def test_pairs_that_stand_by_are_asked_and_few(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    asked: list[CandidatePair] = []
    monkeypatch.setattr(first, "_ask_all", asked.extend)
    first._ask_standbys()
    assert {checked.local_candidate.host for checked in asked} >= {LTE}
    assert first.selected_pair not in asked
    assert len(asked) <= MAXIMUM_STANDBYS


async def test_standing_by_makes_a_pair_known_to_work(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    first._ask_standbys()
    other = [checked for checked in first._check_list if checked.local_candidate.host == LTE]
    await until(lambda: any(checked.state is CandidatePair.State.SUCCEEDED for checked in other))
    assert first.network == WIFI


async def test_a_flood_of_candidates_is_not_asked_all_at_once(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 16 of the attacks: doubt must not make us a scanner."""
    first, _ = pair
    for number in range(60):
        first.add_candidate(Candidate(foundation="1", address=f"127.0.1.{number + 1}", port=9, priority=number))
    asked: list[CandidatePair] = []
    monkeypatch.setattr(first, "_ask_all", asked.extend)
    first.seek()
    first.seek()
    await asyncio.sleep(0.05)
    assert asked[0] is first.selected_pair
    assert 2 < len(asked) <= MAXIMUM_ASKED


async def test_an_address_that_never_answers_is_not_asked_for_ever(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Row 16: a peer that keeps silent must not make us send to a third party all the time."""
    monkeypatch.setattr(roaming, "SEEKING", 0.0)
    first, _ = pair
    first.add_candidate(Candidate(foundation="1", address="127.0.1.1", port=9, priority=1))
    asked: list[str] = []

    async def ask(pair: CandidatePair) -> None:
        asked.append(pair.remote_addr[0])

    async def seek_often() -> None:
        for _ in range(MOST_TRIES + 10):
            first.seek()
            assert first._seeking is not None
            await first._seeking

    monkeypatch.setattr(first, "_ask", ask)
    monkeypatch.setattr(roaming, "ASKING_INTERVAL", 0.0)
    await seek_often()
    sockets = len(first.sockets)
    await until(lambda: asked.count("127.0.1.1") == sockets * MOST_TRIES)
    assert asked.count(WIFI) > sockets * MOST_TRIES // 2
    await first.network_changed()
    await until(lambda: asked.count("127.0.1.1") > sockets * MOST_TRIES)


async def test_only_pairs_that_answered_are_taken(pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is one with the password of the peer: nobody can draw the media to an address of theirs."""
    monkeypatch.setattr(roaming, "SEEKING", 0.1)
    first, second = pair
    await second.close()
    first.seek()
    await until(lambda: not first._is_seeking)
    assert first.network == WIFI
    assert len(first.moves) == len(set(first.moves))


async def test_an_answer_from_elsewhere_is_none(pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = pair
    assert first.selected_pair is not None

    async def request(*_: object, **__: object) -> tuple[stun.Message, tuple[str, int]]:
        return stun.Message(stun.Method.BINDING, stun.Class.RESPONSE), ("127.0.0.9", 9)

    monkeypatch.setattr(first.selected_pair.protocol, "request", request)
    before = first.consents
    first.check_consent()
    await asyncio.sleep(0.05)
    assert first.consents == before


async def test_media_by_another_pair_are_a_hint_now_and_then(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    sought: list[float] = []
    monkeypatch.setattr(first, "seek", lambda: sought.append(first._now()))
    assert first.selected_pair is not None
    first._pair_all()
    other = next(checked for checked in first._check_list if checked is not first.selected_pair)
    first._hinted_at = -HINT_INTERVAL
    for _ in range(5):
        first.receive(other, VOICE)
    first.receive(first.selected_pair, VOICE)
    assert len(sought) == 1
    assert first.received == 6 * [VOICE]
    first._hinted_at -= HINT_INTERVAL
    first.receive(other, b"\x16dtls")
    assert len(sought) == 1


@pytest.mark.parametrize("failure", [OSError(101, "unreachable"), OSError(22, "no such source")])
async def test_a_socket_that_cannot_send_is_told_at_once(pair: tuple[Agent, Agent], failure: OSError) -> None:
    first, _ = pair
    first.socket(LTE).error_received(failure)
    assert first.losses == 0
    first.socket(WIFI).error_received(OSError(105, "no buffers"))
    assert first.losses == 0
    first.socket(WIFI).error_received(failure)
    assert first.losses == 1
    assert not first.has_another  # the other one was refused as well


async def test_the_selected_pair_is_not_waited_for_when_it_cannot_send(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roaming, "PREFERENCE", 1000.0)
    monkeypatch.setattr(roaming, "SEEKING", 1000.0)
    first, _ = pair
    assert first.has_another
    first.cut(WIFI)
    first.socket(WIFI).error_received(OSError(101, "unreachable"))
    first.seek()
    await until(lambda: first.network == LTE)


# --- the network itself -----------------------------------------------------------------------------------------------


def become(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What addresses this device has."""
    monkeypatch.setattr(roaming, "local_addresses", lambda _: addresses)
    monkeypatch.setattr(roaming, "bindable", lambda address: address in addresses)
    # On loopback nothing leads anywhere; here an address stands for a network.
    monkeypatch.setattr(roaming, "network_of", lambda address: address)


@pytest.mark.parametrize("who", [0, 1])
async def test_a_network_that_is_gone_takes_its_sockets_along(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch, who: int
) -> None:
    roamer = pair[who]
    gone = roamer.socket(WIFI)
    become(monkeypatch, WIFI, LTE)
    await roamer.network_changed()
    become(monkeypatch, LTE)
    assert not await roamer.network_changed()
    assert roamer.losses == 1
    await until(lambda: roamer.network == LTE)
    assert gone not in roamer.sockets
    assert gone.transport.is_closing()
    assert WIFI not in {candidate.address for candidate in roamer.descriptions}
    assert all(checked.protocol is not gone for checked in roamer._check_list)


async def test_what_would_get_around_a_new_tunnel_is_let_go(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for the path in use, which is left when the restart found one through the tunnel."""
    first, _ = pair
    become(monkeypatch, WIFI, LTE)
    for socket in first.sockets:
        socket.pinned = True
    tunnel = "10.8.0.2"
    interface_of = {WIFI: "wifi", tunnel: ""}.__getitem__
    first._settings = replace(first._settings, interface_of=interface_of)
    known = first.sockets
    for preferred in (WIFI, ""):
        monkeypatch.setattr(roaming, "source_of_default", lambda version, preferred=preferred: preferred)
        await first.network_changed()
        assert first.sockets == known
    first._settings = replace(first._settings, interface_of=lambda _: "")
    monkeypatch.setattr(roaming, "source_of_default", lambda version: tunnel)
    await first.network_changed()
    # In its place is one that goes the way of the system.
    assert [(socket.local_candidate.host, socket.pinned) for socket in first.sockets] == [(WIFI, True), (LTE, False)]
    assert first.network == WIFI
    assert first.losses == 0


@pytest.mark.parametrize("who", [0, 1])
async def test_a_new_network_is_used_at_once_where_the_old_one_is_gone(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch, who: int
) -> None:
    """The peer learns the address from the check itself: no signalling is needed."""
    roamer, other = pair[who], pair[1 - who]
    become(monkeypatch, NEW)
    assert await roamer.network_changed()
    assert [candidate.address for candidate in roamer.late] == [NEW]
    await until(lambda: roamer.network == NEW)
    roamer.send_datagram(VOICE)
    await until(lambda: other.received == [VOICE])
    await until(lambda: other.selected_pair is not None and other.selected_pair.remote_addr[0] == NEW)


async def test_a_new_network_beside_a_path_that_works_changes_nothing_by_itself(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = pair
    become(monkeypatch, WIFI, LTE)
    assert await first.network_changed()  # as networks they are new to this test
    become(monkeypatch, WIFI, LTE, NEW)
    assert await first.network_changed()
    assert not await first.network_changed()
    assert [candidate.address for candidate in first.late] == [NEW]
    await until(lambda: not first._is_seeking)
    assert first.network == WIFI


async def test_only_a_relay_is_used_after_a_change_too(monkeypatch: pytest.MonkeyPatch) -> None:
    become(monkeypatch, WIFI)
    agent = Agent(True, replace(settings(relay_only=True), interfaces=()))
    await agent.gather_candidates()
    become(monkeypatch, WIFI, NEW)
    assert await agent.network_changed()
    assert agent.sockets == ()
    assert agent.descriptions == ()
    assert agent.late == []
    await agent.close()


async def test_an_allocation_over_a_dead_interface_is_abandoned_without_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    become(monkeypatch, WIFI)
    agent = Agent(True)
    await agent.gather_candidates()
    only = agent.sockets[0]
    abandoned: list[GuardedSocket] = []
    monkeypatch.setattr(relay, "abandon", abandoned.append)
    monkeypatch.setattr(relay, "local_address", lambda socket: LTE if socket is only else WIFI)
    await agent.network_changed()
    assert abandoned == [only]
    await agent.close()


async def test_a_closed_agent_does_nothing_more(pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch) -> None:
    first, _ = pair
    await first.close()
    become(monkeypatch, NEW)
    await first.network_changed()
    first.seek()
    assert first.sockets == ()
    assert not first._tasks
    assert first._standby is None or first._standby.cancelled()


async def test_a_nomination_that_is_overtaken_is_not_sent_again(
    pair: tuple[Agent, Agent], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would reach the peer when the network it went to is back, after what was nominated since."""
    first, _ = pair
    first._pair_all()
    dead, alive = [checked for checked in first._check_list if checked is not first.selected_pair][:2]
    dead.state = alive.state = CandidatePair.State.SUCCEEDED
    first._silent.update(checked for checked in first._check_list if checked is not alive)
    answered = asyncio.Event()

    async def request(checked: CandidatePair, **_: object) -> None:
        if checked is dead:
            await answered.wait()

    monkeypatch.setattr(first, "_request", request)
    first._begin_nomination(dead)
    await asyncio.sleep(0)
    first._begin_nomination(alive)
    answered.set()
    await asyncio.sleep(0.05)
    assert first.selected_pair is alive


async def test_an_old_question_without_answer_says_nothing_against_a_newer_answer(pair: tuple[Agent, Agent]) -> None:
    first, _ = pair
    first._pair_all()
    other = next(checked for checked in first._check_list if checked is not first.selected_pair)
    asked = first._now()
    first._handle_answer(other)
    assert other.state is CandidatePair.State.SUCCEEDED
    first._handle_silence(other, asked)
    assert other not in first._silent
    first._handle_silence(other, first._now() + 1)
    assert other in first._silent
    first._handle_answer(other)
    assert other not in first._silent


async def test_an_allocation_that_is_abandoned_leaves_no_socket_behind() -> None:
    """At once: a task that is cancelled before it began closes nothing."""
    agent = Agent(True)
    loop = asyncio.get_running_loop()
    inner, client = await loop.create_datagram_endpoint(
        lambda: turn.TurnClientUdpProtocol(
            (WIFI, 9), username=None, password=None, lifetime=600, channel_refresh_time=240
        ),
        remote_addr=(WIFI, 9),
    )
    client.refresh_task = asyncio.ensure_future(asyncio.sleep(1000))
    allocation = GuardedSocket(agent)
    client.receiver = allocation
    allocation.connection_made(turn.TurnTransport(client))  # type: ignore[arg-type]
    assert relay.local_address(allocation) == WIFI
    allocation.transport.close()
    relay.abandon(allocation)
    assert inner.is_closing()
    refreshing = client.refresh_task
    await asyncio.sleep(0.05)
    assert refreshing is not None
    assert refreshing.cancelled()
    await allocation.close()
    await agent.close()


async def test_what_is_gone_with_the_selected_pair_has_to_answer_before_it_counts(pair: tuple[Agent, Agent]) -> None:
    first, _ = pair
    first._pair_all()
    for checked in first._check_list:
        checked.state = CandidatePair.State.SUCCEEDED
    first.cut(WIFI)
    first.seek()
    await until(lambda: first.network == LTE)
    best = first._best_pair()
    assert best is not None
    assert best.local_candidate.host == LTE
