"""``openvoice history``"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import click

from openvoice import UsageError
from openvoice.cli.context import Settings, json_option
from openvoice.cli.printing import plain


@click.group("history", invoke_without_command=True)
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many calls, newest first."
)
@json_option
@click.pass_context
def command(context: click.Context, limit: int, as_json: bool) -> None:
    """List past calls, newest first; 'openvoice history show ID' tells all about one."""
    if context.invoked_subcommand is not None:
        return
    records = context.obj.profile.history(limit)
    for record in records:
        click.echo(json.dumps(record) if as_json else _line(record))
    if not records and not as_json:
        click.echo("no calls yet")


@command.command("show")
@click.argument("call", metavar="ID")
@json_option
@click.pass_obj
def show(settings: Settings, call: str, as_json: bool) -> None:
    """Show one call: its numbers, and who could have listened. The first letters of the ID are enough."""
    found = [record for record in settings.profile.history(None) if record["call"].startswith(call)]
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} calls begin with {call!r}: see 'openvoice history'")
    (record,) = found
    if as_json:
        click.echo(json.dumps(record))
        return
    click.echo(_line(record))
    security = record.get("security")
    for finding in security["findings"] if security else ():
        click.echo(f"  {finding['severity']}: {finding['text']}")
    for name, value in record.get("stats", {}).items():
        click.echo(f"  {name.replace('_', ' ')}: {value}")


def _line(record: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(record["time"]).strftime("%Y-%m-%d %H:%M")
    arrow = "->" if record["direction"] == "outgoing" else "<-"
    length = f", {record['duration']:.0f} s" if record.get("duration") else ""
    return f"{record['call'][:8]}  {when}  {arrow} {plain(record['peer'])}  {record['outcome']}{length}"
