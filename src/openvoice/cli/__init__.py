"""The command line: one command per file, each a thin face over the public API."""

from __future__ import annotations

import errno
import importlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

import openvoice
from openvoice.cli.context import Settings
from openvoice.cli.running import noting_interrupts
from openvoice.cli.screen import forgive_characters, plain
from openvoice.errors import OpenVoiceError

_COMMANDS = {
    "account": "Your XMPP accounts: add, list, remove, register; accept another certificate.",
    "call": "Call somebody.",
    "answer": "Wait for calls and answer them.",
    "trust": "Whose keys you trust: list, verify, accept, distrust, show and scan codes.",
    "history": "List past calls, or show one with its security report.",
    "recordings": "List recordings of calls, export one as a WAV file, or delete it.",
    "privacy": "What is kept, here and by your server; erase it.",
    "storage": "Say how what is kept here is protected, or change it.",
    "devices": "List microphones and loudspeakers, and test them.",
    "doctor": "Check everything a call needs, step by step.",
    "interop": "See how another client behaves in the exchanges of those in use.",
    "demo": "Watch two clients make an encrypted call on this machine.",
}

_EXIT_CODES = """\b
Exit codes:
  0  the call happened and ended normally    5  nobody answered
  2  wrong usage or configuration            6  refused for security
  3  no login or no network                  7  the media failed
  4  declined or busy                      130  interrupted
"""


class _Commands(click.Group):
    """Imports a command's module only when that command runs: ``--help`` and mistakes answer at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"openvoice.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(
    cls=_Commands,
    epilog=_EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--home",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="OPENVOICE_HOME",
    help="Folder of one profile: its settings and all that it keeps.  [default: the folders of your system]",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="warning",
    show_default=True,
    help="How much to log, to standard error.",
)
@click.version_option(openvoice.__version__, prog_name="openvoice")
@click.pass_context
def command(context: click.Context, home: Path | None, log_level: str) -> None:
    """Encrypted calls to anybody on XMPP.

    Sound is encrypted from device to device; no provider holds a key, and every call ends with a report on who could
    have listened.

    \b
    See it work, without an account:     openvoice demo
    Then, with one:                      openvoice account add you@example.org
                                         openvoice call friend@example.org
    When something does not work:        openvoice doctor
    """
    _log_to_standard_error(log_level.upper())
    context.obj = Settings(home=home)


def _log_to_standard_error(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    # On the handler as well: a library that set a level on its own logger is not asked by the root's.
    handler.setLevel(level)
    # Who asks for no more than warnings is a person who wants to know what to do, not when it was noticed.
    terse = level in ("WARNING", "ERROR")
    form = "%(name)s: %(message)s" if terse else "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=level, handlers=[handler], format=form)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code. Every mistake is one line on standard error."""
    forgive_characters()
    try:
        with noting_interrupts():
            result: Any = command.main(arguments, prog_name="openvoice", standalone_mode=False)
        sys.stdout.flush()
    except click.Abort:
        click.echo(err=True)  # ends the line of the prompt at which Ctrl-C was pressed
        return 130
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        click.echo(f"openvoice: {plain(_one_line(error))}", err=True)
        return 2
    except OpenVoiceError as error:
        click.echo(f"openvoice: {plain(str(error))}", err=True)
        return error.exit_code
    except (OSError, SystemExit) as error:
        full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        if isinstance(error, OSError) and not full and error.errno not in (errno.EPIPE, errno.EIO):
            raise
        # Whoever read our output is gone, or the terminal is (click makes an exit of that), or the disk that it goes to
        # is full; what Python would say about what could not be written helps nobody.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if full:
            click.echo("openvoice: the disk is full where the output goes: make room", err=True)
        return 2 if full else 130
    return result if isinstance(result, int) else 0


def _one_line(error: click.ClickException) -> str:
    """A mistake on the command line, and where to read what is right."""
    message = error.format_message().rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return f"{message} (see '{context.command_path} --help')" if context is not None else message
