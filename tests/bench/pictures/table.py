"""The rows of the bench of video as tables: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

COLUMNS = {
    "network": "network",
    "system": "system",
    "latency_ms": "ms",
    "latency_95_ms": "95 % ms",
    "shown_fps": "fps",
    "freeze_ms": "freeze ms",
    "frozen_s": "frozen s",
    "psnr_db": "PSNR dB",
    "ssim": "SSIM",
    "width": "width",
    "kbit_s": "kbit/s",
    "cpu_pct": "CPU %",
    "voice_concealed": "voice made up %",
    "voice_late": "voice late",
    "stalls": "stalls",
}
STEP_COLUMNS = {
    "system": "system",
    "before_kbit_s": "kbit/s before",
    "narrow_kbit_s": "kbit/s while narrow",
    "queue_ms": "most queue ms",
    "queue_settled_ms": "queue ms, settled",
    "narrow_voice_lost": "voice lost %",
    "voice_concealed": "voice made up %",
    "freeze_ms": "freeze ms",
    "recovery_s": "back after s",
}
WIDTHS = (13, 10, 7, 8, 6, 10, 9, 8, 7, 6, 8, 7, 16, 11, 12)
_SHARES = ("voice_concealed", "narrow_voice_lost")
_DIGITS = {"ssim": 3, "frozen_s": 2, "width": 0, "freeze_ms": 0, "kbit_s": 0, "stable_s": 0, "recovery_s": 0}
Row = dict[str, Any]


def cell(name: str, value: object) -> str:
    """A dash for what was not measured."""
    match value:
        case None:
            return "-"
        case float() if name in _SHARES:
            return f"{100 * value:.1f}"
        case float():
            return f"{value:.{_DIGITS.get(name, 1)}f}"
        case list():
            return ", ".join(map(str, value))
    return str(value)


def line(row: Row) -> str:
    """For a terminal: names to the left, figures to the right."""
    return _line([cell(name, row.get(name)) for name in COLUMNS])


def heading() -> str:
    return _line(list(COLUMNS.values()))


def _line(texts: Sequence[str]) -> str:
    sides = ["<", "<", *">" * (len(WIDTHS) - 2)]
    return " ".join(f"{text:{side}{width}}" for text, side, width in zip(texts, sides, WIDTHS, strict=True))


def markdown(rows: Iterable[Row]) -> str:
    """The tables for the documentation: all rows, then the start, then the step."""
    rows = list(rows)
    parts = [_table(COLUMNS, rows, names=2)]
    starts = [row for row in rows if row["network"] == "start"]
    if starts:
        parts.append(_table({"system": "system", "stable_s": "seconds until 1.5 Mbit/s is stable"}, starts, names=1))
    steps = [row for row in rows if row["network"] == "step"]
    if steps:
        parts.append(_table(STEP_COLUMNS, steps, names=1))
    return "\n".join(parts)


def _table(columns: dict[str, str], rows: Sequence[Row], *, names: int) -> str:
    lines = [list(columns.values()), ["---"] * names + ["---:"] * (len(columns) - names)]
    last = ""
    for row in rows:
        texts = [cell(name, row.get(name)) for name in columns]
        if names > 1:
            texts[0], last = ("" if texts[0] == last else texts[0]), texts[0]
        texts[-1] += "" if row.get("valid", True) else " (spoiled)"
        lines.append(texts)
    return "".join(f"| {' | '.join(texts)} |\n" for texts in lines)
