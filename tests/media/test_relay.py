"""Relays: a real coturn on loopback, over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from aioice import stun, turn

from openvoice.core import inputs
from openvoice.core.description import CandidateType, SessionDescription
from openvoice.core.types import Role, VideoLabel
from openvoice.errors import MediaFailed
from openvoice.media import relay
from openvoice.media.guard import GuardedSocket
from openvoice.media.reachability import reach
from openvoice.media.relay import PERMISSION_REFRESH
from openvoice.ports import RelayServer
from openvoice.server.certificates import CertificateAuthority
from openvoice.server.turn import Turn
from tests.media.peers import LOOPBACK, Pair, hears, settings
from tests.media.test_ice import Agent, close, connect, gathered, introduce
from tests.media.test_session import transport_of
from tests.waiting import until

pytestmark = [
    pytest.mark.live,
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed"),
]


@pytest.fixture
async def server() -> AsyncIterator[Turn]:
    async with Turn() as running:
        yield running


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_call_over_relays_only(server: Turn, transport: str) -> None:
    pair = Pair(*(settings(server.reflector(), server.relay(transport), relay_only=True) for _ in range(2)))
    offers: list[SessionDescription] = []

    def note(offer: SessionDescription) -> SessionDescription:
        offers.append(offer)
        return offer

    await pair.connect(change_offer=note, change_answer=note)
    await pair.flow()
    for side in pair.sides:
        secured = await side.says(inputs.MediaSecured)
        assert isinstance(secured, inputs.MediaSecured)
        assert secured.facts.relayed
        assert secured.facts.local_candidate is CandidateType.RELAY
        await hears(side, 10)
    # What was told: relayed candidates, and nothing of where we are.
    told = [c for offer in offers for content in offer.contents for c in content.transport.candidates]
    for side in pair.sides:
        told += [c for m in side.said if isinstance(m, inputs.LocalCandidates) for c in m.candidates]
    assert len(told) >= 2
    for candidate in told:
        assert candidate.type is CandidateType.RELAY
        assert (candidate.related_address, candidate.related_port) == ("0.0.0.0", 9)
    for side in pair.sides:
        sockets = transport_of(side)._agent._protocols
        assert all(isinstance(socket.transport, turn.TurnTransport) for socket in sockets)
    await pair.close()


async def test_pictures_on_a_transport_of_their_own_tell_of_relays_only(server: Turn) -> None:
    pair = Pair(*(settings(server.reflector(), server.relay("udp"), relay_only=True) for _ in range(2)))
    caller, callee = (side.media for side in pair.sides)

    async def answered(offer: SessionDescription) -> SessionDescription:
        caller.announce()
        answer = replace(await callee.open(Role.RESPONDER, offer), bundle=())
        callee.announce()
        await caller.apply_answer(answer)
        return answer

    offer = await caller.open(Role.INITIATOR, None, video=True)
    answer = await answered(replace(offer, bundle=()))
    await pair.flow()
    proposed = await caller.propose_content("9", VideoLabel.SCREEN)
    caller.announce()
    (added,) = await callee.answer_contents([proposed], ())
    callee.announce()
    theirs = replace(answer, contents=(*answer.contents, added))
    ours = replace(offer, contents=(*offer.contents, proposed), bundle=())
    await callee.settle(theirs, ours)
    await caller.settle(ours, theirs)

    names = ("0", "1", "9")
    told = [c for half in (ours, theirs) for content in half.contents for c in content.transport.candidates]
    for side in pair.sides:
        transports = {name: transport_of(side, name) for name in names}
        assert len(set(transports.values())) == len(names)
        for transport in transports.values():
            await until(partial(getattr, transport.secure, "secured"), within=15)
            assert transport.relayed
            assert all(isinstance(socket.transport, turn.TurnTransport) for socket in transport._agent._protocols)
        found = [message for message in side.said if isinstance(message, inputs.LocalCandidates)]
        assert {message.content for message in found} == set(names)
        told += [candidate for message in found for candidate in message.candidates]
    assert all(candidate.type is CandidateType.RELAY for candidate in told)
    assert {(candidate.related_address, candidate.related_port) for candidate in told} == {("0.0.0.0", 9)}
    await pair.close()


@pytest.mark.parametrize("by_system", [True, False])
async def test_tls_is_verified(server: Turn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_system: bool) -> None:
    """Against the authorities of the system, and against the account's own."""
    authority = CertificateAuthority()
    async with Turn(certificate=authority.issue(LOOPBACK)) as secure:
        stranger = Agent(True, settings(secure.relay("tls"), relay_only=True))
        await gathered(stranger)
        await stranger.gathered(5)
        assert stranger.descriptions == ()
        await stranger.close()
        trusted = tmp_path / "ca.pem"
        trusted.write_bytes(authority.certificate)
        if by_system:
            monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
        own = None if by_system else trusted
        agent = Agent(True, dataclasses.replace(settings(secure.relay("tls"), relay_only=True), ca_file=own))
        await gathered(agent)
        await agent.gathered(5)
        assert [candidate.type for candidate in agent.descriptions] == [CandidateType.RELAY]
        await agent.close()
        with pytest.raises(MediaFailed, match="of no use"):
            await reach(secure.relay("tls"), ca_file=tmp_path / "missing.pem")
        assert (await reach(secure.relay("tls"), ca_file=own)).startswith(f"{LOOPBACK}:")


