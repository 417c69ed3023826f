"""What a call costs and how quickly it comes about, beside stock aiortc, in one run on one machine.

::

    python -m tests.bench calls OUT.json [--quick]

Media only, on loopback, both ends in this process, with ICE, DTLS and SRTP: ``setup_ms`` is offer to the first
authenticated media (openvoice) or the first decoded frame (aiortc) at both ends; ``dead_server_ms`` the same with a
STUN server that does not answer; ``cpu_pct`` of one core and ``memory_mb`` for one end of a duplex call among many;
``late_pct`` the share of frames that were asked for more than 20 ms after their time while they ran.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection

from openvoice.media.audio.clock import PacedInput, PacedOutput
from openvoice.ports import FRAME_SAMPLES, FRAME_SECONDS, SAMPLE_RATE, Frame, RelayServer
from tests.bench import whole
from tests.bench.aiortc_call import Player, Track, connected
from tests.bench.openvoice_call import Pair
from tests.bench.results import Results
from tests.bench.soak import say

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


class OpenvoicePair:
    """Two ends of an openvoice call."""

    def __init__(self, dead_server: bool = False) -> None:
        self.tones = (Tone(), Tone())
        relays = (RelayServer("stun", *DEAD),) if dead_server else ()
        caller, callee = ((partial(PacedInput, tone), partial(PacedOutput, tone)) for tone in self.tones)
        self._pair = Pair(caller, callee, relays)

    async def connect(self) -> None:
        await self._pair.secure()

    async def speak(self) -> None:
        await asyncio.gather(*(end.open_gate() for end in self._pair.ends))

    async def close(self) -> None:
        await self._pair.close()


class AiortcPair:
    """Two ends of a stock aiortc call."""

    def __init__(self, dead_server: bool = False) -> None:
        servers = [RTCIceServer(f"stun:{DEAD[0]}:{DEAD[1]}")] if dead_server else []
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

    async def speak(self) -> None:
        """It speaks already: the first frame is what set-up ends with."""

    async def close(self) -> None:
        for paced in self._paced:
            paced.stop()
        await asyncio.gather(*(end.close() for end in self._ends))
        await asyncio.gather(*self._listening)


SYSTEMS: dict[str, Callable[[bool], OpenvoicePair | AiortcPair]] = {"openvoice": OpenvoicePair, "aiortc": AiortcPair}


async def setup_time(make: Callable[[bool], OpenvoicePair | AiortcPair], *, dead: bool, runs: int) -> float:
    """Milliseconds, the median of ``runs``."""
    times = []
    for _ in range(runs):
        pair = make(dead)
        begin = time.monotonic()
        await pair.connect()
        times.append(1000 * (time.monotonic() - begin))
        await pair.close()
    return statistics.median(times)


async def crowd(make: Callable[[bool], OpenvoicePair | AiortcPair], calls: int, seconds: float) -> dict[str, float]:
    """Many calls at once: what one end of each costs."""
    process = psutil.Process()
    before = process.memory_info().rss
    pairs = [make(False) for _ in range(calls)]
    for pair in pairs:
        await pair.connect()
        await pair.speak()
    tones = [tone for pair in pairs for tone in pair.tones]
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
    """Rows as those of :mod:`tests.bench.measure`, with ``network`` ``set-up``, ``dead-server`` and ``crowd-N``."""
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


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench calls", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("out", type=Path, help='where the rows go, as JSON: {"rows": [...]}')
    parser.add_argument("--quick", action="store_true", help="fewer calls")
    options = parser.parse_args(arguments)
    rows = asyncio.run(whole.bench(say)) + asyncio.run(bench(say, quick=options.quick))
    Results(options.out).add(rows)
    return 0
