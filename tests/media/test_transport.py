"""What happens to a call that lives: its path dies, comes back, or is replaced by a better one."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator

import pytest

from openvoice.core import inputs
from openvoice.core.description import Candidate
from openvoice.core.types import EndReason
from openvoice.media import liveness, roaming
from openvoice.media import transport as transport_module
from openvoice.media.ice import IceAgent
from openvoice.media.transport import MediaTransport
from tests.media.peers import Pair, Side, hears
from tests.media.test_session import transport_of
from tests.waiting import until

pytestmark = pytest.mark.network

CANDIDATE = Candidate(foundation="late", address="127.0.0.1", port=9, priority=1)


@pytest.fixture
async def pair(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Pair]:
    """A call that flows, on a clock that runs ten times as fast where it waits."""
    monkeypatch.setattr(liveness, "INTERRUPTED_AFTER", 0.3)
    monkeypatch.setattr(liveness, "PROBE_AFTER", 0.1)
    monkeypatch.setattr(liveness, "SEEK_AFTER", 0.2)
    monkeypatch.setattr(transport_module, "RETIREMENT", 0.5)
    made = Pair()
    await made.connect()
    await made.flow()
    yield made
    await made.close()


def cut(agent: IceAgent) -> None:
    """Nothing that this agent sends arrives any more."""
    for socket in agent.sockets:
        socket.send = lambda datagram, destination: None  # type: ignore[method-assign]
        socket.send_stun = lambda message, addr: None  # type: ignore[method-assign]


def mend(agent: IceAgent) -> None:
    for socket in agent.sockets:
        del socket.send, socket.send_stun


async def restart(beginner: Side, answerer: Side) -> None:
    """What the signalling does: credentials there and back, then candidates both ways."""
    ours = await beginner.media.restart(())
    theirs = await answerer.media.restart(ours)
    beginner.media.announce()
    await beginner.media.apply_restart(theirs)
    answerer.media.announce()


def count(side: Side, kind: type[inputs.MediaInput]) -> int:
    return sum(isinstance(message, kind) for message in side.said)


async def test_a_dead_path_is_noticed_and_its_return_too(pair: Pair) -> None:
    cut(transport_of(pair.callee)._agent)
    await pair.caller.says(inputs.MediaInterrupted)
    mend(transport_of(pair.callee)._agent)
    await pair.caller.says(inputs.MediaRestored)
    assert count(pair.caller, inputs.MediaInterrupted) == count(pair.caller, inputs.MediaRestored) == 1
    assert not pair.caller.has_said(inputs.MediaFailed)


async def test_a_peer_that_is_only_silent_is_not_gone(pair: Pair) -> None:
    """A muted Dino sends nothing at all: the answered consent checks show that it is there."""
    for socket in transport_of(pair.callee)._agent.sockets:
        socket.send = lambda datagram, destination: None  # type: ignore[method-assign]
    received = pair.caller.media.statistics().packets_received
    await asyncio.sleep(0.8)
    assert pair.caller.media.statistics().packets_received <= received + 2
    assert not pair.caller.has_said(inputs.MediaInterrupted)


async def test_nothing_is_sent_without_consent(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7675: media stop, checks go on, and nothing is torn down behind our back."""
    transport = transport_of(pair.caller)
    monkeypatch.setattr(liveness, "CONSENT_LIFETIME", 0.0)
    monkeypatch.setattr(transport._agent, "check_consent", lambda: None)
    await asyncio.sleep(0.05)
    left: list[bytes] = []
    monkeypatch.setattr(transport._agent, "send_datagram", left.append)
    await asyncio.sleep(0.1)
    assert left == []
    assert transport._agent.selected_pair is not None
    assert not pair.caller.has_said(inputs.MediaFailed)


@pytest.mark.parametrize("beginner", ["caller", "callee"])
async def test_a_restart_makes_before_it_breaks(pair: Pair, beginner: str) -> None:
    first, second = pair.sides if beginner == "caller" else pair.sides[::-1]
    before = {side: transport_of(side)._agent for side in pair.sides}
    associations = {side: transport_of(side).secure for side in pair.sides}
    await restart(first, second)
    await until(lambda: all(transport_of(side)._agent is not before[side] for side in pair.sides))
    assert not any(agent._closed for agent in before.values())  # what is under way on the old path may still come
    await until(lambda: all(agent._closed for agent in before.values()))
    for side, other in (pair.sides, pair.sides[::-1]):
        agent = transport_of(side)._agent
        assert agent.selected_pair is not None
        assert agent.selected_pair.remote_addr[1] in {c.port for c in transport_of(other)._agent.descriptions}
        assert {c.port for c in agent.descriptions}.isdisjoint({c.port for c in before[side].descriptions})
        assert transport_of(side).secure is associations[side]
        assert agent.ice_controlling is before[side].ice_controlling
        await hears(side, side.media.statistics().packets_received + 10)
        statistics = side.media.statistics()
        assert statistics.loss == 0.0  # not one packet fell between the two paths
        assert not side.has_said(inputs.MediaInterrupted)
        assert count(side, inputs.MediaSecured) == 1


