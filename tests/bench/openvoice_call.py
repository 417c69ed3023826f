"""Calls of openvoice's media on loopback for the bench: ICE, DTLS, SRTP and the voice pipeline, no signalling."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

from openvoice.core.description import Candidate, SessionDescription
from openvoice.core.inputs import LocalCandidates, MediaFlowing, MediaInput, MediaSecured
from openvoice.core.types import Role
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.codec import Samples
from openvoice.media.audio.negotiation import REDUNDANCY
from openvoice.media.session import CallMedia
from openvoice.ports import FRAME_SECONDS, SAMPLE_RATE, AudioInput, AudioOutput, MediaSettings, RelayServer
from tests.bench.take import Ear, Heard, Mouth, Silence

Sound = tuple[Callable[[], AudioInput], Callable[[], AudioOutput]]
"""What makes the input and the output of one end."""
Ports = tuple[int, int]
"""Where the second end finds the first, and where the first finds the second, if not where they are."""
Started = Callable[[], Awaitable[None]]
"""Tells that all is connected, and returns when all begin to speak."""
HALF_A_FRAME = FRAME_SECONDS / 2
"""The two clocks of a call are not in step: this is the mean."""

_tasks: set[asyncio.Future[None]] = set()


class Pair:
    """Two ends of a call, wired to each other."""

    def __init__(
        self, caller: Sound, callee: Sound, relays: tuple[RelayServer, ...] = (), ports: Ports | None = None
    ) -> None:
        self._ports = ports
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
                    _spawn(self.ends[1 - index].add_candidates(content, self._relayed(index, candidates)))
                case MediaSecured():
                    self._secured[index].set()
                case MediaFlowing():
                    self._flowing[index].set()

        return notify

    async def secure(self, *, plain: bool = False) -> None:
        """Agree on keys, and exchange the first authenticated packets."""
        caller, callee = self.ends
        offer = self._passed(0, await caller.open(Role.INITIATOR, None))
        answer = await callee.open(Role.RESPONDER, without_protection(offer) if plain else offer)
        await caller.apply_answer(self._passed(1, answer))
        for event in (*self._secured, *self._flowing):
            await event.wait()

    async def close(self) -> None:
        await asyncio.gather(*(end.close() for end in self.ends))

    def _passed(self, index: int, description: SessionDescription) -> SessionDescription:
        """What the other end gets of the description of this one."""
        contents = []
        for content in description.contents:
            candidates = self._relayed(index, content.transport.candidates)
            contents.append(replace(content, transport=replace(content.transport, candidates=candidates)))
        return replace(description, contents=tuple(contents))

    def _relayed(self, index: int, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        if self._ports is None:
            return candidates
        return tuple(replace(candidate, port=self._ports[index]) for candidate in candidates)


async def call(said: Samples, ports: Ports, started: Started, *, plain: bool = False) -> Heard:
    """Say so much over a relay once ``started`` says so; ``plain`` is without RED and NACK (RFC 2198, RFC 4585)."""
    mouth, ear = Mouth(said), Ear()
    pair = Pair(
        (lambda: PacedInput(mouth), lambda: PacedOutput(Silence())),
        (lambda: PacedInput(Silence()), lambda: PacedOutput(ear)),
        ports=ports,
    )
    await pair.secure(plain=plain)
    alice, bob = pair.ends
    await started()
    used = time.process_time()
    await bob.open_gate()
    await asyncio.sleep(HALF_A_FRAME)
    await alice.open_gate()
    await asyncio.sleep(len(said) / SAMPLE_RATE)
    used = time.process_time() - used
    concealed = bob.statistics().concealed
    await pair.close()
    return Heard(
        samples=ear.samples(),
        said=mouth.clock(),
        heard=ear.clock(),
        concealed=concealed,
        cpu_pct=100 * used / (len(said) / SAMPLE_RATE),
    )


def without_protection(description: SessionDescription) -> SessionDescription:
    """What a peer says that knows neither RED nor NACK."""
    contents = (
        replace(
            content,
            codecs=tuple(replace(codec, feedback=()) for codec in content.codecs if codec.name != REDUNDANCY),
        )
        for content in description.contents
    )
    return replace(description, contents=tuple(contents))


def _spawn(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
