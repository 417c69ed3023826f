"""Calls of openvoice's media on loopback for the bench: ICE, DTLS, SRTP and the voice pipeline, no signalling."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np

from openvoice.core.inputs import LocalCandidates, MediaFlowing, MediaInput, MediaSecured
from openvoice.core.types import Role
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.session import CallMedia
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, Frame, MediaSettings, RelayServer
from tests.bench.impaired import Impaired
from tests.media.audio.network import Network

Sound = tuple[Callable[[], AudioInput], Callable[[], AudioOutput]]
"""What makes the input and the output of one end."""

_tasks: set[asyncio.Future[None]] = set()


class Silence:
    """A source and a sink of nothing."""

    def read(self) -> Frame:
        return np.zeros(FRAME_SAMPLES, np.int16)

    def write(self, frame: Frame) -> None: ...

    def close(self) -> None: ...


class Pair:
    """Two ends of a call, wired to each other."""

    def __init__(self, caller: Sound, callee: Sound, relays: tuple[RelayServer, ...] = ()) -> None:
        self._secured = (asyncio.Event(), asyncio.Event())
        self._flowing = (asyncio.Event(), asyncio.Event())
        self.ends = tuple(
            CallMedia(
                MediaSettings(relays=relays, interfaces=("127.0.0.1",), input=sound[0], output=sound[1]),
                self._hear(index),
            )
            for index, sound in enumerate((caller, callee))
        )

    def _hear(self, index: int) -> Callable[[MediaInput], None]:
        def notify(message: MediaInput) -> None:
            match message:
                case LocalCandidates(content, candidates):
                    _spawn(self.ends[1 - index].add_candidates(content, candidates))
                case MediaSecured():
                    self._secured[index].set()
                case MediaFlowing():
                    self._flowing[index].set()

        return notify

    async def secure(self) -> None:
        """Agree on keys, and exchange the first authenticated packets."""
        caller, callee = self.ends
        offer = await caller.open(Role.INITIATOR, None)
        answer = await callee.open(Role.RESPONDER, offer)
        await caller.apply_answer(answer)
        for event in (*self._secured, *self._flowing):
            await event.wait()

    async def close(self) -> None:
        await asyncio.gather(*(end.close() for end in self.ends))


async def call(source: PacedInput, sink: PacedOutput, network: Network, seconds: float) -> dict[str, float]:
    """Speak from ``source`` to ``sink`` over ``network`` for so long; the share made up and the kbit/s sent."""
    pair = Pair(
        (lambda: source, lambda: PacedOutput(Silence())),
        (lambda: PacedInput(Silence()), lambda: sink),
    )
    await pair.secure()
    alice, bob = pair.ends
    impair(bob, network)
    await bob.open_gate()
    # The two clocks of a call are not in step: half a frame is the mean.
    await asyncio.sleep(0.0103)
    await alice.open_gate()
    await asyncio.sleep(seconds)
    sent, heard = alice.statistics(), bob.statistics()
    await pair.close()
    return {"concealed": heard.concealed, "kbit_s": sent.bytes_sent * 8 / 1000 / seconds}


def impair(end: CallMedia, network: Network) -> None:
    """Put ``network`` between the transport and the voice of ``end``: what is not RTP passes as it is."""
    voice: Any = end._voice
    loop = asyncio.get_running_loop()
    handle = voice.handle_rtp
    impaired = Impaired[Any](network, lambda packet: handle(packet, loop.time()))
    voice.handle_rtp = lambda packet, _: impaired.send(packet)


def _spawn(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
