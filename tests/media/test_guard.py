"""Who may hand datagrams to DTLS and SRTP."""

from __future__ import annotations

import pytest
from aioice import stun
from aioice.ice import CandidatePair
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.description import CandidateType
from openvoice.media.candidates import make_local
from openvoice.media.guard import MAXIMUM_DATAGRAM, MAXIMUM_HELD, GuardedSocket
from openvoice.media.ice import IceAgent
from tests.media.peers import settings

PEER = ("192.0.2.1", 5000)
STRANGER = ("192.0.2.66", 5000)
CLIENT_HELLO = b"\x16\xfe\xfd" + bytes(50)


class Gate:
    """An agent that was never started, one socket of it, and a pair with PEER."""

    def __init__(self) -> None:
        self.delivered: list[bytes] = []
        self.agent = IceAgent(
            controlling=True,
            settings=settings(),
            deliver=self.delivered.append,
            found=lambda agent, candidate: None,
            consented=lambda _: None,
            moved=lambda _: None,
            contacted=lambda _: None,
        )
        self.socket = GuardedSocket(self.agent)
        self.socket.local_candidate = make_local(CandidateType.HOST, ("127.0.0.1", 4000), rank=0)
        remote = make_local(CandidateType.HOST, PEER, rank=0)
        self.pair = CandidatePair(self.socket, remote)
        self.agent._check_list.append(self.pair)


async def test_only_the_far_end_of_a_succeeded_pair_is_let_through() -> None:
    gate = Gate()
    gate.pair.state = CandidatePair.State.SUCCEEDED
    gate.socket.datagram_received(CLIENT_HELLO, STRANGER)
    gate.socket.datagram_received(CLIENT_HELLO, (PEER[0], PEER[1] + 1))
    assert gate.delivered == []
    assert gate.socket.discarded == 2
    gate.socket.datagram_received(CLIENT_HELLO, PEER)
    assert gate.delivered == [CLIENT_HELLO]


async def test_another_socket_of_the_same_agent_is_another_matter() -> None:
    gate = Gate()
    gate.pair.state = CandidatePair.State.SUCCEEDED
    other = GuardedSocket(gate.agent)
    other.datagram_received(CLIENT_HELLO, PEER)
    assert gate.delivered == []


@pytest.mark.parametrize("state", [s for s in CandidatePair.State if s is not CandidatePair.State.SUCCEEDED])
async def test_what_comes_before_the_check_ends_is_held_until_it_succeeds(state: CandidatePair.State) -> None:
    gate = Gate()
    gate.pair.state = state
    gate.socket.datagram_received(CLIENT_HELLO, PEER)
    gate.socket.datagram_received(CLIENT_HELLO, STRANGER)
    assert gate.delivered == []
    gate.pair.state = CandidatePair.State.SUCCEEDED
    gate.agent.check_complete(gate.pair)
    assert gate.delivered == [CLIENT_HELLO]
    gate.agent.check_complete(gate.pair)
    assert gate.delivered == [CLIENT_HELLO]
    await gate.agent.close()


async def test_what_is_held_is_bounded() -> None:
    gate = Gate()
    for _ in range(1000):
        gate.socket.datagram_received(CLIENT_HELLO, PEER)
    gate.socket.release(gate.pair)
    assert len(gate.delivered) == MAXIMUM_HELD


@pytest.mark.parametrize("datagram", [b"", bytes([0x80]) * (MAXIMUM_DATAGRAM + 1)])
async def test_empty_and_oversized_datagrams_are_dropped_even_from_the_peer(datagram: bytes) -> None:
    gate = Gate()
    gate.pair.state = CandidatePair.State.SUCCEEDED
    gate.socket.datagram_received(datagram, PEER)
    assert gate.delivered == []


async def test_what_only_looks_like_stun_goes_nowhere() -> None:
    gate = Gate()
    gate.pair.state = CandidatePair.State.SUCCEEDED
    gate.socket.datagram_received(b"\x00\x01not STUN at all", PEER)
    assert gate.delivered == []


_HEADER = st.builds(
    lambda kind, body, cookie: kind + len(body).to_bytes(2, "big") + cookie + bytes(12) + body,
    st.sampled_from([b"\x00\x01", b"\x01\x01", b"\x01\x11", b"\x00\x11"]),
    st.lists(
        st.builds(
            lambda kind, value: (
                kind.to_bytes(2, "big") + len(value).to_bytes(2, "big") + value + bytes(-len(value) % 4)
            ),
            st.sampled_from(sorted(stun.ATTRIBUTES_BY_TYPE)),
            st.binary(max_size=20),
        ),
        max_size=5,
    ).map(b"".join),
    st.just(stun.COOKIE.to_bytes(4, "big")),
)


@given(st.one_of(_HEADER, st.binary(max_size=200)))
def test_nothing_a_stranger_sends_raises_or_gets_through(datagram: bytes) -> None:
    import asyncio

    async def receive() -> None:
        gate = Gate()
        gate.socket.send_stun = lambda message, addr: None  # type: ignore[method-assign]
        gate.socket.datagram_received(datagram, STRANGER)
        assert gate.delivered == []
        assert gate.agent._remote_candidates == []

    asyncio.run(receive())


async def test_a_socket_that_is_gone_sends_nothing() -> None:
    gate = Gate()
    gate.socket.connection_lost(None)
    gate.socket.send(b"late", PEER)
    gate.socket.send_stun(stun.Message(stun.Method.BINDING, stun.Class.REQUEST), PEER)
