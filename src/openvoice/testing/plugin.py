"""The pytest plugin. Every pytest run where openvoice is installed loads it, so it imports what it needs late.

Fixtures of the session:

``turn``
    A :class:`~openvoice.server.turn.Turn` that runs.
``prosody``
    A :class:`~openvoice.server.prosody.Prosody` that runs, and names ``turn`` to its clients where that is installed.

Fixtures of a test:

``clients``
    Makes clients: ``async with clients("alice", "bob") as (alice, bob): ...``
``impaired_link``
    Makes links: ``async with impaired_link(nat=Nat.SYMMETRIC, up=Conditions(loss=0.1)) as link: ...``

A test that asks for a program that is not installed is skipped, and the reason says what to install.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import pytest

if TYPE_CHECKING:
    from openvoice.server.private import PrivateServer
    from openvoice.server.prosody import Prosody
    from openvoice.server.turn import Turn
    from openvoice.testing.clients import ClientFactory
    from openvoice.testing.link import ImpairedLink

Server = TypeVar("Server", bound="PrivateServer")


@pytest.fixture(scope="session")
def turn() -> Iterator[Turn]:
    """STUN and TURN on loopback, for the whole session."""
    from openvoice.server.turn import Turn

    if not Turn.is_installed():
        pytest.skip(Turn.missing())
    with running(Turn()) as server:
        yield server


@pytest.fixture(scope="session")
def prosody(request: pytest.FixtureRequest) -> Iterator[Prosody]:
    """A throw-away XMPP server on loopback, for the whole session. Make accounts of your own in it."""
    from openvoice.server.prosody import Prosody
    from openvoice.server.turn import Turn

    if not Prosody.is_installed():
        pytest.skip(Prosody.missing())
    relay: Turn | None = request.getfixturevalue("turn") if Turn.is_installed() else None
    with running(Prosody(turn=relay)) as server:
        yield server


@pytest.fixture
def clients(prosody: Prosody) -> ClientFactory:
    """Makes clients with accounts of their own, who have each other in their rosters."""
    from openvoice.testing.clients import ClientFactory

    return ClientFactory(prosody)


@pytest.fixture
def impaired_link() -> Callable[..., ImpairedLink]:
    """Makes links; the arguments are those of :class:`~openvoice.testing.link.ImpairedLink`."""
    from openvoice.testing.link import ImpairedLink

    return ImpairedLink


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """Run a server without an event loop of the test's: its methods may then be called from any."""
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        runner.run(server.__aenter__())
        try:
            yield server
        finally:
            runner.run(server.__aexit__(None, None, None))
