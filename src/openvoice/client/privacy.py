"""What is kept of somebody who calls with openvoice: on this machine, and on the own server. And how it goes away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from openvoice.client import adapters
from openvoice.client.account import Account, unlock
from openvoice.client.vault import forget_account, open_vault, storage_state
from openvoice.config import AccountSettings, Home, load
from openvoice.core.address import Address
from openvoice.core.privacy import Keeper, Kept, Kind, Reader
from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError, ConnectionFailed, LoginRefused

if TYPE_CHECKING:
    from openvoice.signalling.xmpp.connection import Connection
    from openvoice.signalling.xmpp.retention import ServerRetention
    from openvoice.storage.vault import Vault


class Erasable(StrEnum):
    """What can be erased."""

    HISTORY = "history"
    """The calls of all accounts, on this machine."""
    RECORDINGS = "recordings"
    """The recordings of calls, on this machine."""
    TRUST = "trust"
    """Whose keys the account has seen, and what was thought of them, on this machine."""
    KEYS = "keys"
    """The account's own OMEMO keys, on this machine and on the server; the next login makes others."""
    ACCOUNT = "account"
    """The account itself, with all that its server keeps for it, and all of it on this machine."""
    EVERYTHING = "everything"
    """The whole profile on this machine: accounts, passwords, calls, recordings, keys, settings."""


