"""``openvoice history``"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from openvoice import UsageError
from openvoice.cli.context import Settings, json_option
from openvoice.cli.pages import html_option, write_page
from openvoice.cli.printing import show_findings
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
    records = context.obj.profile.history(limit)
    screen = Screen()
    for record in records:
        if as_json:
            click.echo(json.dumps(record))
        else:
            screen.line(_line(record), indent=0)
    if not records and not as_json:
        screen.line("no calls yet", indent=0)


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
    found = [record for record in settings.profile.history(None) if record["call"].startswith(call)]
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} calls begin with {call!r}: see 'openvoice history'")
    (record,) = found
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
    when = datetime.fromtimestamp(record["time"]).strftime("%Y-%m-%d %H:%M")
    arrow = "->" if record["direction"] == "outgoing" else "<-"
    length = f", {record['duration']:.0f} s" if record.get("duration") else ""
    return f"{record['call'][:8]}  {when}  {arrow} {record['peer']}  {record['outcome']}{length}"
