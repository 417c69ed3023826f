"""``openvoice doctor``"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from openvoice import Address
from openvoice.cli.context import Settings, account_option, json_option
from openvoice.cli.printing import plain
from openvoice.cli.running import run

NOT_WELL = 3
"""Exit code when a step failed."""

_MARKS = {"passed": "✓", "warning": "!", "failed": "✗"}


@click.command("doctor")
@account_option
@json_option
@click.pass_obj
def command(settings: Settings, account: Address | None, as_json: bool) -> int:
    """Check everything a call needs, step by step, and say what to do about what fails."""

    async def work() -> int:
        worst = 0
        async for step in settings.profile.diagnose(account):
            if step.outcome == "failed":
                worst = NOT_WELL
            if as_json:
                click.echo(json.dumps({"event": "step", **asdict(step)}))
                continue
            click.echo(f"{_MARKS[step.outcome]} {step.name}: {plain(step.text)}")
            if step.advice:
                click.echo(f"    {step.advice}")
        return worst

    return run(work())
