"""A long call of two whole clients on a bad line: does anything grow?

::

    python -m tests.bench soak [--minutes 60] [--out FILE.json]

Alice and Bob stay in one call through a private Prosody, in real time and in this process, and all UDP of Alice's
passes a line that loses and delays. Every ten seconds it is noted what the process holds and how the call sounds. What
each of these *rose* by, over the whole time at its median slope (Theil and Sen) and without the warm-up, has a limit.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import psutil

from openvoice import Call, CallState, Client
from openvoice.media.engine import ThreadedMediaEngine
from openvoice.ports import Frame
from openvoice.server.prosody import Prosody
from openvoice.testing.behind import EngineBehindLink
from openvoice.testing.clients import ClientFactory
from openvoice.testing.impairment import Conditions
from openvoice.testing.link import ImpairedLink
from tests.media.audio.sound import frames, voice
from tests.waiting import until

LINE = Conditions(loss=0.05, burst=2.0, delay=0.03, jitter=0.015)
INTERVAL = 10.0
"""Seconds between two samples."""
WARM_UP = 60.0
"""Seconds whose samples do not count, but never more than a third of them: buffers and caches fill up first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The process, and the worse of the two ends. ``concealed`` is a share of the time since the sample before."""

    seconds: float
    memory_mb: float
    threads: int
    descriptors: int
    cpu_pct: float
    delay_ms: float
    concealed: float


LIMITS = {"memory_mb": 4.0, "threads": 0.5, "descriptors": 0.5, "delay_ms": 20.0, "concealed": 0.02}
"""How much each may rise by from the end of the warm-up to the end of the call."""


class Talk:
    """A voice without end."""

    def __init__(self, seed: int) -> None:
        self.frames = frames(voice(20.0, seed))
        self._read = 0

    def read(self) -> Frame:
        self._read += 1
        return self.frames[self._read % len(self.frames)]

    def close(self) -> None: ...


@asynccontextmanager
async def call() -> AsyncIterator[tuple[Call, Call]]:
    """Both ends of a call that is heard."""
    async with Prosody() as server, ImpairedLink(up=LINE, down=LINE, seed=1) as link:
        engines = {"alice": EngineBehindLink(ThreadedMediaEngine(), link)}
        async with ClientFactory(server)("alice", "bob", engines=engines) as (alice, bob):
            yield await connected(alice, bob)


async def connected(alice: Client, bob: Client) -> tuple[Call, Call]:
    @bob.on_call
    async def answer(call: Call) -> None:
        await call.accept(source=Talk(2))

    call = await alice.call(bob.address.bare, source=Talk(1))
    await call.wait_for(CallState.ACTIVE, timeout=20)
    await until(lambda: all(end.stats.packets_received > 50 for end in (call, bob.calls[0])))
    return call, bob.calls[0]


class Watch:
    """Takes the samples of a call."""

    def __init__(self, ends: Sequence[Call]) -> None:
        self._ends = ends
        self._process = psutil.Process()
        self._process.cpu_percent()
        self._begin = time.monotonic()
        self._before = [(0.0, end.stats.concealed) for end in ends]

    def sample(self) -> Sample:
        elapsed = time.monotonic() - self._begin
        statistics = [end.stats for end in self._ends]
        made_up = [
            (new.concealed * elapsed - old * then) / (elapsed - then) if elapsed > then else 0.0
            for new, (then, old) in zip(statistics, self._before, strict=True)
        ]
        self._before = [(elapsed, each.concealed) for each in statistics]
        return Sample(
            seconds=round(elapsed, 1),
            memory_mb=round(self._process.memory_info().rss / 1e6, 2),
            threads=threading.active_count(),
            descriptors=self._process.num_fds(),
            cpu_pct=self._process.cpu_percent(),
            delay_ms=round(max(each.playout_delay for each in statistics), 1),
            concealed=round(max(0.0, *made_up), 4),
        )


def rises(samples: Sequence[Sample]) -> dict[str, float]:
    """By how much each quantity of :data:`LIMITS` rose, by the median slope of all pairs of samples."""
    warm = [sample for sample in samples if sample.seconds >= min(WARM_UP, samples[-1].seconds / 3)]
    moments = np.array([sample.seconds for sample in warm])
    later, earlier = np.triu_indices(len(warm), 1)[::-1]
    return {
        name: round(
            float(np.median((values[later] - values[earlier]) / (moments[later] - moments[earlier])))
            * float(moments[-1] - moments[0]),
            4,
        )
        for name in LIMITS
        for values in [np.array([float(getattr(sample, name)) for sample in warm])]
    }


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def row(sample: Sample) -> str:
    return (
        f"{sample.seconds:8.0f}{sample.memory_mb:9.1f}{sample.threads:9}{sample.descriptors:13}{sample.cpu_pct:7.1f}"
        f"{sample.delay_ms:10.1f}{sample.concealed:9.2%}"
    )


async def soak(seconds: float, samples: list[Sample]) -> None:
    """Fill ``samples``; what is there counts, however it ends."""
    async with call() as ends:
        say(f"{'seconds':>8}{'MB':>9}{'threads':>9}{'descriptors':>13}{'CPU %':>7}{'delay ms':>10}{'made up':>9}")
        watch = Watch(ends)
        while not samples or samples[-1].seconds < seconds:
            await asyncio.sleep(min(INTERVAL, seconds / 6))
            samples.append(watch.sample())
            say(row(samples[-1]))
            if any(end.ended for end in ends):
                raise SystemExit("The call ended by itself.")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench soak", description="Does a long call grow?")
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--out", type=Path, help="where the samples go, as JSON")
    options = parser.parse_args(arguments)
    samples: list[Sample] = []
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(soak(60 * options.minutes, samples))
    if len(samples) < 3:
        return 2
    rose = rises(samples)
    for name, rise in rose.items():
        say(f"{name:12} rose by {rise:8.3f}, may by {LIMITS[name]:g}{'' if rise <= LIMITS[name] else ': TOO MUCH'}")
    if options.out:
        result = {"line": asdict(LINE), "rises": rose, "limits": LIMITS, "samples": [asdict(each) for each in samples]}
        options.out.write_text(json.dumps(result, indent=1) + "\n")
    return int(any(rose[name] > LIMITS[name] for name in LIMITS))
