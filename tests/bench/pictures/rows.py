"""What is measured of video: networks, sides, and what is shown on them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.media.audio.network import Network

SETTLES = 5.0
"""Seconds until the estimates of all systems are at rest: figures are of what comes after."""
NARROW = (10.0, 25.0)
"""From when to when the step of rate is narrow."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A kind of call. All RTP from the first end to the second passes ``networks``, one after the other.

    ``duplex``: both ends show pictures, each pinned to a core of its own. ``settles``: figures are of what comes after.
    """

    name: str
    networks: tuple[Network, ...]
    width: int = 640
    height: int = 480
    rate: float = 30.0
    seconds: float = 25.0
    duplex: bool = False
    settles: float = SETTLES


def _loss(percent: int) -> Row:
    return Row(name=f"loss-{percent}", networks=(Network(loss=percent / 100, delay=0.04),))


ROWS = (
    Row(name="clean", networks=(Network(),), seconds=20),
    Row(name="duplex-720p", networks=(Network(),), width=1280, height=720, seconds=20, duplex=True),
    _loss(1),
    _loss(3),
    _loss(5),
    _loss(10),
    Row(name="start", networks=(Network(rate=3_000_000, delay=0.02),), width=1280, height=720, settles=0.0),
    Row(
        name="step",
        networks=(
            Network(rate=3_000_000, delay=0.02),
            Network(rate=300_000, delay=0.0, limited=NARROW),
        ),
        width=1280,
        height=720,
        seconds=45,
        settles=0.0,
    ),
)
QUICK = ("clean", "loss-5", "step")
"""Enough to see whether a change made anything worse."""
LOSS = {1: "loss-1", 3: "loss-3", 5: "loss-5", 10: "loss-10"}
"""% of packets: the rows of the chart of freezes."""
