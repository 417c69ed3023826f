"""How many calls does one core carry?

::

    python -m tests.bench scale [--calls 1,10,20,30,40,50] [--protection in-band] [--seconds 10] [--out FILE.json]
    python -m tests.bench scale --stages --calls 30

One process on the first core has one end of each of the duplex calls, on the media thread as in the product: ICE, DTLS,
SRTP, voice, reports, snapshots. The other ends are in a process on the second core, and cheap: they send what was
encoded before and play nothing. A frame is *late* that is sent or played more than 40 ms after the one before it.

``--protection``: ``in-band`` (the line loses, and the peers take no copies), ``copies`` (it loses, and they do), or
``none`` (it does not lose).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from unittest import mock

import psutil
from aiortc.rtp import RtpPacket

from openvoice.core.description import SessionDescription
from openvoice.core.inputs import DeviceChanged, MediaFailed, MediaFlowing, MediaInput, MediaSecured
from openvoice.core.types import Role
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.audio.opus import OpusEncoder
from openvoice.media.engine import ThreadedMediaEngine, ThreadedMediaSession
from openvoice.media.session import CallMedia
from openvoice.media.transport import MediaTransport
from openvoice.ports import FRAME_SECONDS, Frame, MediaSettings
from tests.bench.soak import Talk, say
from tests.bench.stages import Stopwatch
from tests.media.elsewhere import Elsewhere, questions
from tests.media.peers import LOOPBACK, with_contents

PROTECTIONS = ("none", "in-band", "copies")
LATE = 0.04
"""Seconds between two frames, which should be 0.02."""
LOST = 50
"""On a line that loses, one packet of so many is lost."""
SETTLING = 8.0
"""Seconds in which the protection finds its step."""


@dataclass(slots=True)
class Beat:
    """A source or a sink that notes when it is asked."""

    talk: Iterator[Frame] | None = None
    last: float = 0.0
    gaps: list[float] = field(default_factory=list)

    def read(self) -> Frame | None:
        self._note()
        return next(self.talk) if self.talk else None

    def write(self, frame: Frame) -> None:
        self._note()

    def close(self) -> None: ...

    def _note(self) -> None:
        now = time.monotonic()
        if self.last:
            self.gaps.append(now - self.last)
        self.last = now


@dataclass(frozen=True, slots=True)
class Load:
    """What so many calls cost. ``late_pct`` of all frames sent and played, ``worst_ms`` the longest gap of all."""

    calls: int
    protection: str
    cpu_pct: float
    cpu_per_call_pct: float
    late_pct: float
    worst_ms: float
    memory_per_call_mb: float
    threads: int
    concealed: float
    packets_per_second: float


# --- the ends that are measured ---------------------------------------------------------------------------------------


class End:
    """One call's end on the media thread."""

    def __init__(self, engine: ThreadedMediaEngine, talk: Sequence[Frame], begin: int) -> None:
        self.beats = (Beat(cycle([*talk[begin:], *talk[:begin]])), Beat())
        said, heard = self.beats
        settings = MediaSettings(
            interfaces=(LOOPBACK,), input=lambda: PacedInput(said), output=lambda: PacedOutput(heard)
        )
        self._ready: dict[type, asyncio.Event] = {kind: asyncio.Event() for kind in (MediaSecured, MediaFlowing)}
        self.session: ThreadedMediaSession = engine.session(settings, self._hear)

    def _hear(self, message: MediaInput) -> None:
        if type(message) in self._ready:
            self._ready[type(message)].set()
        assert not isinstance(message, MediaFailed), message

    async def connect(self, peer: Elsewhere) -> None:
        await self.session.apply_answer(await peer.ask(await self.session.open(Role.INITIATOR, None)))
        for event in self._ready.values():
            await event.wait()
        await self.session.open_gate()


async def measure(calls: int, protection: str, seconds: float, watch: Stopwatch | None = None) -> Load:
    process = psutil.Process()
    engine, talk = ThreadedMediaEngine(), Talk(1).frames
    with Elsewhere(serve, protection) as peers:
        ends: list[End] = []
        before = 0
        for number in range(calls):
            end = End(engine, talk, 7 * number % len(talk))
            await end.connect(peers)
            ends.append(end)
            if not before:
                # What is loaded and begun once is no cost of a call.
                before = process.memory_info().rss
        await asyncio.sleep(SETTLING)
        beats = [beat for end in ends for beat in end.beats]
        for beat in beats:
            beat.gaps.clear()
        sent = sum(end.session.statistics().packets_sent for end in ends)
        if watch is not None:
            watch.clear()
        used, begin = time.process_time(), time.monotonic()
        await asyncio.sleep(seconds)
        elapsed = time.monotonic() - begin
        cpu = 100 * (time.process_time() - used) / elapsed
        if watch is not None:
            say(watch.table(calls * elapsed / FRAME_SECONDS, cpu / 100 * elapsed))
        statistics = [end.session.statistics() for end in ends]
        gaps = [gap for beat in beats for gap in beat.gaps]
        load = Load(
            calls=calls,
            protection=protection,
            cpu_pct=round(cpu, 1),
            cpu_per_call_pct=round(cpu / calls, 2),
            late_pct=round(100 * sum(gap > LATE for gap in gaps) / len(gaps), 3),
            worst_ms=round(1000 * max(gaps), 1),
            memory_per_call_mb=round((process.memory_info().rss - before) / max(1, calls - 1) / 1e6, 2),
            threads=threading.active_count(),
            concealed=round(max(each.concealed for each in statistics), 4),
            packets_per_second=round((sum(each.packets_sent for each in statistics) - sent) / elapsed / calls, 1),
        )
        await engine.close()
    return load