async def test_a_restart_finds_a_new_way_when_the_old_one_is_dead(pair: Pair) -> None:
    for side in pair.sides:
        cut(transport_of(side)._agent)
    for side in pair.sides:
        await side.says(inputs.MediaInterrupted)
    await restart(*pair.sides)
    for side in pair.sides:
        await side.says(inputs.MediaRestored)
    received = pair.caller.media.statistics().packets_received
    await until(lambda: pair.caller.media.statistics().packets_received > received + 5)


async def test_media_stay_on_the_old_path_until_the_new_one_works(pair: Pair) -> None:
    agent = transport_of(pair.caller)._agent
    await pair.caller.media.restart(())
    received = pair.callee.media.statistics().packets_received
    await until(lambda: pair.callee.media.statistics().packets_received > received + 5)
    assert transport_of(pair.caller)._agent is agent


async def test_a_restart_begun_twice_leaves_no_socket_behind(pair: Pair) -> None:
    first = await pair.caller.media.restart(())
    dropped = transport_of(pair.caller)._successor
    assert dropped is not None
    second = await pair.caller.media.restart(())
    assert first != second
    await until(lambda: dropped._closed)


async def test_a_restart_that_fails_on_a_dead_path_ends_the_call(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport_module, "ICE_TIMEOUT", 0.5)
    for side in pair.sides:
        cut(transport_of(side)._agent)
    await pair.caller.media.restart((("0", "user", "p" * 22),))
    failed = await pair.caller.says(inputs.MediaFailed)
    assert isinstance(failed, inputs.MediaFailed)
    assert failed.reason is EndReason.CONNECTIVITY_ERROR


async def test_a_restart_that_fails_on_a_living_path_changes_nothing(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "ICE_TIMEOUT", 0.1)
    await pair.caller.media.restart((("0", "user", "p" * 22),))
    transport = transport_of(pair.caller)
    await until(lambda: transport._successor is None)
    assert not pair.caller.has_said(inputs.MediaFailed)


async def test_new_credentials_go_out_before_the_candidates_they_belong_to(pair: Pair) -> None:
    before = count(pair.caller, inputs.LocalCandidates)
    credentials = await pair.caller.media.restart(())
    await asyncio.sleep(0.05)
    assert count(pair.caller, inputs.LocalCandidates) == before
    pair.caller.media.announce()
    assert count(pair.caller, inputs.LocalCandidates) == before + 1
    ((name, ufrag, pwd),) = credentials
    old = transport_of(pair.caller)._agent
    assert name == "0"
    assert (ufrag, pwd) != (old.local_username, old.local_password)


async def test_credentials_for_a_restart_nobody_began_are_ignored(pair: Pair) -> None:
    transport: MediaTransport = transport_of(pair.caller)
    agent = transport._agent
    await pair.caller.media.apply_restart((("0", "user", "p" * 22), ("other", "user", "p" * 22)))
    assert transport._agent is agent
    assert agent.remote_username != "user"


async def test_a_candidate_found_in_between_waits_for_the_credentials_too(pair: Pair) -> None:
    await pair.caller.media.restart(())
    before = count(pair.caller, inputs.LocalCandidates)
    pair.caller.media.candidate_found(transport_of(pair.caller), CANDIDATE)
    assert count(pair.caller, inputs.LocalCandidates) == before
    pair.caller.media.announce()
    last = [m for m in pair.caller.said if isinstance(m, inputs.LocalCandidates)][-1]
    assert CANDIDATE in last.candidates


