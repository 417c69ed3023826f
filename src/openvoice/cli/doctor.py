"""``openvoice doctor``"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from openvoice import Address
from openvoice.cli.context import Settings, account_option, json_option
from openvoice.cli.running import run
from openvoice.cli.screen import Screen
from openvoice.cli.steps import NOT_WELL, show_step


@click.command("doctor")
@account_option
@json_option
@click.pass_obj
def command(settings: Settings, account: Address | None, as_json: bool) -> int:
    """Check everything a call needs, step by step, and say what to do about what fails.

    The steps: configuration, storage, the server's name, encryption and certificate, login, what the server offers,
    each of its STUN and TURN servers, sound devices and what processes their sound. Ends with 3 if one failed; a
    warning is no failure.

    \b
    Look for the fault:    openvoice doctor
    For a monitor:         openvoice doctor --account you@example.org --json
    """

    async def work() -> int:
        screen = Screen()
        worst = 0
        async for step in settings.profile.diagnose(account):
            if step.outcome == "failed":
                worst = NOT_WELL
            if as_json:
                click.echo(json.dumps({"event": "step", **asdict(step)}))
                continue
            show_step(screen, step)
        return worst

    return run(work())
