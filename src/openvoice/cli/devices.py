"""``openvoice devices``"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from openvoice import sound_devices
from openvoice.cli.context import json_option


@click.command("devices")
@json_option
def command(as_json: bool) -> None:
    """List microphones and loudspeakers. Any part of a name works with --input and --output."""
    found = sound_devices()
    if as_json:
        for device in found:
            click.echo(json.dumps(asdict(device)))
        return
    if not found:
        click.echo("no sound device was found: calls with files work all the same, see 'openvoice call --help'")
    for device in found:
        mark = "*" if device.default else " "
        click.echo(f"{mark} {device.kind:<7} {device.name}  ({device.channels} channels, {device.host})")
    if found:
        click.echo("* is what the system uses by default")
