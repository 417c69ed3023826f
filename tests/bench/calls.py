"""What a call costs and how quickly it comes about, beside stock aiortc, in one run on one machine.

Media only, on loopback, both ends in this process, with ICE, DTLS and SRTP: ``setup_ms`` is offer to the first
authenticated media (openvoice) or the first decoded frame (aiortc) at both ends; ``dead_server_ms`` the same with a
STUN server that does not answer; ``cpu_pct`` of one core and ``memory_mb`` for one end of a duplex call among many;
``late_pct`` the share of frames that were asked for more than 20 ms after their time while they ran.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast
from unittest import mock

import numpy as np
import psutil
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from openvoice.core.inputs import LocalCandidates, MediaFlowing, MediaInput, MediaSecured
from openvoice.core.types import Role
from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.media.session import CallMedia
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame, MediaSettings, RelayServer
from tests.bench.aiortc_call import Player, Track, connected

DEAD = ("127.0.0.1", 9)
"""Nothing answers here (RFC 863)."""
SETUPS = 7
CALLS = 10
SECONDS = 6.0


class Tone:
    """A source that has something to encode, and a sink that notes how late it was asked."""

    def __init__(self) -> None:
        self._samples: Frame = (8000 * np.sin(np.arange(SAMPLE_RATE) * 0.05)).astype(np.int16)
        self._position = 0
        self._due = 0.0
        self.asked = self.late = 0

    def read(self) -> Frame:
        self._position = (self._position + FRAME_SAMPLES) % SAMPLE_RATE
        return self._samples[self._position : self._position + FRAME_SAMPLES]

    def write(self, frame: Frame) -> None:
        now = time.monotonic()
        self._due = self._due + FRAME_SECONDS if self._due else now
        self.asked += 1
        self.late += now - self._due > FRAME_SECONDS

    def close(self) -> None: ...


class Pair:
    """Two ends of an openvoice call, wired to each other."""

    def __init__(self, relays: tuple[RelayServer, ...] = ()) -> None:
        self.tones = (Tone(), Tone())
        self.flowing = [asyncio.Event(), asyncio.Event()]
        self.ends: list[CallMedia] = []
        for index in (0, 1):
            settings = MediaSettings(
                relays=relays,
                interfaces=("127.0.0.1",),
                input=lambda tone=self.tones[index]: PacedInput(tone),  # type: ignore[misc]
                output=lambda tone=self.tones[index]: PacedOutput(tone),  # type: ignore[misc]
            )
            self.ends.append(CallMedia(settings, self._hear(index)))

    def _hear(self, index: int) -> Callable[[MediaInput], None]:
        def notify(message: MediaInput) -> None:
            match message:
                case LocalCandidates(content, candidates):
                    _spawn(self.ends[1 - index].add_candidates(content, candidates))
                case MediaSecured():
                    _spawn(self.ends[index].open_gate())
                case MediaFlowing():
                    self.flowing[index].set()

        return notify

    async def connect(self) -> None:
        caller, callee = self.ends
        offer = await caller.open(Role.INITIATOR, None)
        answer = await callee.open(Role.RESPONDER, offer)
        await caller.apply_answer(answer)
        await asyncio.gather(*(event.wait() for event in self.flowing))

    async def close(self) -> None:
        await asyncio.gather(*(end.close() for end in self.ends))


class AiortcPair:
    """Two ends of a stock aiortc call."""

    def __init__(self, stun: bool = False) -> None:
        servers = [RTCIceServer(f"stun:{DEAD[0]}:{DEAD[1]}")] if stun else []
        self.tones = (Tone(), Tone())
        self._ends = [RTCPeerConnection(RTCConfiguration(iceServers=servers)) for _ in range(2)]
        self._paced: list[PacedInput | PacedOutput] = []
        self._listening: list[asyncio.Future[None]] = []

    async def connect(self) -> None:
        heard = []
        caller, callee = self._ends
        for end, tone in zip(self._ends, self.tones, strict=True):
            track = Track()
            end.addTrack(track)
            source = PacedInput(tone)
            source.start(track.deliver, print)
            self._paced.append(source)
        with mock.patch("aioice.ice.get_host_addresses", return_value=["127.0.0.1"]):
            await caller.setLocalDescription(await caller.createOffer())
            await callee.setRemoteDescription(caller.localDescription)
            await callee.setLocalDescription(await callee.createAnswer())
            await caller.setRemoteDescription(callee.localDescription)
        await asyncio.gather(*map(connected, self._ends))
        for end, tone in zip(self._ends, self.tones, strict=True):
            player = Player()
            self._listening.append(asyncio.ensure_future(player.listen(end.getReceivers()[0].track)))
            heard.append(player)
            output = PacedOutput(tone)
            output.start(player.request, print)
            self._paced.append(output)
        while any(player.asked == player.missing for player in heard):  # noqa: ASYNC110 - the player has no event
            await asyncio.sleep(0.002)

    async def close(self) -> None:
        for paced in self._paced:
            paced.stop()
        await asyncio.gather(*(end.close() for end in self._ends))
        await asyncio.gather(*self._listening)


SYSTEMS: dict[str, Callable[[bool], Pair | AiortcPair]] = {
    "openvoice": lambda dead: Pair((RelayServer("stun", *DEAD),) if dead else ()),
    "aiortc": AiortcPair,
}
_tasks: set[asyncio.Future[None]] = set()


def _spawn(work: Awaitable[None]) -> None:
    task = asyncio.ensure_future(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def setup_time(make: Callable[[bool], Pair | AiortcPair], *, dead: bool, runs: int) -> float:
    """Milliseconds, the median of ``runs``."""
    times = []
    for _ in range(runs):
        pair = make(dead)
        begin = time.monotonic()
        await pair.connect()
        times.append(1000 * (time.monotonic() - begin))
        await pair.close()
    return statistics.median(times)


async def crowd(make: Callable[[bool], Pair | AiortcPair], calls: int, seconds: float) -> dict[str, float]:
    """Many calls at once: what one end of each costs."""
    process = psutil.Process()
    before = process.memory_info().rss
    pairs = [make(False) for _ in range(calls)]
    for pair in pairs:
        await pair.connect()
    tones = [tone for pair in pairs for tone in cast("Any", pair).tones]
    for tone in tones:
        tone.asked = tone.late = 0
    used, begin = time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    share = (time.process_time() - used) / (time.monotonic() - begin)
    memory = process.memory_info().rss - before
    late = sum(tone.late for tone in tones) / max(1, sum(tone.asked for tone in tones))
    for pair in pairs:
        await pair.close()
    return {
        "cpu_pct": round(100 * share / len(tones), 2),
        "memory_mb": round(memory / len(tones) / 1e6, 2),
        "late_pct": round(100 * late, 2),
    }


async def bench(say: Callable[[str], None], *, quick: bool) -> list[dict[str, Any]]:
    """Rows as those of :mod:`tests.bench.voice`, with ``network`` ``set-up``, ``dead-server`` and ``crowd-N``."""
    rows: list[dict[str, Any]] = []
    runs, calls, seconds = (3, 4, 3.0) if quick else (SETUPS, CALLS, SECONDS)
    for system, make in SYSTEMS.items():
        usual = await setup_time(make, dead=False, runs=runs)
        dead = await setup_time(make, dead=True, runs=1)
        say(f"{system:11}set-up {usual:7.0f} ms, with a dead STUN server {dead:7.0f} ms")
        rows += [
            {"system": system, "network": "set-up", "setup_ms": round(usual, 1)},
            {"system": system, "network": "dead-server", "setup_ms": round(dead, 1)},
        ]
    for system, make in SYSTEMS.items():
        numbers = await crowd(make, calls, seconds)
        say(
            f"{system:11}{2 * calls} ends at once: {numbers['cpu_pct']} % of a core and {numbers['memory_mb']} MB each,"
            f" {numbers['late_pct']} % of frames late"
        )
        rows.append({"system": system, "network": f"crowd-{2 * calls}", **numbers})
    return rows
