"""``openvoice account``"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from openvoice import Address, SecurityRefused, UsageError
from openvoice.cli.context import ADDRESS, SERVER, Settings, json_option, need_terminal
from openvoice.cli.running import run
from openvoice.cli.screen import Screen


@click.group("account")
def command() -> None:
    """Your XMPP accounts.

    \b
    Add the one you have:  openvoice account add you@example.org
    Make a new one:        openvoice account register you@example.org
    """


def _password_options(function: Any) -> Any:
    # The last decorator applied is the first that --help shows.
    for option in reversed(_PASSWORD_OPTIONS):
        function = option(function)
    return function


_PASSWORD_OPTIONS: list[Callable[[Any], Any]] = [
    click.option(
        "--password-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Read the password from the first line of this file, now and at every login.",
    ),
    click.option("--password-command", metavar="C", help="Run this shell command for the password, at every login."),
    click.option("--server", type=SERVER, metavar="HOST:PORT", help="Connect here instead of asking DNS."),
    click.option(
        "--ca",
        "ca_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Trust this certificate authority (PEM), and no other, for the server.",
    ),
]


@command.command("add")
@click.argument("address", type=ADDRESS, metavar="JID")
@_password_options
@click.option("--no-check", is_flag=True, help="Do not log in to try it.")
@click.pass_obj
def add(
    settings: Settings,
    address: Address,
    password_file: Path | None,
    password_command: str | None,
    server: tuple[str, int] | None,
    ca_file: Path | None,
    no_check: bool,
) -> int:
    """Add an account, and log in once to prove that it works.

    The password is asked for, or comes from a file or a command; it is never given on the command line, where every
    user of this machine could read it. A password that was typed is kept encrypted (see 'openvoice storage').

    \b
    Type the password:
      openvoice account add you@example.org
    Have a program tell it at each login:
      openvoice account add you@example.org --password-command 'pass xmpp'
    A server of your own, without DNS:
      openvoice account add you@lan.test --server 192.0.2.1:5223 --ca ca.pem
    """
    password = _password(address, password_file, password_command, confirm=False)

    async def work() -> int:
        await settings.profile.add_account(
            address,
            password=password,
            password_file=password_file,
            password_command=password_command,
            server=server,
            ca_file=ca_file,
            check=not no_check,
        )
        click.echo(f"{address} is ready" if not no_check else f"{address} was added, untried")
        return 0

    return run(work())


@command.command("register")
@click.argument("address", type=ADDRESS, metavar="JID")
@_password_options
@click.pass_obj
def register(
    settings: Settings,
    address: Address,
    password_file: Path | None,
    password_command: str | None,
    server: tuple[str, int] | None,
    ca_file: Path | None,
) -> int:
    """Make a new account on its server, if that allows it, and add it.

    Servers that want a form filled in, or a code from a picture, are left to their web pages.

    \b
    Choose a password, and type it twice:
      openvoice account register you@example.org
    """
    password = _password(address, password_file, password_command, confirm=True)

    async def work() -> int:
        await settings.profile.register_account(
            address,
            password=password,
            password_file=password_file,
            password_command=password_command,
            server=server,
            ca_file=ca_file,
        )
        click.echo(f"{address} was made and is ready")
        return 0

    return run(work())


@command.command("list")
@json_option
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """List the accounts.

    \b
    For programs:  openvoice account list --json
    """
    accounts = settings.profile.settings.accounts
    if as_json:
        for account in accounts:
            server = f"{account.server[0]}:{account.server[1]}" if account.server else None
            click.echo(json.dumps({"account": str(account.address), "server": server}))
    elif accounts:
        for account in accounts:
            click.echo(str(account.address))
    else:
        click.echo("no account yet: add one with 'openvoice account add you@example.org'")


@command.command("remove")
@click.argument("address", type=ADDRESS, metavar="JID")
@click.pass_obj
def remove(settings: Settings, address: Address) -> None:
    """Forget an account and its password on this machine. The account itself stays on its server.

    \b
    Example:  openvoice account remove you@example.org
    """
    settings.profile.remove_account(address)
    click.echo(f"{address} was removed")


@command.command("trust-certificate")
@click.argument("address", type=ADDRESS, metavar="JID")
@click.option("--yes", is_flag=True, help="Accept it without a question.")
@click.pass_obj
def trust_certificate(settings: Settings, address: Address, yes: bool) -> int:
    """Show the other certificate that the account's server has, and accept it.

    With alarm = "refuse" in openvoice.toml calls wait for this when the server shows another certificate than before,
    though a valid one. Ask the server's operator whether it is right: whoever holds such a one can sit in between.

    \b
    See both, and decide:
      openvoice account trust-certificate you@example.org
    """
    change = settings.profile.certificate_waiting(address)
    if change is None:
        click.echo(f"no other certificate of {address.domain} waits to be accepted")
        return 0
    screen = Screen()
    screen.line(change.sentence, indent=0)
    for name, certificate in (("before", change.old.certificate), ("now", change.new)):
        days = [datetime.fromtimestamp(at, UTC).date() for at in (certificate.not_before, certificate.not_after)]
        validity = f"good from {days[0]} to {days[1]}"
        screen.line(f"{name}: by {certificate.issuer}, {validity}, SHA-256 {certificate.sha256}", indent=0)
    if not yes:
        need_terminal(instead="accept the certificate with --yes")
        if not click.confirm("Accept it?", err=True):
            return SecurityRefused.exit_code
    settings.profile.accept_certificate(address, change)
    click.echo(f"the certificate of {address.domain} is accepted")
    return 0


def _password(address: Address, file: Path | None, shell_command: str | None, *, confirm: bool) -> str | None:
    """What the user types, or ``None`` if the password comes from elsewhere."""
    if file is not None and shell_command is not None:
        raise UsageError("--password-file and --password-command are two ways to the same: give one")
    if file is not None or shell_command is not None:
        return None
    if not sys.stdin.isatty():
        raise UsageError("there is no terminal to ask for the password in: use --password-file or --password-command")
    password: str = click.prompt(f"Password of {address}", hide_input=True, confirmation_prompt=confirm, err=True)
    return password
