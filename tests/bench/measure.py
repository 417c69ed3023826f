"""How voice sounds, how late it is and what it costs on bad networks: openvoice, stock aiortc and Chromium, in one run.

For each network first the calls in Python, then those of Chromium, which gets the bitrate that openvoice had on the
wire. All calls of one kind run at once, with the same speech and the same seeds. ``docs/voice-quality.md`` explains the
figures.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from typing import Any

from openvoice.media.audio.codec import Samples
from openvoice.ports import FRAME_SECONDS
from tests.bench import chromium_call, processes, score
from tests.bench.chromium_call import Mode
from tests.bench.openvoice_call import Ports
from tests.bench.relay import Relay, relay
from tests.bench.rows import Row
from tests.bench.speech import Script
from tests.bench.take import Heard, Take
from tests.chromium import ChromiumError
from tests.media.audio.network import Network

STALLS = 14
"""The most that a valid take has: above, figures show the machine."""
PYTHON = ("openvoice", "openvoice-plain", "aiortc")
DEFAULT, EQUAL, EQUAL_RED, EQUAL_NACK = "chromium", "chromium-equal", "chromium-equal-red", "chromium-equal-nack"
EQUAL_AT_LEAST = 0.95
"""Of openvoice's kbit/s: what the equal modes of Chromium have to use."""
OVERHEAD = 12.0
"""kbit/s of RTP header, extensions and SRTP tag of 50 packets a second."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Rates:
    """Finds the bitrate to ask of Chromium for so many kbit/s on the wire: it sends less than it may, in pauses."""

    factors: dict[str, float] = field(default_factory=lambda: {EQUAL: 0.75, EQUAL_RED: 1.5, EQUAL_NACK: 0.75})

    def mode(self, system: str, kilobits: float) -> Mode:
        if system == DEFAULT:
            return Mode()
        wanted = 1000 * max(0.0, kilobits - OVERHEAD) / self.factors[system]
        return Mode(bitrate=round(min(510_000, max(6000, wanted))), red=system == EQUAL_RED, nack=system == EQUAL_NACK)

    def learn(self, system: str, mode: Mode, kilobits: float) -> None:
        if mode.bitrate is not None:
            self.factors[system] = max(0.1, 1000 * (kilobits - OVERHEAD) / mode.bitrate)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """A call that is to be made."""

    system: str
    network: Network
    mode: Mode = field(default_factory=Mode)


class Studio:
    """Makes calls of one kind over the relay, so many of them at once as the machine bears."""

    def __init__(self, relay: Relay, say: Say, at_once: int) -> None:
        self._relay = relay
        self._at_once = at_once
        self._say = say
        self._numbers = itertools.count()

    def takes(self, jobs: Sequence[Job], script: Script) -> list[Take | None]:
        """Of each job, or ``None`` for a call that failed."""
        parts = (jobs[begin : begin + self._at_once] for begin in range(0, len(jobs), self._at_once))
        return [take for part in parts for take in self._together(part, script)]

    def _together(self, jobs: Sequence[Job], script: Script) -> list[Take | None]:
        numbers = [next(self._numbers) for _ in jobs]
        ports = [self._relay.open(number, job.network) for number, job in zip(numbers, jobs, strict=True)]

        def begin() -> None:
            for number in numbers:
                self._relay.begin(number)

        heard: Sequence[Heard | None]
        if all(job.system in PYTHON for job in jobs):
            named = [(job.system, pair) for job, pair in zip(jobs, ports, strict=True)]
            heard = processes.together(named, script.samples, begin)
        else:
            modes = [(job.mode, pair) for job, pair in zip(jobs, ports, strict=True)]
            heard = self._chromium(modes, script.samples, begin)
        counts = [self._relay.end(number) for number in numbers]
        for number in numbers:
            self._relay.close(number)
        return [None if one is None else Take(heard=one, count=count) for one, count in zip(heard, counts, strict=True)]

    def _chromium(
        self, calls: Sequence[tuple[Mode, Ports]], said: Samples, begin: Callable[[], None]
    ) -> Sequence[Heard | None]:
        try:
            return asyncio.run(chromium_call.together(calls, said, begin))
        except ChromiumError as error:
            self._say(f"  Chromium failed: {error}")
            return [None] * len(calls)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What is measured, and how."""

    rows: Sequence[Row]
    seeds: int
    at_once: int
    conversation: Script
    train: Script
    chromium: bool
    visqol: bool
    say: Say

    def run(self) -> Iterator[list[dict[str, Any]]]:
        """The figures of one network after the other, each of every system."""
        rates = Rates()
        with relay() as bad, ProcessPoolExecutor(2, get_context("forkserver")) as judges:
            studio = Studio(bad, self.say, self.at_once)
            for row in self.rows:
                script = self.train if row.is_trouble else self.conversation
                measured = _Row(self, row, script, studio, judges)
                results = measured.figures({system: Mode() for system in PYTHON})
                if self.chromium:
                    ours = next((one["kbit_s"] for one in results if one["system"] == PYTHON[0]), 0.0)
                    results += self._chromium(measured, rates, ours)
                yield results

    def _chromium(self, row: _Row, rates: Rates, ours: float) -> list[dict[str, Any]]:
        systems = (DEFAULT, EQUAL, EQUAL_RED, EQUAL_NACK) if ours else (DEFAULT,)
        modes = {system: rates.mode(system, ours) for system in systems}
        results = row.figures(modes)
        again = {}
        for one in results:
            system = one["system"]
            rates.learn(system, modes[system], one["kbit_s"])
            if system != DEFAULT and not EQUAL_AT_LEAST <= one["kbit_s"] / ours <= 2 - EQUAL_AT_LEAST:
                again[system] = rates.mode(system, ours)
        if again:
            self.say(f"  once more at the right bitrate: {', '.join(again)}")
            better = {one["system"]: one for one in row.figures(again)}
            results = [better.get(one["system"], one) for one in results]
            for system, one in better.items():
                rates.learn(system, again[system], one["kbit_s"])
        return results