async def test_a_candidate_of_the_path_before_is_not_told_any_more(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    transport = transport_of(pair.caller)
    found: list[Candidate] = []
    monkeypatch.setattr(pair.caller.media, "candidate_found", lambda transport, candidate: found.append(candidate))
    transport._handle_found(transport._agent, CANDIDATE)
    assert found == [CANDIDATE]
    await pair.caller.media.restart(())
    transport._handle_found(transport._agent, CANDIDATE)
    assert found == [CANDIDATE]


async def test_a_new_path_renews_the_consent(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    for side in pair.sides:
        cut(transport_of(side)._agent)
    await pair.caller.says(inputs.MediaInterrupted)
    monkeypatch.setattr(IceAgent, "check_consent", lambda agent: None)
    monkeypatch.setattr(MediaTransport, "_hear", lambda transport, now: None)
    await restart(*pair.sides)
    await pair.caller.says(inputs.MediaRestored)


async def test_closing_frees_the_sockets_of_the_path_before_too(pair: Pair) -> None:
    before = [transport_of(side)._agent for side in pair.sides]
    await restart(*pair.sides)
    await until(lambda: all(transport_of(side)._agent not in before for side in pair.sides))
    await pair.close()
    assert all(agent._closed for agent in before)


async def test_closing_in_the_moment_of_a_new_path_frees_the_one_before(pair: Pair) -> None:
    transport = transport_of(pair.caller)
    retired = transport._agent
    transport._agent = transport._make_agent(True)
    transport._retire(retired, 0.0)
    await pair.caller.media.close()
    assert retired._closed


async def test_another_path_is_told_with_its_facts(pair: Pair) -> None:
    assert count(pair.caller, inputs.MediaMoved) == 0
    await restart(pair.caller, pair.callee)
    for side in pair.sides:
        moved = await side.says(inputs.MediaMoved)
        secured = await side.says(inputs.MediaSecured)
        assert isinstance(moved, inputs.MediaMoved)
        assert isinstance(secured, inputs.MediaSecured)
        assert moved.facts.local_address == "127.0.0.1"
        assert moved.facts.remote_fingerprint == secured.facts.remote_fingerprint


async def test_what_an_agent_contacts_is_told_from_the_first_path_on(pair: Pair) -> None:
    for side in pair.sides:
        told = [message.contact for message in side.said if isinstance(message, inputs.Contacted)]
        assert {contact.kind.value for contact in told} == {"peer"}


async def test_a_peer_that_lets_go_without_a_word_has_hung_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its server may be gone, and with it every other way to say goodbye."""
    monkeypatch.setattr(transport_module, "EXPLANATION", 0.05)
    await pair.callee.media.close()
    await pair.caller.says(inputs.MediaClosed)
    assert not pair.caller.has_said(inputs.MediaFailed)


async def test_a_goodbye_that_the_signalling_explained_is_not_told_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport_module, "EXPLANATION", 0.05)
    await pair.callee.media.close()
    await pair.caller.media.close()
    await asyncio.sleep(0.1)
    assert not pair.caller.has_said(inputs.MediaClosed)


async def test_addresses_that_are_new_are_told(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.caller.media.network_changed()
    await asyncio.sleep(0.1)
    assert count(pair.caller, inputs.NetworkChanged) == 0
    monkeypatch.setattr(roaming, "local_addresses", lambda _: ("127.0.0.1", "127.0.0.2"))
    monkeypatch.setattr(roaming, "network_of", lambda address: address)
    pair.caller.media.network_changed()
    await pair.caller.says(inputs.NetworkChanged)
    pair.caller.media.network_changed()
    await asyncio.sleep(0.1)
    assert count(pair.caller, inputs.NetworkChanged) == 1
    assert not pair.caller.has_said(inputs.MediaInterrupted)


async def test_a_socket_that_cannot_send_is_an_interruption_at_once(pair: Pair) -> None:
    """There is no other: nothing is waited for. The peer is still heard, and that restores nothing by itself."""
    (only,) = transport_of(pair.caller)._agent.sockets
    cut(transport_of(pair.caller)._agent)
    only.error_received(OSError(errno.ENETUNREACH, "unreachable"))
    assert count(pair.caller, inputs.MediaInterrupted) == 1
    received = pair.caller.media.statistics().packets_received
    await until(lambda: pair.caller.media.statistics().packets_received > received + 5)
    assert count(pair.caller, inputs.MediaRestored) == 0
    mend(transport_of(pair.caller)._agent)
    await pair.caller.says(inputs.MediaRestored)


async def test_the_path_of_before_says_nothing_of_the_one_in_use(pair: Pair) -> None:
    before = transport_of(pair.caller)._agent
    await restart(pair.caller, pair.callee)
    await until(lambda: transport_of(pair.caller)._agent is not before)
    cut(transport_of(pair.caller)._agent)
    (only,) = before.sockets
    only.error_received(OSError(errno.ENETUNREACH, "unreachable"))
    assert count(pair.caller, inputs.MediaInterrupted) == 0


async def test_a_closed_call_hears_no_more_of_the_network(pair: Pair) -> None:
    await pair.caller.media.close()
    pair.caller.media.network_changed()
    await asyncio.sleep(0.05)
    assert transport_of(pair.caller)._agent.sockets == ()