# --- the other ends ---------------------------------------------------------------------------------------------------


class Peer(CallMedia):
    """An end that may lose, both ways."""

    def __init__(self, talk: Sequence[Frame], loses: bool) -> None:
        settings = MediaSettings(
            interfaces=(LOOPBACK,), input=lambda: PacedInput(Beat(cycle(talk))), output=lambda: Deaf()
        )
        super().__init__(settings, lambda _: None)
        self._loses = loses
        self._sent = self._heard = 0

    async def _gather(self, *arguments: Any, **named: Any) -> Any:
        made = await super()._gather(*arguments, **named)
        for transport in made:
            transport.send_rtp = self._losing(transport.send_rtp)  # type: ignore[assignment,method-assign]
        return made

    def _losing(self, send: Callable[[bytes], None]) -> Callable[[bytes], None]:
        def send_most(packet: bytes) -> None:
            self._sent += 1
            if not self._loses or self._sent % LOST:
                send(packet)

        return send_most

    def rtp_received(self, transport: MediaTransport, packet: RtpPacket, arrival: float) -> None:
        self._heard += 1
        if not self._loses or self._heard % LOST:
            super().rtp_received(transport, packet, arrival)

    def secured(self, transport: MediaTransport) -> None:
        super().secured(transport)
        asyncio.ensure_future(self.open_gate())  # noqa: RUF006 - it does not wait


class Deaf:
    """An output that asks for nothing."""

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None: ...

    def stop(self) -> None: ...


class Encoded:
    """In place of the encoder: what it once made of the same frames, over and over."""

    def __init__(self, talk: Sequence[Frame]) -> None:
        self._frames = talk
        self._payloads: dict[int, Iterator[bytes]] = {}
        self._encode = OpusEncoder.encode

    def __call__(self, encoder: OpusEncoder, frame: Frame) -> bytes:
        if id(encoder) not in self._payloads:
            self._payloads[id(encoder)] = cycle([self._encode(encoder, each) for each in self._frames])
        return next(self._payloads[id(encoder)])


def serve(connection: Connection, protection: str) -> None:
    pin(1)
    talk = Talk(2).frames[:100]
    encoded = Encoded(talk)
    with mock.patch.object(OpusEncoder, "encode", lambda encoder, frame: encoded(encoder, frame)):
        asyncio.run(_serve(connection, talk, protection))


async def _serve(connection: Connection, talk: Sequence[Frame], protection: str) -> None:
    peers: list[Peer] = []
    while (offer := await questions(connection)) is not None:
        if protection == "in-band":
            offer = without_copies(offer)
        peer = Peer(talk, loses=protection != "none")
        peers.append(peer)
        connection.send(await peer.open(Role.RESPONDER, offer))
    for peer in peers:
        await peer.close()


def without_copies(description: SessionDescription) -> SessionDescription:
    return with_contents(
        description,
        lambda content: replace(content, codecs=tuple(codec for codec in content.codecs if codec.name != "red")),
    )


def pin(core: int) -> None:
    """Keep this process on one core, where the system lets us."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core % (os.cpu_count() or 1)})


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench scale", description="How many calls per core?")
    parser.add_argument("--calls", default="1,10,20,30,40,50", help="how many at once, with commas between")
    parser.add_argument("--protection", choices=PROTECTIONS, default="in-band")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--stages", action="store_true", help="where the time of a frame goes, too")
    parser.add_argument("--out", type=Path, help="where the rows go, as JSON")
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    names = ("calls", "CPU %", "per call", "late %", "worst ms", "MB/call", "threads", "made up")
    say("".join(f"{name:>10}" for name in names))
    # Each in a process of its own, so that none inherits the memory of another.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=pin, initargs=(0,), max_tasks_per_child=1) as pool:
        for calls in map(int, options.calls.split(",")):
            load = pool.submit(run, calls, options.protection, options.seconds, options.stages).result()
            rows.append(asdict(load))
            say(
                f"{load.calls:10}{load.cpu_pct:10.1f}{load.cpu_per_call_pct:10.2f}{load.late_pct:10.3f}"
                f"{load.worst_ms:10.1f}{load.memory_per_call_mb:10.2f}{load.threads:10}{load.concealed:10.2%}"
            )
    if options.out:
        options.out.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    return 0


def run(calls: int, protection: str, seconds: float, stages: bool = False) -> Load:
    if not stages:
        return asyncio.run(measure(calls, protection, seconds))
    with Stopwatch() as watch:
        return asyncio.run(measure(calls, protection, seconds, watch))
