"""The chart of the bench of voice: loss against quality, jitter against delay, as one SVG for light and dark pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tests.bench.rows import JITTER, LOSS

WIDTH, HEIGHT = 960, 430
TOP, BOTTOM = 70, 340
PANELS = ((70, 450), (560, 940))
SYSTEMS = {
    "openvoice": "openvoice",
    "chromium-equal": "Chromium, same bitrate",
    "chromium-equal-red": "... with RED",
    "chromium-equal-nack": "... with NACK",
    "chromium": "Chromium, as it is",
    "aiortc": "aiortc",
}
"""In the order of the legend, with what it calls them."""
STYLE = """
svg { font: 13px system-ui, sans-serif; --paper: #ffffff; --ink: #1f2328; --faint: #d1d9e0; }
.s0 { --hue: #0757ba; } .s1 { --hue: #b35900; } .s2 { --hue: #8a3ffc; } .s3 { --hue: #1a7f37; }
.s4 { --hue: #6e7781; } .s5 { --hue: #a40e26; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #0d1117; --ink: #e6edf3; --faint: #3d444d; }
  .s0 { --hue: #58a6ff; } .s1 { --hue: #f0883e; } .s2 { --hue: #d2a8ff; } .s3 { --hue: #3fb950; }
  .s4 { --hue: #9198a1; } .s5 { --hue: #ff7b72; }
}
.paper { fill: var(--paper); } text { fill: var(--ink); } .grid { stroke: var(--faint); }
.title { font-weight: 600; font-size: 15px; } .note { font-size: 12px; opacity: 0.8; }
.curve { fill: none; stroke: var(--hue); stroke-width: 2; } .s0 .curve { stroke-width: 3.5; }
.s2 .curve { stroke-dasharray: 7 4; } .s3 .curve { stroke-dasharray: 14 4; } .s4 .curve { stroke-dasharray: 2 4; }
.s5 .curve { stroke-dasharray: 10 3 2 3; }
.point { fill: var(--hue); }
"""
Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Panel:
    """One of the two charts: which networks stand at which places of the horizontal axis, and which figure is shown."""

    title: str
    across: str
    up: str
    networks: Mapping[int, str]
    figure: str
    low: float
    high: float
    step: float


def panels(rows: Sequence[Row]) -> tuple[Panel, Panel]:
    late = [row["delay_ms"] for row in rows if row["network"] in JITTER.values() and row.get("delay_ms") is not None]
    # Delays that are far out of the way are cut off at the top.
    high = next(top for top in (100, 150, 200, 300, 400) if top >= min(400, max(late, default=100)))
    return (
        Panel(
            title="Quality under random loss",
            across="packets lost, %",
            up="PESQ-WB, higher is better",
            networks=LOSS,
            figure="pesq_wb",
            low=1.0,
            high=4.5,
            step=0.5,
        ),
        Panel(
            title="Delay under jitter",
            across="jitter, ms",
            up="ms, lower is better",
            networks=JITTER,
            figure="delay_ms",
            low=0.0,
            high=high,
            step=high / 5,
        ),
    )


def chart(rows: Sequence[Row], caption: str) -> str:
    """An SVG document. ``caption`` says when, and with which versions."""
    parts = []
    for panel, sides in zip(panels(rows), PANELS, strict=True):
        parts += axes(panel, sides)
        for number, system in enumerate(SYSTEMS):
            points = figures(panel, [row for row in rows if row["system"] == system])
            parts += curve(panel, sides, number, points, dots=True)
    measured = {name: text for name, text in SYSTEMS.items() if any(row["system"] == name for row in rows)}
    return document("Quality under loss, and delay under jitter", [*parts, *legend(measured, list(SYSTEMS))], caption)


def document(label: str, parts: Sequence[str], caption: str) -> str:
    """All that is drawn, on paper, with a line below."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(label)}">\n<style>{STYLE}</style>\n'
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>\n'
        + "\n".join(parts)
        + f'\n<text class="note" x="{PANELS[0][0]}" y="{HEIGHT - 12}">{escape(caption)}</text>\n</svg>\n'
    )


def axes(panel: Panel, sides: tuple[int, int]) -> list[str]:
    left, right = sides
    parts = [
        f'<text class="title" x="{left}" y="28">{panel.title}</text>',
        f'<text class="note" x="{left}" y="50">{panel.up}</text>',
        f'<text class="note" x="{right}" y="{BOTTOM + 38}" text-anchor="end">{panel.across}</text>',
    ]
    for count in range(round((panel.high - panel.low) / panel.step) + 1):
        value = panel.low + count * panel.step
        height = _height(panel, value)
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{height:.1f}" y2="{height:.1f}"/>')
        parts.append(f'<text x="{left - 8}" y="{height + 4:.1f}" text-anchor="end">{value:g}</text>')
    places = {value: _place(panel, sides, value) for value in panel.networks}
    marks = (f'<text x="{x:.1f}" y="{BOTTOM + 20}" text-anchor="middle">{value}</text>' for value, x in places.items())
    return [*parts, *marks]


def figures(panel: Panel, rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Of one system: where each network stands, and its figure."""
    found = {row["network"]: row[panel.figure] for row in rows if row.get(panel.figure) is not None}
    return [(value, found[network]) for value, network in panel.networks.items() if network in found]


def curve(
    panel: Panel, sides: tuple[int, int], number: int, points: Sequence[tuple[float, float]], *, dots: bool
) -> list[str]:
    """The line of one system."""
    if not points:
        return []
    places = [(_place(panel, sides, across), _height(panel, up)) for across, up in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    circles = "".join(f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="4"/>' for x, y in places if dots)
    return [f'<g class="s{number}"><polyline class="curve" points="{path}"/>{circles}</g>']


def legend(texts: Mapping[str, str], systems: Sequence[str]) -> list[str]:
    """``texts`` by the name of what was measured; the place of a name in ``systems`` gives its colour."""
    parts = []
    place = float(PANELS[0][0])
    for name, text in texts.items():
        parts.append(
            f'<g class="s{systems.index(name)}"><line class="curve" x1="{place:.0f}" x2="{place + 28:.0f}" '
            f'y1="{HEIGHT - 38}" y2="{HEIGHT - 38}"/>'
            f'<text x="{place + 34:.0f}" y="{HEIGHT - 34}">{escape(text)}</text></g>'
        )
        place += 34 + 7.2 * len(text) + 18
    return parts


def _place(panel: Panel, sides: tuple[int, int], value: float) -> float:
    left, right = sides
    return left + 12 + (right - left - 24) * value / max(panel.networks)


def _height(panel: Panel, value: float) -> float:
    within = min(panel.high, max(panel.low, value))
    return BOTTOM - (BOTTOM - TOP) * (within - panel.low) / (panel.high - panel.low)
