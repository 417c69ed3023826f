"""Video on one row after the other: openvoice, stock aiortc and Chromium, in one run.

``docs/video-quality.md`` explains the figures. One call at a time: it needs two cores.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.bench.pictures import call
from tests.bench.pictures.ends import EndFailed
from tests.bench.pictures.rows import Row
from tests.bench.pictures.score import figures
from tests.bench.relay import Relay, relay
from tests.chromium import ChromiumError

STALLS = 14
"""The most that a valid call has: above, figures show the machine."""
ATTEMPTS = 2
DIGITS = {"ssim": 4, "voice_concealed": 4, "voice_lost": 4, "narrow_voice_lost": 4, "frozen_s": 2}

Say = Callable[[str], None]
Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """What is measured, and how often each row."""

    rows: Sequence[Row]
    systems: Sequence[str]
    seeds: int
    say: Say

    def run(self) -> Iterator[list[Figures]]:
        """The figures of one row after the other, each of every system."""
        with relay() as bad:
            numbers = itertools.count()
            for row in self.rows:
                self.say(f"  {row.name}: {self.seeds} calls of {row.seconds:.0f} s each of {', '.join(self.systems)}")
                found: dict[str, list[Figures]] = {system: [] for system in self.systems}
                # Systems take turns, so that what the machine does meanwhile hits all of them.
                for seed, system in itertools.product(range(1, self.seeds + 1), self.systems):
                    one = self._one(system, row, seed, bad, numbers)
                    if one is not None:
                        found[system].append(one)
                yield [
                    {"network": row.name, "system": system, **combined(ones)} for system, ones in found.items() if ones
                ]

    def _one(self, system: str, row: Row, seed: int, bad: Relay, numbers: Iterator[int]) -> Figures | None:
        """The better of two calls where the first one is spoiled by the machine."""
        best: Figures | None = None
        for _ in range(ATTEMPTS):
            try:
                take = asyncio.run(call.call(system, row, seed, bad, next(numbers)))
            except (EndFailed, ChromiumError, TimeoutError) as error:
                self.say(f"  a call of {system} failed: {type(error).__name__} {error}")
                continue
            one = figures(row, take)
            if best is None or one["stalls"] < best["stalls"]:
                best = one
            if one["stalls"] <= STALLS:
                break
        return best


def combined(ones: Sequence[Figures]) -> Figures:
    """Medians over the seeds, of those that have a figure; what belongs to one seed, and series, stay lists."""
    result: Figures = {}
    for name in ones[0]:
        values = [one[name] for one in ones if one[name] is not None]
        if values and isinstance(values[0], list):
            result[name] = [round(statistics.median(second)) for second in zip(*values, strict=True)]
        else:
            result[name] = round(statistics.median(values), DIGITS.get(name, 1)) if values else None
    return result | {
        "freeze_ms_seeds": [round(one["freeze_ms"]) for one in ones],
        "latency_ms_seeds": [None if one["latency_ms"] is None else round(one["latency_ms"], 1) for one in ones],
        "seeds": len(ones),
        "stalls": [one["stalls"] for one in ones],
        "valid": all(one["stalls"] <= STALLS for one in ones),
    }
