"""The rows of the bench of voice as a table: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

OURS = "openvoice"
RIVALS = ("chromium-equal", "chromium-equal-red")
"""What has as much on the wire."""
COLUMNS = {
    "network": "network",
    "system": "system",
    "pesq_wb": "PESQ-WB",
    "visqol": "ViSQOL",
    "delay_ms": "delay ms",
    "delay_max_ms": "most ms",
    "recovery_s": "recovery s",
    "concealed": "concealed %",
    "lost": "lost %",
    "kbit_s": "kbit/s",
    "kbit_s_ip": "with IP",
    "cpu_pct": "CPU %",
    "stalls": "stalls",
}
Row = dict[str, Any]


def cells(row: Row) -> list[str]:
    """One text per column; a dash for what was not measured."""
    return [_cell(name, row.get(name)) for name in COLUMNS]


def _cell(name: str, value: object) -> str:
    match name, value:
        case _, None:
            return "-"
        case (("concealed" | "lost"), float()):
            return f"{100 * value:.1f}"
        case (("pesq_wb" | "visqol" | "recovery_s"), float()):
            return f"{value:.2f}"
        case _, float():
            return f"{value:.1f}"
        case _, list():
            return ", ".join(map(str, value))
    return str(value)


WIDTHS = (19, 19, 8, 7, 9, 8, 11, 12, 7, 7, 8, 6, 10)


def line(texts: Sequence[str]) -> str:
    """For a terminal: names to the left, figures to the right."""
    sides = ["<", "<", *">" * (len(WIDTHS) - 2)]
    return " ".join(f"{text:{side}{width}}" for text, side, width in zip(texts, sides, WIDTHS, strict=True))


def heading() -> str:
    return line(list(COLUMNS.values()))


def markdown(rows: Iterable[Row]) -> str:
    """The table for the documentation; a network is named once."""
    names = list(COLUMNS.values())
    lines = [_markdown_line(names), _markdown_line(["---", "---", *["---:"] * (len(names) - 2)])]
    last = ""
    for row in rows:
        texts = cells(row)
        texts[0], last = ("" if texts[0] == last else texts[0]), texts[0]
        texts[-1] += "" if row.get("valid", True) else " (spoiled)"
        lines.append(_markdown_line(texts))
    return "\n".join(lines) + "\n"


def comparison(rows: Sequence[Row]) -> str:
    """For each network by how much openvoice is better than the better one of Chromium's at the same bitrate."""
    names = ("network", "PESQ-WB", "against", "delay ms", "against")
    lines = [_markdown_line(names), _markdown_line(["---", *["---:"] * (len(names) - 1)])]
    for network in dict.fromkeys(row["network"] for row in rows):
        here = {row["system"]: row for row in rows if row["network"] == network}
        judged = [here[name] for name in RIVALS if name in here and here[name]["pesq_wb"] is not None]
        if OURS not in here or here[OURS]["pesq_wb"] is None or not judged:
            continue
        ours, best = here[OURS], max(judged, key=lambda row: float(row["pesq_wb"]))
        lines.append(
            _markdown_line(
                [
                    network,
                    f"{ours['pesq_wb'] - best['pesq_wb']:+.2f}",
                    f"{best['system']} at {best['kbit_s']:.0f} kbit/s (ours {ours['kbit_s']:.0f})",
                    _difference(ours["delay_ms"], best["delay_ms"]),
                    _cell("delay_ms", best["delay_ms"]),
                ]
            )
        )
    return "\n".join(lines) + "\n"


def _difference(ours: float | None, theirs: float | None) -> str:
    return "-" if ours is None or theirs is None else f"{ours - theirs:+.0f}"


def _markdown_line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
