from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from openvoice.devices import microphone
from openvoice.ports import AudioInput
from openvoice.server.prosody import Prosody
from openvoice.testing.fakes import ManualInput

from .hostile_server import HostileServer
from .scene import HostileScene, Scene
from .wire import Wire


@pytest.fixture
def scene(prosody: Prosody) -> Callable[..., Scene]:
    """Makes scenes: ``scene(friends=("alice", "mallory"), strangers=("eve",))``."""

    def make(friends: tuple[str, ...], strangers: tuple[str, ...] = ()) -> Scene:
        return Scene(prosody, friends, strangers)

    return make


@pytest.fixture
async def hostile(prosody: Prosody) -> AsyncIterator[Callable[..., HostileScene]]:
    """Makes scenes on a server that is an enemy: ``hostile(friends=("alice", "bob"), victims=("alice",))``.

    What it sees and does is in ``.server``; ``.client("alice", policy=..., keys=...)`` makes clients.
    """
    async with HostileServer(prosody) as server:
        yield lambda friends, victims=(): HostileScene(server, prosody, friends, victims)


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Watches what leaves this process by UDP."""
    return Wire(monkeypatch)


@pytest.fixture
def microphones(monkeypatch: pytest.MonkeyPatch) -> list[AudioInput]:
    """The microphones that exist so far, in place of real ones."""
    made: list[AudioInput] = []

    def make(*_: object, insist: bool) -> AudioInput:
        made.append(ManualInput())
        return made[-1]

    monkeypatch.setattr(microphone, "Microphone", make)
    return made
