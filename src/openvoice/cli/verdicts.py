"""Who could hear a call, and who learnt what, as a table for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from openvoice.cli.screen import plain
from openvoice.report import Row, rows

_COLOURS = {"good": "green", "doubtful": "yellow", "bad": "red"}


def show_parties(security: Mapping[str, Any]) -> None:
    """Print the verdicts of a security report; nothing if it has none."""
    verdicts = rows(security)
    if not verdicts:
        return
    table = Table("Party", "The sound", "It learnt", show_lines=True, min_width=72)
    for row in verdicts:
        table.add_row(*_cells(row))
    Console(file=sys.stdout, highlight=False).print(table)


def _cells(row: Row) -> tuple[Text, Text, Text]:
    learnt = ", ".join(row.learnt) or "nothing"
    return (
        Text("\n".join(filter(None, (row.party, plain(row.name))))),
        Text(row.hearing, style=_COLOURS[row.grade.value]),
        Text("\n".join([learnt, *map(plain, row.addresses)])),
    )
