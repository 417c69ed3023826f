"""``openvoice privacy``"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from openvoice import Address, Erasable, Keeper, Kept, Reader
from openvoice.cli.context import Settings, account_option, json_option, need_terminal
from openvoice.cli.pages import html_option, write_page
from openvoice.cli.running import run
from openvoice.cli.screen import Mark, Screen
from openvoice.report import render_privacy

_MARKS = {
    Reader.NOBODY_ELSE: Mark.GOOD,
    Reader.FILES: Mark.NOTICE,
    Reader.OPERATOR: Mark.WARNING,
    Reader.EVERYBODY: Mark.WARNING,
}
_CONSEQUENCES = {
    Erasable.HISTORY: "forget all past calls on this machine",
    Erasable.RECORDINGS: "delete all recordings of calls on this machine",
    Erasable.TRUST: "forget whose keys you have seen, also those that you verified",
    Erasable.KEYS: "throw this device's OMEMO keys away; contacts will see a new device",
    Erasable.ACCOUNT: "remove the account from its server, with its contacts and messages, for ever",
    Erasable.EVERYTHING: "forget every account, password, call, recording and key on this machine",
}


@click.group("privacy", invoke_without_command=True)
@click.option("--offline", is_flag=True, help="Look at this machine only.")
@account_option
@html_option
@json_option
@click.pass_context
def command(
    context: click.Context, offline: bool, account: Address | None, html: Path | None, as_json: bool
) -> int | None:
    """Say what is kept: on this machine, and by your server as far as it lets you see. And erase it.

    \b
    What is kept:          openvoice privacy
    As a page:             openvoice privacy --html kept.html
    Erase past calls:      openvoice privacy erase history
    """
    if context.invoked_subcommand is not None:
        return None
    settings: Settings = context.obj

    async def work() -> int:
        privacy = settings.profile.privacy
        kept = privacy.on_this_device()
        contacts: tuple[str, ...] = ()
        if not offline:
            seen = await privacy.on_the_server(account)
            kept, contacts = (*kept, *seen.kept), seen.contacts
        if html is not None:
            name = "this machine" if offline else str(settings.profile.settings.account(account).address)
            write_page(html, render_privacy(kept, account=name, contacts=contacts))
        elif as_json:
            for item in kept:
                click.echo(json.dumps(item.as_dict()))
        else:
            _show(kept, contacts)
        return 0

    return run(work())


@command.command("archive")
@click.argument("default", type=click.Choice(["always", "roster", "never"]))
@account_option
@click.pass_obj
def archive(settings: Settings, default: str, account: Address | None) -> int:
    """Tell your server what its archive may keep from now on: everything, what concerns contacts, or nothing.

    What is in it already only its operator can remove. Calls that you miss while offline are known by it alone.

    \b
    Example:  openvoice privacy archive never
    """

    async def work() -> int:
        now = await settings.profile.privacy.set_archive(default, account)
        click.echo(f"the server now keeps: {now}")
        return 0 if now == default else 3

    return run(work())


@command.command("erase")
@click.argument("what", type=click.Choice([item.value for item in Erasable]))
@click.option("--yes", is_flag=True, help="Do not ask.")
@account_option
@json_option
@click.pass_obj
def erase(settings: Settings, what: str, yes: bool, account: Address | None, as_json: bool) -> int:
    """Erase something for good, then look whether it is gone, and say what was seen.

    'history', 'recordings' and 'trust' are on this machine; 'keys' are this device's OMEMO keys, here and on the
    server; 'account' is the account itself, on its server too; 'everything' is the whole profile on this machine.

    \b
    Past calls:              openvoice privacy erase history
    A machine given away:    openvoice privacy erase keys
                             openvoice privacy erase everything
    """
    chosen = Erasable(what)
    if not yes:
        need_terminal(instead="say --yes if you mean it")
        click.confirm(f"This will {_CONSEQUENCES[chosen]}. Go on?", abort=True, err=True)

    async def work() -> int:
        for sentence in await settings.profile.privacy.erase(chosen, account):
            if as_json:
                click.echo(json.dumps({"event": "erased", "what": what, "text": sentence}))
            else:
                Screen().line(sentence, mark=Mark.GOOD, indent=0)
        return 0

    return run(work())


def _show(kept: Sequence[Kept], contacts: Sequence[str]) -> None:
    screen = Screen()
    for keeper in Keeper:
        items = [item for item in kept if item.keeper is keeper]
        if items:
            screen.line(keeper.heading, indent=0)
        for item in items:
            amount = f" ({item.amount} {item.unit})" if item.amount is not None else ""
            screen.line(f"{item.name}{amount}: {item.what}", mark=_MARKS[item.reader])
            screen.line(f"read by {item.reader}; {item.how_long}", indent=4)
            screen.line(f"to erase: {item.remove}", indent=4)
    if not kept:
        screen.line("nothing is kept yet", indent=0)
    if contacts:
        screen.line(f"ask about the rest: {', '.join(contacts)}", indent=0)
