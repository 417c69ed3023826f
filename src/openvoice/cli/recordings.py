"""``openvoice recordings``"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from openvoice import Profile, UsageError
from openvoice.cli.context import Settings, json_option
from openvoice.cli.screen import Screen


@click.group("recordings")
def command() -> None:
    """Recordings of calls, made with 'call --record' and 'answer --record'. They are encrypted in the profile.

    \b
    What is there:         openvoice recordings list
    Take one out:          openvoice recordings export 8acede2c call.wav
    """


@command.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List the recordings, newest first.

    \b
    For programs:  openvoice recordings list --json
    """
    recordings = settings.profile.recordings()
    screen = Screen()
    for recording in recordings:
        if as_json:
            click.echo(json.dumps(recording))
        else:
            screen.line(_line(recording), indent=0)
    if not recordings and not as_json:
        screen.line("no recordings", indent=0)


@command.command("export")
@click.argument("recording", metavar="ID")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.wav")
@click.pass_obj
def export(settings: Settings, recording: str, file: Path) -> None:
    """Write a recording to a WAV file: you left, the other side right. The first letters of the ID are enough.

    The file is not encrypted any more. One that is there is not overwritten.

    \b
    Example:  openvoice recordings export 8acede2c call.wav
    """
    profile = settings.profile
    profile.export_recording(_find(profile, recording), file)
    click.echo(f"{file} is readable by you, and not encrypted")


@command.command("delete")
@click.argument("recording", metavar="ID")
@click.pass_obj
def delete(settings: Settings, recording: str) -> None:
    """Delete a recording for good. The first letters of the ID are enough.

    \b
    Example:  openvoice recordings delete 8acede2c
    """
    profile = settings.profile
    found = _find(profile, recording)
    profile.remove_recording(found)
    click.echo(f"{found[:8]} was deleted")


def _find(profile: Profile, begin: str) -> str:
    found = [record["recording"] for record in profile.recordings() if record["recording"].startswith(begin)]
    if len(found) != 1:
        raise UsageError(f"{len(found) or 'no'} recordings begin with {begin!r}: see 'openvoice recordings list'")
    return str(found[0])


def _line(recording: dict[str, Any]) -> str:
    when = datetime.fromtimestamp(recording["time"]).strftime("%Y-%m-%d %H:%M")
    arrow = "->" if recording["direction"] == "outgoing" else "<-"
    cut = "" if recording["whole"] else ", not ended in order"
    return f"{recording['recording'][:8]}  {when}  {arrow} {recording['peer']}  {recording['seconds']:.0f} s{cut}"
