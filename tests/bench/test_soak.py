"""What counts as growth."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.bench.soak import LIMITS, Sample, rises

SAMPLE = Sample(seconds=0, memory_mb=120, threads=5, descriptors=40, cpu_pct=8, delay_ms=60, concealed=0.01)


def samples(chance: random.Random, **per_second: float) -> list[Sample]:
    """Ten minutes, with noise, of what grows by so much."""
    made = []
    for moment in range(10, 601, 10):
        noisy = {"delay_ms": 60 + chance.uniform(-20, 20), "concealed": chance.uniform(0, 0.03)}
        grown = {name: noisy.get(name, getattr(SAMPLE, name)) + rate * moment for name, rate in per_second.items()}
        made.append(replace(SAMPLE, seconds=moment, **{**noisy, **grown}))
    return made


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_growth(seed: int) -> None:
    rose = rises(samples(random.Random(seed)))
    assert all(rose[name] <= limit for name, limit in LIMITS.items())


@pytest.mark.parametrize(
    ("name", "per_second"),
    [("memory_mb", 0.01), ("threads", 0.01), ("descriptors", 0.01), ("delay_ms", 0.1), ("concealed", 0.0001)],
)
def test_growth_is_found_in_noise(name: str, per_second: float) -> None:
    rose = rises(samples(random.Random(1), **{name: per_second}))
    assert rose[name] > LIMITS[name]
    assert rose[name] == pytest.approx(540 * per_second, rel=0.2)


def test_what_fills_up_at_first_does_not_count() -> None:
    warming = [replace(SAMPLE, seconds=moment, memory_mb=min(120, 60 + moment)) for moment in range(10, 601, 10)]
    assert rises(warming)["memory_mb"] == 0
