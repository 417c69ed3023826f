"""The chart of the bench of video: freezes under loss, and a step of the path's rate, as one SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.bench.chart import PANELS, Panel, axes, curve, document, figures, legend
from tests.bench.pictures.rows import LOSS, NARROW

SYSTEMS = {"openvoice": "openvoice", "chromium": "Chromium", "aiortc": "aiortc", "path": "what the path carries"}
"""In the order of the legend, with what it calls them."""
COLOURS = ("openvoice", "chromium", "", "aiortc", "path")
"""The place of each is its colour in the style."""
STEP_SECONDS = 45
Row = Mapping[str, Any]


def chart(rows: Sequence[Row], caption: str) -> str:
    """An SVG document. ``caption`` says when, and with which versions."""
    frozen, step = _panels(rows)
    parts = [*axes(frozen, PANELS[0]), *axes(step, PANELS[1])]
    path = [(0.0, 3000.0), (NARROW[0], 3000.0), (NARROW[0], 300.0), (NARROW[1], 300.0), (NARROW[1], 3000.0)]
    parts += curve(step, PANELS[1], COLOURS.index("path"), [*path, (STEP_SECONDS, 3000.0)], dots=False)
    measured = [name for name in SYSTEMS if any(row["system"] == name for row in rows)]
    for name in measured:
        own = [row for row in rows if row["system"] == name]
        parts += curve(frozen, PANELS[0], COLOURS.index(name), figures(frozen, own), dots=True)
        for row in own:
            if rates := row.get("kbit_s_series"):
                points = [(second + 0.5, float(rate)) for second, rate in enumerate(rates)]
                parts += curve(step, PANELS[1], COLOURS.index(name), points, dots=False)
    texts = {name: SYSTEMS[name] for name in (*measured, "path")}
    parts += legend(texts, COLOURS)
    return document("Freezes under loss, and a step of the rate of the path", parts, caption)


def _panels(rows: Sequence[Row]) -> tuple[Panel, Panel]:
    most = max((row["freeze_ms"] for row in rows if row["network"] in LOSS.values() and row["freeze_ms"]), default=0)
    high = next((top for top in (300, 500, 1000, 2000) if top >= most), 3000)
    return (
        Panel(
            title="Longest freeze under random loss",
            across="packets lost, %",
            up="ms, lower is better",
            networks=LOSS,
            figure="freeze_ms",
            low=0.0,
            high=float(high),
            step=high / 5,
        ),
        Panel(
            title="A path of 3 Mbit/s that is narrow for a while",
            across="seconds",
            up="kbit/s of pictures",
            networks={second: str(second) for second in range(0, STEP_SECONDS + 1, 5)},
            figure="",
            low=0.0,
            high=3500.0,
            step=500.0,
        ),
    )
