"""``openvoice devices``"""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from openvoice import sound_devices
from openvoice.cli.context import json_option
from openvoice.cli.screen import Screen


@click.command("devices")
@json_option
def command(as_json: bool) -> None:
    """List microphones and loudspeakers. Any part of a name works with --input and --output.

    \b
    See what there is:
      openvoice devices
    Then choose by a part of the name:
      openvoice call bob@example.org --input headset --output headset
    """
    found = sound_devices()
    if as_json:
        for device in found:
            click.echo(json.dumps(asdict(device)))
        return
    screen = Screen()
    if not found:
        screen.line(
            "no sound device was found: calls with files work all the same, see 'openvoice call --help'", indent=0
        )
        return
    for device in found:
        mark = "*" if device.default else " "
        screen.line(f"{mark} {device.kind:<7} {device.name}  ({device.channels} channels, {device.host})", indent=0)
    screen.line("* is what the system uses by default", indent=0)
