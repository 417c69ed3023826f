"""Pages that commands write."""

from __future__ import annotations

import os
from pathlib import Path

import click

from openvoice import UsageError

html_option = click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as a page to this file, and print nothing.",
)


def write_page(path: Path, page: str) -> None:
    """Write a page, which names people and addresses: only its owner may read it.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            if hasattr(os, "fchmod"):
                # One that was there before may be open to others.
                os.fchmod(file.fileno(), 0o600)
            file.write(page)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}") from error