class Privacy:
    """What is kept for a profile, and how it is erased.

    Raises:
        ConfigurationError: from any member: the settings, or what is kept, cannot be used.
    """

    def __init__(self, home: Home) -> None:
        self._home = home

    def on_this_device(self) -> tuple[Kept, ...]:
        """What is kept on this machine; opens the vault."""
        from openvoice.storage.erasure import census

        kept: list[Kept] = []
        if self._home.file.exists():
            kept.append(
                Kept(
                    keeper=Keeper.DEVICE,
                    name="settings",
                    what="your settings: the names of your accounts, and of the people that you named in them",
                    where=str(self._home.file),
                    amount=self._home.file.stat().st_size,
                    unit="octets",
                    how_long="until you erase it",
                    reader=Reader.FILES,
                    remove="edit it, or openvoice privacy erase everything",
                )
            )
        state = storage_state(self._home)
        if state is None:
            return tuple(kept)
        reader = Reader.FILES if state.protection is Protection.PLAIN else Reader.NOBODY_ELSE
        with self._vault() as vault:
            counted = census(vault)
        for kind, (name, what, unit, remove) in _WORDS.items():
            amount = counted[kind]
            if amount:
                kept.append(
                    Kept(
                        keeper=Keeper.DEVICE,
                        name=name,
                        what=what,
                        where=str(state.file),
                        amount=amount,
                        unit=unit,
                        how_long="until you erase it",
                        reader=reader,
                        remove=f"openvoice {remove}",
                    )
                )
        return tuple(kept)

    async def on_the_server(self, account: Address | None = None) -> ServerRetention:
        """What the server of the account named, or of the only one, was seen to keep, or offers to keep.

        Raises:
            ConnectionFailed: the login did not work.
        """
        from openvoice.signalling.xmpp.retention import observe

        async with self._online(self._account(account)) as connection:
            return await observe(connection)

    async def set_archive(self, default: str, account: Address | None = None) -> str:
        """Ask the server to keep ``always``, ``never`` or for the ``roster`` from now on; gives what it does.

        Raises:
            ConnectionFailed: the login did not work, or the server does not let its users choose.
        """
        from openvoice.signalling.xmpp.retention import set_archive

        async with self._online(self._account(account)) as connection:
            return await set_archive(connection, default)

    async def erase(self, what: Erasable, account: Address | None = None) -> list[str]:
        """Erase, look whether it is gone, and say what was seen, a sentence each.

        Raises:
            ConnectionFailed: the server cannot be reached, or does not do its part. Nothing was erased here then.
            ConfigurationError: something of it is left, for another openvoice is at it.
        """
        match what:
            case Erasable.HISTORY:
                return [self._erase_here(Kind.CALLS, Kind.PRESENCE)]
            case Erasable.RECORDINGS:
                return [self._erase_here(Kind.RECORDINGS)]
            case Erasable.TRUST:
                return [self._erase_here(Kind.TRUST, account=self._account(account).address)]
            case Erasable.KEYS:
                return await self._erase_keys(self._account(account))
            case Erasable.ACCOUNT:
                return await self._erase_account(self._account(account))
            case Erasable.EVERYTHING:
                return self._erase_everything()

    # --- each of them -------------------------------------------------------------------------------------------------

    def _erase_here(self, *kinds: Kind, account: Address | None = None) -> str:
        from openvoice.storage.erasure import erase

        with self._vault() as vault:
            amount = erase(vault, kinds, account)
        return f"{amount} entries were erased, and no file of the profile holds a trace of them"

    async def _erase_keys(self, settings: AccountSettings) -> list[str]:
        from openvoice.signalling.xmpp.omemo.identity import own_key
        from openvoice.signalling.xmpp.omemo.withdrawal import withdraw

        said: list[str] = []
        with self._vault() as vault:
            own = own_key(vault.secrets(settings.address))
        if own is not None:
            device, _ = own
            async with self._online(settings) as connection:
                await withdraw(connection, device)
            said.append(f"{settings.address.domain} has no keys of device {device} any more, and does not list it")
        return [*said, self._erase_here(Kind.KEYS, account=settings.address)]

    async def _erase_account(self, settings: AccountSettings) -> list[str]:
        from openvoice.signalling.xmpp.registration import unregister

        account = await self._unlocked(settings)
        async with adapters.visit(account) as connection:
            await unregister(connection)
        if not await _is_refused(account):
            raise ConnectionFailed(f"{account.address.domain} said that it removed the account, and still lets it in")
        with self._vault() as vault:
            forget_account(self._home, vault, settings.address)
            vault.compact()
        return [
            f"{settings.address.domain} does not know {settings.address} any more: a login was refused",
            "its password, keys and trust were erased on this machine; past calls stay until you erase the history",
        ]

    def _erase_everything(self) -> list[str]:
        from openvoice.storage.vault import destroy

        gone = destroy(self._home.data)
        if self._home.file.exists():
            self._home.file.unlink()
            gone.append(self._home.file)
        left = [str(path) for path in gone if path.exists()]
        if left:
            raise ConfigurationError(f"{', '.join(left)} could not be removed: remove it by hand")
        return [f"{path} is gone" for path in gone] or ["nothing was kept here"]

    # --- parts --------------------------------------------------------------------------------------------------------

    def _account(self, address: Address | None) -> AccountSettings:
        return load(self._home).account(address)

    def _vault(self) -> Vault:
        return open_vault(self._home, load(self._home).storage)

    async def _unlocked(self, settings: AccountSettings) -> Account:
        with self._vault() as vault:
            return await unlock(settings, vault.passwords)

    @asynccontextmanager
    async def _online(self, settings: AccountSettings) -> AsyncIterator[Connection]:
        async with adapters.visit(await self._unlocked(settings)) as connection:
            yield connection


async def _is_refused(account: Account) -> bool:
    """Whether its server does not let the account in."""
    try:
        async with adapters.visit(account):
            return False
    except LoginRefused:
        return True


_WORDS = {
    Kind.CALLS: (
        "history",
        "past calls: with whom, when, how long, and their reports",
        "calls",
        "privacy erase history",
    ),
    Kind.RECORDINGS: ("recordings", "recordings of calls, both sides", "recordings", "privacy erase recordings"),
    Kind.PRESENCE: ("online", "until when each account was online here", "accounts", "privacy erase history"),
    Kind.PASSWORDS: ("passwords", "passwords that you typed", "passwords", "account remove JID"),
    Kind.KEYS: (
        "keys",
        "the OMEMO keys of this device, and those of its conversations",
        "entries",
        "privacy erase keys",
    ),
    Kind.TRUST: ("trust", "whose keys you have seen, and what you think of them", "people", "privacy erase trust"),
    Kind.SERVERS: ("servers", "the certificates that your servers showed", "entries", "account remove JID"),
}
"""Kind of what is kept -> its name for machines, what it is, what is counted, and the command that erases it."""
