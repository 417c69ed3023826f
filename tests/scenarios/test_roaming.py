"""Whole clients with two networks each, and a server that both lead to: what a person notices when one goes.

The networks are namespaces; the server is on the router between them.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterator
from itertools import cycle

import pytest

from openvoice import Account, Call, CallState, Client, Policy, temporary_keys
from openvoice.core.description import CandidateType
from openvoice.server import private
from openvoice.server import prosody as prosody_module
from openvoice.server import turn as turn_module
from openvoice.server.prosody import Prosody
from openvoice.server.turn import Turn
from openvoice.testing.fakes import RecordingSink, ScriptedSource, tone
from tests.namespaces import Inside, Namespace, reason_against
from tests.networks import Networks
from tests.waiting import until

from .answering import answered_by

pytestmark = [
    pytest.mark.live,
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(bool(reason_against()), reason=reason_against() or "none"),
]

SERVER = "10.99.0.1"
SOON = 20.0


class Person:
    """A client on a device of its own."""

    def __init__(self, networks: Networks, prosody: Prosody, name: str, policy: Policy | None = None) -> None:
        self.networks = networks
        self.inside = Inside(networks.namespace)
        self.address = prosody.address(name)
        account = Account(
            address=self.address,
            password=prosody.accounts[name],
            server=(prosody.host, prosody.port),
            ca_file=prosody.ca_file,
        )
        self.client = Client(account, policy=policy, keys=temporary_keys())
        self.inside.run(self.client.__aenter__())

    def close(self) -> None:
        self.inside.run(self.client.__aexit__(None, None, None))
        self.inside.close()


class World:
    """A server, and two people who know each other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (private, prosody_module, turn_module):
            monkeypatch.setattr(module, "LOOPBACK", SERVER)
        self.router = Namespace()
        self.router.set("net/ipv4/ip_forward", "1")
        self.router.ip("address", "add", f"{SERVER}/32", "dev", "lo")
        self.inside = Inside(self.router)
        self.turn = Turn()
        self.inside.run(self.turn.__aenter__())
        self.prosody = Prosody(turn=self.turn)
        self.inside.run(self.prosody.__aenter__())
        self.networks = [Networks(self.router, number) for number in (11, 21)]
        self.people: list[Person] = []

    def call(self, policy: Policy | None = None) -> tuple[Person, Call, Person, Call]:
        """Somebody calls, somebody answers; both send a tone. ``policy`` is that of the caller."""
        for name in ("alice", "bob"):
            self.prosody.add_account(name, secrets.token_urlsafe())
        self.prosody.acquaint("alice", "bob")
        caller = Person(self.networks[0], self.prosody, "alice", policy)
        self.people.append(caller)
        callee = Person(self.networks[1], self.prosody, "bob")
        self.people.append(callee)

        async def answer() -> asyncio.Future[Call]:
            return answered_by(callee.client, source=ScriptedSource(cycle(tone())), sink=RecordingSink())

        taken = callee.inside.run(answer())

        async def dial() -> Call:
            call = await caller.client.call(callee.address, source=ScriptedSource(cycle(tone())), sink=RecordingSink())
            await call.wait_for(CallState.ACTIVE, SOON)
            return call

        async def accepted() -> Call:
            call = await taken
            await call.wait_for(CallState.ACTIVE, SOON)
            return call

        return caller, caller.inside.run(dial()), callee, callee.inside.run(accepted())

    def close(self) -> None:
        for person in self.people:
            person.close()
        self.inside.run(self.prosody.__aexit__(None, None, None))
        self.inside.run(self.turn.__aexit__(None, None, None))
        self.inside.close()
        for networks in self.networks:
            networks.namespace.delete()
        self.router.delete()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for server in (Prosody, Turn):
        if not server.is_installed():
            pytest.skip(server.missing())
    made = World(monkeypatch)
    yield made
    made.close()


def wait(condition: Callable[[], object]) -> None:
    asyncio.run(until(condition, SOON))


def count(call: Call, name: str) -> int:
    return sum(moment.name == name for moment in call.timeline)


def address_of(call: Call) -> str:
    """The own address of the path in use."""
    facts = call.security.media
    assert facts is not None
    return facts.local_address


def test_a_call_and_its_signalling_go_on_over_the_other_network(world: World) -> None:
    caller, call, callee, other = world.call()
    wait(lambda: address_of(call) == caller.networks.address("wifi"))
    time.sleep(1.5)
    caller.networks.unplug("wifi")
    wait(lambda: address_of(call) == caller.networks.address("lte"))
    received = call.stats.packets_received, other.stats.packets_received
    wait(lambda: call.stats.packets_received > received[0] + 50)
    wait(lambda: other.stats.packets_received > received[1] + 50)
    assert call.state is other.state is CallState.ACTIVE
    assert count(call, "interrupted") == count(other, "interrupted") == 0
    # The stream went down with the network, and is up again by the other one: a goodbye arrives.
    caller.inside.run(call.hangup())
    ended = callee.inside.run(asyncio.wait_for(other.wait_closed(), SOON))
    assert str(ended.reason) == "success"


def test_a_call_by_a_relay_alone_gets_another_relayed_address_and_no_other(world: World) -> None:
    caller, call, callee, other = world.call(Policy(relay_only=True))
    time.sleep(1.5)
    caller.networks.unplug("wifi")
    wait(lambda: count(call, "interrupted") == 1)
    wait(lambda: count(call, "restored") == 1)
    received = call.stats.packets_received, other.stats.packets_received
    wait(lambda: call.stats.packets_received > received[0] + 50)
    wait(lambda: other.stats.packets_received > received[1] + 50)
    facts = call.security.media
    assert facts is not None
    assert facts.local_candidate is CandidateType.RELAY
    assert facts.local_address == SERVER
    seen = other.security.media
    assert seen is not None
    assert seen.remote_address == SERVER
    caller.inside.run(call.hangup())
    callee.inside.run(asyncio.wait_for(other.wait_closed(), SOON))
