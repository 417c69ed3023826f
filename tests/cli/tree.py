"""All commands that there are."""

from __future__ import annotations

from collections.abc import Iterator

import click

from openvoice import cli

OUTERMOST = click.Context(cli.command, **cli.command.context_settings)


def commands(group: click.Group = cli.command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command by its words, the outermost one too, whose words are none."""
    yield " ".join(path), group
    for name in group.list_commands(OUTERMOST):
        found = group.get_command(OUTERMOST, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield " ".join((*path, name)), found
