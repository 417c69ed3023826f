"""On which networks voice is measured, and what the architecture promises there."""

from __future__ import annotations

from dataclasses import dataclass

from tests.media.audio.network import NEVER, Network


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A network, and the least PESQ and the greatest delay (ms) that are promised on it."""

    name: str
    network: Network
    pesq: float | None = None
    delay: int | None = None

    @property
    def is_trouble(self) -> bool:
        """Whether the network is bad only for a moment: then the delay after it is measured, by chirps alone."""
        return self.network.cut != NEVER or self.network.held != NEVER


ROWS = (
    Row(name="clean", network=Network(), pesq=4.0, delay=40),
    Row(name="random-1", network=Network(loss=0.01), pesq=3.9, delay=70),
    Row(name="random-5", network=Network(loss=0.05), pesq=3.6, delay=70),
    Row(name="random-10", network=Network(loss=0.10), pesq=3.2, delay=70),
    Row(name="random-20", network=Network(loss=0.20), pesq=2.8, delay=70),
    Row(name="burst3-5", network=Network(loss=0.05, burst=3), pesq=2.9, delay=70),
    Row(name="burst3-10", network=Network(loss=0.10, burst=3), pesq=2.5, delay=70),
    Row(name="jitter-30", network=Network(jitter=0.03)),
    Row(name="jitter-60", network=Network(jitter=0.06), pesq=3.7, delay=90),
    Row(name="jitter-100", network=Network(jitter=0.1)),
    Row(name="jitter-60-reorder", network=Network(jitter=0.06, reorder=True)),
    Row(name="random-5+jitter-60", network=Network(loss=0.05, jitter=0.06)),
    Row(name="random-10+rtt-100", network=Network(loss=0.10, delay=0.05)),
    Row(name="rate-40", network=Network(rate=40_000, queue=0.3)),
    Row(name="drift-200", network=Network(drift=200)),
    Row(name="held-500", network=Network(held=(8.0, 8.5))),
    Row(name="cut-1000", network=Network(cut=(8.0, 9.0))),
)
QUICK = ("clean", "random-5", "burst3-5", "jitter-60")
"""Enough to see whether a change made anything worse."""
LOSS = {0: "clean", 1: "random-1", 5: "random-5", 10: "random-10", 20: "random-20"}
"""% of packets: the rows of the chart of quality."""
JITTER = {0: "clean", 30: "jitter-30", 60: "jitter-60", 100: "jitter-100"}
"""ms: the rows of the chart of delay."""
