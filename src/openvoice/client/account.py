"""Who one is on XMPP, and how the password is found when it is needed."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process, SubprocessStreamProtocol
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from openvoice.config import AccountSettings
from openvoice.core.address import Address
from openvoice.errors import ConfigurationError

if TYPE_CHECKING:
    from openvoice.storage.passwords import PasswordKeeper

COMMAND_WITHIN = 60.0
"""Seconds that a password command may take; it may have to ask its user."""
LONGEST_LINE = 2**16
"""Octets of a command's output that are read ahead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """An account to log in with.

    ``server`` is used instead of what DNS says (RFC 6120, 3.2); ``ca_file`` (PEM) is trusted instead of the system's
    certificate authorities, for servers with a private one.
    """

    address: Address
    password: str = field(repr=False)
    server: tuple[str, int] | None = None
    ca_file: Path | None = None


async def unlock(settings: AccountSettings, keeper: PasswordKeeper) -> Account:
    """Find the account's password, by its file, its command, or the keeper.

    Raises:
        ConfigurationError: there is none, or what should tell it fails.
    """
    account = await with_password(settings, lambda: keeper.find(settings.address))
    if account is None:
        raise ConfigurationError(
            f"no password is kept for {settings.address}: "
            f"add the account again with 'openvoice account add {settings.address}'"
        )
    return account


async def with_password(settings: AccountSettings, otherwise: Callable[[], str | None]) -> Account | None:
    """The account with the password that its file or its command gives, or else ``otherwise``; ``None`` without one.

    Raises:
        ConfigurationError: what should tell the password fails.
    """
    if settings.password_file is not None:
        password: str | None = read_password(settings.password_file)
    elif settings.password_command is not None:
        password = await run_password_command(settings.password_command)
    else:
        password = otherwise()
    if not password:
        return None
    return Account(address=settings.address, password=password, server=settings.server, ca_file=settings.ca_file)


def read_password(path: Path) -> str:
    """The first line of a file. Raises :class:`~openvoice.errors.ConfigurationError`."""
    try:
        password = path.read_text(encoding="utf-8").partition("\n")[0].removesuffix("\r")
    except OSError as error:
        raise ConfigurationError(f"the password file {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the password file {path} cannot be read: it is not text in UTF-8") from error
    if not password:
        raise ConfigurationError(f"the password file {path} is empty: write the password into its first line")
    return password


async def run_password_command(command: str) -> str:
    """The first line that a shell command prints. Raises :class:`~openvoice.errors.ConfigurationError`."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.subprocess_shell(
        lambda: SubprocessStreamProtocol(limit=LONGEST_LINE, loop=loop),
        command,
        stdin=asyncio.subprocess.DEVNULL,
        stderr=None,
    )
    process = Process(transport, protocol, loop)
    try:
        async with asyncio.timeout(COMMAND_WITHIN):
            output, _ = await process.communicate()
    except TimeoutError:
        raise ConfigurationError("the password command did not end within a minute") from None
    finally:
        # A program that the shell started may live on and hold the pipe: that must not hold this one.
        transport.close()
        await process.wait()
    password = output.decode(errors="replace").partition("\n")[0].removesuffix("\r")
    if process.returncode != 0 or not password:
        raise ConfigurationError(
            f"the password command ended with code {process.returncode}"
            + ("" if password else " and printed nothing")
            + ": run it by hand to see why"
        )
    return password
