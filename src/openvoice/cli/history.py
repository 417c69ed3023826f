"""``openvoice history``"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from openvoice.cli.context import Settings, json_option
from openvoice.cli.pages import html_option, write_page
from openvoice.cli.printing import show_findings
from openvoice.cli.records import beginning, find_record, show_records
from openvoice.cli.screen import Screen
from openvoice.report import render_record


@click.group("history", invoke_without_command=True)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many calls, newest first."
)
@json_option
@click.pass_context
def command(context: click.Context, limit: int, as_json: bool) -> None:
    """List past calls, newest first; 'openvoice history show ID' tells all about one.

    \b
    The last three:        openvoice history --limit 3
    All about one:         openvoice history show 8acede2c
    """
    if context.invoked_subcommand is not None:
        return
    show_records(context.obj.profile.history(limit), _line, nothing="no calls yet", as_json=as_json)


@command.command("show")
@click.argument("call", metavar="ID")
@html_option
@json_option
@click.pass_obj
def show(settings: Settings, call: str, html: Path | None, as_json: bool) -> None:
    """Show one call: who could hear it, who learnt what, its numbers. The first letters of the ID are enough.

    \b
    Look at one:      openvoice history show 8acede2c
    As a page:        openvoice history show 8acede2c --html call.html
    """
    record = find_record(settings.profile.history(), "call", call, command="openvoice history")
    if html is not None:
        write_page(html, render_record(record))
        return
    if as_json:
        click.echo(json.dumps(record))
        return
    screen = Screen()
    screen.line(_line(record), indent=0)
    if record.get("security"):
        # Heavy, and the list of calls shows none.
        from openvoice.cli.verdicts import show_parties

        show_parties(record["security"])
        show_findings(screen, record["security"])
    if record.get("duration"):
        for line in _numbers(record["stats"]):
            screen.line(line)


def _numbers(stats: dict[str, Any]) -> list[str]:
    round_trip = stats["round_trip"]
    return [
        f"sent {stats['packets_sent']} packets, of which {stats['remote_loss']:.1%} were lost; "
        f"{stats['codec'] or 'no codec'}, {stats['bitrate_sent']:.0f} kbit/s",
        f"received {stats['packets_received']} packets; {stats['loss']:.1%} were lost, "
        f"{stats['concealed']:.1%} of the sound was made up",
        f"jitter {stats['jitter']:.1f} ms, playout delay {stats['playout_delay']:.0f} ms, round trip "
        + (f"{round_trip:.0f} ms" if round_trip is not None else "not measured"),
    ]


def _line(record: dict[str, Any]) -> str:
    length = f", {record['duration']:.0f} s" if record.get("duration") else ""
    return f"{beginning(record, 'call')}  {record['outcome']}{length}"