class _Row:
    """One network: its calls are made, repeated where the machine stalled, and judged."""

    def __init__(self, bench: Bench, row: Row, script: Script, studio: Studio, judges: ProcessPoolExecutor) -> None:
        self._bench = bench
        self._row = row
        self._script = script
        self._studio = studio
        self._judges = judges

    def figures(self, modes: dict[str, Mode]) -> list[dict[str, Any]]:
        jobs = [
            Job(system=system, mode=mode, network=replace(self._row.network, seed=seed))
            for seed in range(1, self._bench.seeds + 1)
            for system, mode in modes.items()
        ]
        self._bench.say(f"  {self._row.name}: {len(jobs)} calls of {self._script.seconds:.0f} s ({', '.join(modes)})")
        takes = self._studio.takes(jobs, self._script)
        spoiled = [place for place, take in enumerate(takes) if take is None or take.stalls > STALLS]
        if spoiled:
            self._bench.say(f"  {len(spoiled)} of {len(jobs)} calls spoiled by stalls of the machine: once more")
            for place, take in zip(spoiled, self._studio.takes([jobs[n] for n in spoiled], self._script), strict=True):
                old = takes[place]
                if take is not None and (old is None or take.stalls < old.stalls):
                    takes[place] = take
        judged = list(self._judges.map(_judge, *zip(*self._tasks(jobs, takes), strict=True)))
        results = []
        for system, mode in modes.items():
            ones = [one for job, one in zip(jobs, judged, strict=True) if job.system == system and one is not None]
            if ones:
                about = {"system": system, "network": self._row.name, "mode": described(system, mode)}
                results.append(about | combined(ones))
        return results

    def _tasks(self, jobs: list[Job], takes: list[Take | None]) -> Iterator[tuple[Any, ...]]:
        for job, take in zip(jobs, takes, strict=True):
            trouble = job.network if self._row.is_trouble else None
            yield self._script, take, trouble, self._bench.visqol and job.network.seed == 1


def described(system: str, mode: Mode) -> str:
    """How a system sent."""
    if system in PYTHON:
        return "its own choice"
    bitrate = "its own choice" if mode.bitrate is None else f"maxaveragebitrate={mode.bitrate}"
    return ", ".join([bitrate, *(["RED"] if mode.red else []), *(["NACK"] if mode.nack else [])])


def _judge(script: Script, take: Take | None, trouble: Network | None, visqol: bool) -> dict[str, Any] | None:
    """The figures of one call."""
    if take is None:
        return None
    found = score.delays(script, take.heard)
    lates = [one.late for one in found]
    late = statistics.median(lates) if lates else 0.0
    pairs = score.voices(script, take.heard, late)
    return {
        "pesq_wb": statistics.mean(score.pesq_wb(*pair) for pair in pairs) if pairs else None,
        "visqol": score.visqol(*pairs[0]) if visqol and pairs else None,
        "delay_ms": 1000 * late if lates else None,
        "delay_max_ms": 1000 * max(lates) if lates else None,
        "recovery_s": score.recovery(found, trouble, take.count.first) if trouble else None,
        "concealed": take.heard.concealed,
        "lost": take.count.lost / max(1, take.count.packets),
        "kbit_s": take.count.kilobits(),
        "kbit_s_ip": take.count.kilobits(headers=True),
        "probe_kbit_s": take.count.probe_octets * 8 / 1000 / max(1.0, take.count.seconds),
        "cpu_pct": take.heard.cpu_pct,
        "stalls": take.stalls,
    }


DIGITS = {"pesq_wb": 2, "visqol": 2, "concealed": 4, "lost": 4, "recovery_s": 2}


def combined(ones: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the seeds, of those that have a figure; what belongs to one seed stays a list."""
    result: dict[str, Any] = {}
    for name in ones[0]:
        values = [one[name] for one in ones if one[name] is not None]
        result[name] = round(statistics.median(values), DIGITS.get(name, 1)) if values else None
    delay = result["delay_ms"]
    return result | {
        "mouth_to_ear_ms": None if delay is None else round(delay + 1000 * FRAME_SECONDS, 1),
        "pesq_wb_seeds": [None if one["pesq_wb"] is None else round(one["pesq_wb"], 2) for one in ones],
        "seeds": len(ones),
        "stalls": [one["stalls"] for one in ones],
        "valid": all(one["stalls"] <= STALLS for one in ones),
    }
