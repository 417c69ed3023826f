"""``openvoice storage``"""

from __future__ import annotations

import json
from pathlib import Path

import click

from openvoice import Protection, UsageError
from openvoice.cli.context import Settings, json_option


@click.group("storage", invoke_without_command=True)
@json_option
@click.pass_context
def command(context: click.Context, as_json: bool) -> None:
    """Say how passwords, calls, keys and recordings are protected on this machine; 'protect' changes it.

    \b
    How is it now:         openvoice storage
    Better:                openvoice storage protect --keyring
    """
    if context.invoked_subcommand is not None:
        return
    state = context.obj.profile.storage()
    if state is None:
        if not as_json:
            click.echo("nothing is kept yet")
    elif as_json:
        click.echo(json.dumps({"protection": state.protection, "file": str(state.file), "text": state.text}))
    else:
        click.echo(f"{state.protection}: {state.text}\n{state.file}")


@command.command("protect")
@click.option("--keyring", is_flag=True, help="The system keyring holds the key, and opens when you log in.")
@click.option(
    "--passphrase-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The key opens with the passphrase in the first line of this file: for servers.",
)
@click.option(
    "--plain", is_flag=True, help="The key lies in a file beside: protects against nobody who can read your files."
)
@click.pass_obj
def protect(settings: Settings, keyring: bool, passphrase_file: Path | None, plain: bool) -> None:
    """Encrypt all that is kept with a new key, and let the holder named hold it.

    A crash in between leaves all as it was, or as it is to be. Start an openvoice that runs meanwhile again.

    \b
    On a desktop:    openvoice storage protect --keyring
    On a server:     openvoice storage protect --passphrase-file /etc/phrase
    """
    chosen = {
        Protection.KEYRING: keyring,
        Protection.PASSPHRASE: passphrase_file is not None,
        Protection.PLAIN: plain,
    }
    wanted = [protection for protection, named in chosen.items() if named]
    if len(wanted) != 1:
        raise UsageError("say who is to hold the key: one of --keyring, --passphrase-file FILE and --plain")
    settings.profile.protect(wanted[0], passphrase_file)
    state = settings.profile.storage()
    assert state is not None
    click.echo(f"what is kept is {state.text}")
