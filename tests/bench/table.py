"""The rows of the bench of voice as a table: for a terminal, and for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

OURS = "openvoice"
RIVALS = ("chromium-equal", "chromium-equal-red")
"""What has as much on the wire, by what an application may simply ask for."""
RIVAL_WITH_NACK = "chromium-equal-nack"
"""The same with what an application gets only by changing the descriptions that it exchanges."""
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
    names = ("network", "PESQ-WB", "the better of Chromium's", "delay ms", "PESQ-WB with NACK", "delay ms with NACK")
    lines = [_markdown_line(names), _markdown_line(["---", "---:", "---", *["---:"] * (len(names) - 3)])]
    for network in dict.fromkeys(row["network"] for row in rows):
        here = {row["system"]: row for row in rows if row["network"] == network}
        rivals = [here[name] for name in RIVALS if name in here and here[name]["pesq_wb"] is not None]
        if OURS not in here or here[OURS]["pesq_wb"] is None or not rivals:
            continue
        ours, best = here[OURS], max(rivals, key=lambda row: float(row["pesq_wb"]))
        texts = [f"{best['system']} at {best['kbit_s']:.0f} kbit/s (ours {ours['kbit_s']:.0f})"]
        for rival in (best, here.get(RIVAL_WITH_NACK, {})):
            texts += [_difference(ours, rival, "pesq_wb", "+.2f"), _difference(ours, rival, "delay_ms", "+.0f")]
        spoiled = "" if ours["valid"] and best["valid"] else " (spoiled)"
        lines.append(_markdown_line([network + spoiled, texts[1], texts[0], *texts[2:]]))
    return "\n".join(lines) + "\n"


def _difference(ours: Row, theirs: Row, name: str, form: str) -> str:
    if ours.get(name) is None or theirs.get(name) is None:
        return "-"
    return f"{ours[name] - theirs[name]:{form}}"


def _markdown_line(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"
