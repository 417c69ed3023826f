"""Records of what is kept about calls: how they are listed, and how one of them is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import click

from openvoice import UsageError
from openvoice.cli.screen import Screen

Record = dict[str, Any]

_SHORT = 8
"""Characters of an id that people are shown."""


def show_records(records: Sequence[Record], line: Callable[[Record], str], *, nothing: str, as_json: bool) -> None:
    """List records, or say that there is ``nothing``."""
    if as_json:
        for record in records:
            click.echo(json.dumps(record))
        return
    screen = Screen()
    for text in [line(record) for record in records] or [nothing]:
        screen.line(text, indent=0)


def find_record(records: Sequence[Record], key: str, begin: str, *, command: str) -> Record:
    """The one record whose id, under ``key``, begins so.

    Raises:
        UsageError: there is none, or several; it names the ``command`` that lists them.
    """
    found = [record for record in records if record[key].startswith(begin)]
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} {key}s begin with {begin!r}: see '{command}'")
    return found[0]


def short(identifier: str) -> str:
    """As much of an id as people are shown."""
    return identifier[:_SHORT]


def beginning(record: Record, key: str) -> str:
    """What the line of every record begins with: its id, when it was, and with whom."""
    when = datetime.fromtimestamp(record["time"]).strftime("%Y-%m-%d %H:%M")
    arrow = "->" if record["direction"] == "outgoing" else "<-"
    return f"{short(record[key])}  {when}  {arrow} {record['peer']}"