async def test_servers_are_asked_in_parallel_and_ranked(server: Turn) -> None:
    relays = (server.relay("tcp"), server.relay("udp"), server.reflector())
    agent = Agent(True, settings(*relays))
    await gathered(agent)
    assert [candidate.type for candidate in agent.descriptions] == [CandidateType.HOST]
    await agent.gathered(5)
    kinds = [candidate.type for candidate in agent.late]
    # On loopback there is no NAT: the reflexive candidate repeats the host candidate and is left out.
    assert kinds == [CandidateType.RELAY, CandidateType.RELAY]
    by_transport = {candidate.priority for candidate in agent.late}
    assert len(by_transport) == 2
    assert all(candidate.related_address == LOOPBACK for candidate in agent.late)
    await agent.close()


async def test_a_direct_path_is_preferred_to_a_relay(server: Turn) -> None:
    first, second = (Agent(controlling, settings(server.relay())) for controlling in (True, False))
    await gathered(first, second)
    for agent in (first, second):
        await agent.gathered(5)
    introduce(first, second)
    await connect(first, second)
    for agent in (first, second):
        assert agent.selected_pair is not None
        assert agent.selected_pair.local_candidate.type == "host"
    await close(first, second)


async def test_wrong_credentials_leave_the_call_without_a_relay_but_alive(server: Turn) -> None:
    wrong = RelayServer("turn", LOOPBACK, server.port, "udp", "nobody", "wrong")
    agent = Agent(True, settings(wrong))
    await gathered(agent)
    await agent.gathered(5)
    assert [candidate.type for candidate in agent.descriptions] == [CandidateType.HOST]
    await agent.close()


async def test_credentials_are_never_logged(server: Turn, caplog: pytest.LogCaptureFixture) -> None:
    """Row 17."""
    lent = server.relay()
    assert lent.password is not None
    with caplog.at_level(logging.DEBUG):
        agent = Agent(True, settings(lent))
        await gathered(agent)
        await agent.gathered(5)
        await agent.close()
    assert agent.late
    assert lent.password not in caplog.text
    assert lent.password not in repr(lent)
    for record in caplog.records:
        if record.levelno > logging.DEBUG:
            assert LOOPBACK not in record.getMessage()


async def test_permissions_are_renewed_before_ejabberd_forgets_them(
    server: Turn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ejabberd and eturnal drop a permission after 300 s, and only a channel binding or a permission renews it."""
    assert PERMISSION_REFRESH <= 240
    monkeypatch.setattr(relay, "PERMISSION_REFRESH", 0.05)
    bound: list[float] = []
    original = turn.TurnClientMixin.channel_bind

    async def note(client: turn.TurnClientMixin, number: int, address: tuple[str, int]) -> None:
        bound.append(time.monotonic())
        await original(client, number, address)

    monkeypatch.setattr(turn.TurnClientMixin, "channel_bind", note)
    pair = Pair(settings(server.relay(), relay_only=True), settings())
    await pair.connect()
    await pair.flow()
    so_far = len(bound)
    await asyncio.sleep(0.5)
    assert len(bound) >= so_far + 3
    assert not pair.caller.has_said(inputs.MediaInterrupted)
    await pair.close()


async def test_a_turn_server_that_died_does_not_hold_up_the_end() -> None:
    async with Turn() as running:
        agent = Agent(True, settings(running.relay(), running.relay("tcp"), running.relay()))
        await gathered(agent)
        await agent.gathered(5)
        assert len(agent.late) == 3
    began = time.monotonic()
    await agent.close()
    assert time.monotonic() - began < 5.0  # the transactions that delete allocations would take 39 s
    assert all(isinstance(socket, GuardedSocket) for socket in agent._protocols)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert stun.RETRY_MAX == 6
