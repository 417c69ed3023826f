from __future__ import annotations

from dataclasses import replace

import pytest

from openvoice.core.description import Candidate, CandidateType, SessionDescription
from openvoice.core.inputs import LocalCandidates, MediaFlowing, MediaInput
from openvoice.core.types import Role
from openvoice.ports import MediaEngine, MediaSettings, RelayServer
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.fakes import FakeMediaEngine, ManualInput, ManualOutput, description
from openvoice.testing.link import ImpairedLink
from openvoice.testing.nat import Nat

pytestmark = [pytest.mark.network]

HOST = Candidate(foundation="1", address="127.0.0.1", port=4000, priority=1)
REFLEXIVE = replace(HOST, type=CandidateType.SERVER_REFLEXIVE, port=4001, related_address="10.0.0.9", related_port=9)


def settings(*relays: RelayServer) -> MediaSettings:
    return MediaSettings(relays=relays, input=ManualInput, output=ManualOutput)


def with_candidates(*candidates: Candidate) -> SessionDescription:
    (content,) = description().contents
    transport = replace(content.transport, candidates=candidates)
    return SessionDescription(contents=(replace(content, transport=transport),))


async def test_the_peers_candidates_become_gates() -> None:
    fake = FakeMediaEngine()
    async with ImpairedLink() as link:
        engine: MediaEngine = EngineBehindLink(fake, link)
        session = engine.session(settings(), lambda message: None)
        await session.open(Role.RESPONDER, with_candidates(HOST))
        await session.add_candidates("0", [REFLEXIVE])
        await session.apply_answer(with_candidates(HOST))
    gate_of_host = replace(HOST, port=link.gate(("127.0.0.1", 4000))[1])
    gate_of_reflexive = replace(
        REFLEXIVE, port=link.gate(("127.0.0.1", 4001))[1], related_address=None, related_port=None
    )
    assert fake.sessions[0].commands == [
        ("open", Role.RESPONDER, with_candidates(gate_of_host)),
        ("add_candidates", "0", (gate_of_reflexive,)),
        ("apply_answer", with_candidates(gate_of_host)),
    ]


@pytest.mark.parametrize("nat", [Nat.NONE, Nat.FULL_CONE])
async def test_own_candidates_are_shown_as_the_outside_sees_them(nat: Nat) -> None:
    fake = FakeMediaEngine()
    told: list[MediaInput] = []
    async with ImpairedLink(nat=nat) as link:
        EngineBehindLink(fake, link).session(settings(), told.append)
        fake.sessions[0].notify(LocalCandidates("0", (HOST, REFLEXIVE)))
        fake.sessions[0].notify(MediaFlowing())
        shown_reflexive = replace(REFLEXIVE, related_address=None, related_port=None)
        if nat is Nat.NONE:
            shown_host = replace(HOST, port=link.outside(("127.0.0.1", 4000))[1])
            assert told == [LocalCandidates("0", (shown_host, shown_reflexive)), MediaFlowing()]
        else:
            assert told == [LocalCandidates("0", (shown_reflexive,)), MediaFlowing()]


async def test_servers_over_udp_are_reached_through_the_link() -> None:
    fake = FakeMediaEngine()
    over_udp = RelayServer("turn", "127.0.0.1", 3478, "udp", "user", "password")
    over_tcp = RelayServer("turn", "127.0.0.1", 3478, "tcp", "user", "password")
    async with ImpairedLink() as link:
        EngineBehindLink(fake, link).session(settings(over_udp, over_tcp), lambda message: None)
        gate = link.gate(("127.0.0.1", 3478))
    assert fake.sessions[0].settings.relays == (replace(over_udp, port=gate[1]), over_tcp)


async def test_all_else_is_passed_on() -> None:
    fake = FakeMediaEngine()
    async with ImpairedLink() as link:
        engine = EngineBehindLink(fake, link)
        session = engine.session(settings(), lambda message: None)
        await session.open_gate()
        assert await session.restart([("0", "u", "p")])
        await session.apply_restart([("0", "u", "p")])
        await session.set_muted(True)
        await session.set_held(True)
        await session.play_digits("1")
        assert session.statistics() is fake.sessions[0].measured
        await session.close()
        await engine.close()
    assert [command[0] for command in fake.sessions[0].commands] == [
        "open_gate",
        "restart",
        "apply_restart",
        "set_muted",
        "set_held",
        "play_digits",
    ]
    assert fake.sessions[0].closed
    assert fake.closed
