"""Whatever the rest of the process does, nobody hears it: neither the peer, nor who sits at the loudspeaker.

The peer is in another process, and the sound card is a thread with a pace of its own. On a machine that is busy with
something else a try may fail; what is broken fails each time.
"""

from __future__ import annotations

import asyncio
import gc
import importlib.util
import shutil
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from openvoice.core.inputs import MediaFlowing, MediaInput
from openvoice.core.types import Role
from openvoice.devices.listing import devices
from openvoice.devices.loudspeaker import Loudspeaker
from openvoice.devices.microphone import Microphone
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.media.session import CallMedia
from openvoice.media.transport import MediaTransport
from openvoice.ports import MediaSettings
from tests.devices.fake_sounddevice import FakeSoundDevice
from tests.devices.pulse import PulseAudio
from tests.media import peers
from tests.media.elsewhere import Elsewhere, questions
from tests.media.peers import LOOPBACK
from tests.waiting import until

pytestmark = [pytest.mark.network, pytest.mark.slow]

TRIES = 5
STALL = 0.5
BLOCK = 0.01


# --- the other end, in its own process --------------------------------------------------------------------------------


class Peer(CallMedia):
    """Speaks and plays as soon as it is secured."""

    def __init__(self) -> None:
        super().__init__(peers.settings(), lambda _: None)

    def secured(self, transport: MediaTransport) -> None:
        super().secured(transport)
        self._opening = asyncio.ensure_future(self.open_gate())

    def made_up(self) -> int:
        """Samples."""
        assert self._streams.voice is not None
        return self._streams.voice._receiver._buffer.counters.concealed


def serve(connection: Connection) -> None:
    async def main() -> None:
        peer = Peer()
        connection.send(await peer.open(Role.RESPONDER, await questions(connection)))
        while await questions(connection) is not None:
            connection.send(peer.made_up())
        await peer.close()

    asyncio.run(main())


# --- this end ---------------------------------------------------------------------------------------------------------


class Card(FakeSoundDevice):
    """Calls back every 10 ms, from its own thread."""

    def __init__(self) -> None:
        super().__init__()
        self.add("card", 1, 1)
        self.default.device = [0, 0]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card")
        self._thread.start()

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        block = np.full((480, 1), 1000, np.int16)
        while not self._ended.is_set():
            due += BLOCK
            time.sleep(max(0.0, due - time.monotonic()))
            for stream in self.streams:
                if stream.active:
                    stream.settings["callback"](block, len(block), None, None)


@dataclass
class Scene:
    """A call from the card to the peer."""

    elsewhere: Elsewhere
    loudspeaker: Loudspeaker
    microphone: Microphone

    async def heard(self) -> tuple[int, int, int]:
        """Samples the peer made up, blocks the loudspeaker missed, samples of the microphone that were lost."""
        return await self.elsewhere.ask("made up?"), self.loudspeaker.missed, self.microphone.missed


@pytest.fixture(params=["thread", pytest.param("pulse", marks=[pytest.mark.sound])])
def sound_card(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """The default one: a thread that calls back, or the virtual card of a real sound server behind PortAudio."""
    if request.param == "thread":
        card = Card()
        monkeypatch.setitem(sys.modules, "sounddevice", card)
        yield
        card.end()
        return
    if not shutil.which("pulseaudio") or not shutil.which("pactl") or not importlib.util.find_spec("sounddevice"):
        pytest.skip("PulseAudio or PortAudio is missing")
    pulse = PulseAudio(tmp_path)
    for name, value in pulse.environment.items():
        monkeypatch.setenv(name, value)
    pulse.start()
    devices(renew=True)
    yield
    pulse.kill()


@pytest.fixture
async def scene(sound_card: None) -> AsyncIterator[Scene]:
    interval = sys.getswitchinterval()
    # Other tests may have had the first call of the process.
    gc.unfreeze()
    flowing = asyncio.Event()

    def hear(message: MediaInput) -> None:
        if isinstance(message, MediaFlowing):
            flowing.set()

    with Elsewhere(serve) as elsewhere:
        scene = Scene(elsewhere, Loudspeaker(), Microphone())
        engine = ThreadedMediaEngine()
        session = engine.session(
            MediaSettings(interfaces=(LOOPBACK,), input=lambda: scene.microphone, output=lambda: scene.loudspeaker),
            hear,
        )
        await session.apply_answer(await elsewhere.ask(await session.open(Role.INITIATOR, None)))
        await flowing.wait()
        await session.open_gate()
        await until(lambda: session.statistics().packets_received > 50 and session.statistics().packets_sent > 50)
        yield scene
        await engine.close()
    sys.setswitchinterval(interval)


# --- what stalls the loop of signalling -------------------------------------------------------------------------------


def sleep() -> None:
    """Without the interpreter's lock, as a slow disk does."""
    time.sleep(STALL)


def compute() -> None:
    """With that lock, as parsing in Python does."""
    until = time.monotonic() + STALL
    while time.monotonic() < until:
        pass


def collect() -> None:
    """Everything that was there before the call, ten times."""
    for _ in range(10):
        gc.collect()
        time.sleep(STALL / 10)


async def test_a_stalled_loop_of_signalling_is_not_heard(scene: Scene) -> None:
    for stall in (sleep, compute, collect):
        assert (0, 0, 0) in [difference async for difference in differences(scene, stall)], stall.__name__


async def differences(scene: Scene, stall: Callable[[], None]) -> AsyncIterator[tuple[int, ...]]:
    """What a stall adds to what is heard: of each try, until one is good."""
    for _ in range(TRIES):
        before = await scene.heard()
        stall()
        await asyncio.sleep(0.2)
        heard = tuple(now - then for now, then in zip(await scene.heard(), before, strict=True))
        yield heard
        if not any(heard):
            return
