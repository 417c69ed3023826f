"""``openvoice recordings``"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from openvoice import Profile
from openvoice.cli.context import Settings, json_option
from openvoice.cli.records import beginning, find_record, short, show_records


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
    show_records(settings.profile.recordings(), _line, nothing="no recordings", as_json=as_json)


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
    click.echo(f"{short(found)} was deleted")


def _find(profile: Profile, begin: str) -> str:
    found = find_record(profile.recordings(), "recording", begin, command="openvoice recordings list")
    return str(found["recording"])


def _line(recording: dict[str, Any]) -> str:
    cut = "" if recording["whole"] else ", not ended in order"
    return f"{beginning(recording, 'recording')}  {recording['seconds']:.0f} s{cut}"
