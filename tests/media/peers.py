"""Two sides of a call on loopback, without signalling: what one says, the other hears at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from openvoice.core import inputs
from openvoice.core.description import Content, SessionDescription
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import Role
from openvoice.media.session import CallMedia
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, Frame, MediaSettings, RelayServer
from openvoice.testing.impairment import Conditions, Impairment
from tests.waiting import until

LOOPBACK = "127.0.0.1"


class Microphone:
    """A frame of a soft tone every 20 ms."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self.stopped = False

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        loop = asyncio.get_running_loop()
        frame = (1000 * np.sin(np.arange(FRAME_SAMPLES) / 20)).astype(np.int16)

        def tick(at: float) -> None:
            deliver(frame)
            self._timer = loop.call_at(at + FRAME_SECONDS, tick, at + FRAME_SECONDS)

        tick(loop.time())

    def stop(self) -> None:
        self.stopped = True
        if self._timer is not None:
            self._timer.cancel()


class Speaker:
    """Pulls a frame every 20 ms and keeps none."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        loop = asyncio.get_running_loop()

        def tick() -> None:
            request()
            self._timer = loop.call_later(FRAME_SECONDS, tick)

        tick()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def settings(*relays: RelayServer, relay_only: bool = False) -> MediaSettings:
    return MediaSettings(relays=relays, relay_only=relay_only, input=Microphone, output=Speaker, interfaces=(LOOPBACK,))


class Side:
    """One side: its media, and what it said."""

    def __init__(self, of: MediaSettings) -> None:
        self.said: list[inputs.MediaInput] = []
        self.media = CallMedia(of, self._hear)
        self.other: Side | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def _hear(self, message: inputs.MediaInput) -> None:
        self.said.append(message)
        self._changed.set()
        if isinstance(message, inputs.LocalCandidates) and self.other is not None:
            task = asyncio.ensure_future(self.other.media.add_candidates(message.content, message.candidates))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def has_said(self, kind: type[inputs.MediaInput]) -> bool:
        return any(isinstance(message, kind) for message in self.said)

    async def says(self, kind: type[inputs.MediaInput], within: float = 15.0) -> inputs.MediaInput:
        """The first message of a kind, waited for."""
        async with asyncio.timeout(within):
            while not self.has_said(kind):
                self._changed.clear()
                await self._changed.wait()
        return next(message for message in self.said if isinstance(message, kind))


class Pair:
    """A caller and a callee. ``offer`` and ``answer`` are what passes between them, for a test to change."""

    def __init__(self, caller: MediaSettings | None = None, callee: MediaSettings | None = None) -> None:
        self.caller = Side(caller or settings())
        self.callee = Side(callee or settings())
        self.caller.other, self.callee.other = self.callee, self.caller

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.caller, self.callee

    async def connect(
        self,
        change_offer: Callable[[SessionDescription], SessionDescription] = lambda offer: offer,
        change_answer: Callable[[SessionDescription], SessionDescription] = lambda answer: answer,
    ) -> None:
        """Exchange descriptions. The peers then find each other by themselves."""
        offer = change_offer(await self.caller.media.open(Role.INITIATOR, None))
        self.caller.media.announce()
        answer = change_answer(await self.callee.media.open(Role.RESPONDER, offer))
        self.callee.media.announce()
        await self.caller.media.apply_answer(answer)

    async def flow(self) -> None:
        """Wait until both are secured and heard each other, then open both gates."""
        for side in self.sides:
            await side.says(inputs.MediaSecured)
            await side.says(inputs.MediaFlowing)
        for side in self.sides:
            await side.media.open_gate()

    async def close(self) -> None:
        for side in self.sides:
            await side.media.close()


def with_contents(description: SessionDescription, change: Callable[[Content], Content]) -> SessionDescription:
    return replace(description, contents=tuple(change(content) for content in description.contents))


async def hears(side: Side, packets: int) -> None:
    """Wait until a side received that many packets of voice in all."""
    await until(lambda: side.media.statistics().packets_received >= packets)


def without_candidates(description: SessionDescription) -> SessionDescription:
    return with_contents(
        description, lambda content: replace(content, transport=replace(content.transport, candidates=()))
    )


def impair(pair: Pair, conditions: Conditions, seed: int = 1) -> list[Impairment]:
    """Send every datagram of both sides over paths of that kind from now on: these, the first ones of the caller."""
    loop = asyncio.get_running_loop()
    impairments = []
    for number, side in enumerate(pair.sides):
        for transport in side.media._transports.distinct:
            path = transport.secure._path
            impairment = Impairment(conditions, seed=2 * seed + number)
            impairments.append(impairment)

            def send(
                datagram: bytes, leave: Callable[[bytes], None] = path.send, impairment: Impairment = impairment
            ) -> None:
                for moment in impairment.departures(len(datagram), loop.time()):
                    loop.call_at(moment, leave, datagram)

            path.send = send
    return impairments
