"""One person's set-up on this machine: accounts, policy, history."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from openvoice.client import adapters
from openvoice.client.account import Account, unlock, with_password
from openvoice.client.certificates import accept, waiting
from openvoice.client.client import Client
from openvoice.client.doctor import diagnose
from openvoice.client.keys import key_store
from openvoice.client.privacy import Privacy
from openvoice.client.trust import Keys
from openvoice.client.vault import StorageState, forget_account, open_vault, protect, storage_state
from openvoice.config import (
    AccountSettings,
    Home,
    Require,
    Settings,
    StorageSettings,
    add_account,
    load,
    parse_server,
)
from openvoice.core.address import Address
from openvoice.core.certificates import CertificateChange
from openvoice.core.diagnosis import Step
from openvoice.core.policy import Policy, Rules
from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError, InvalidState
from openvoice.ports import PictureFormat
from openvoice.storage.trust import TrustBook

if TYPE_CHECKING:
    from openvoice.interop.ports import Person
    from openvoice.interop.results import Result
    from openvoice.interop.vectors import Vector
    from openvoice.storage.vault import Vault


class Profile:
    """The settings, passwords and history in ``home``, or in the folders of the system.

    Raises:
        ConfigurationError: from any member, if ``openvoice.toml`` cannot be used; it names file, key and value.
    """

    parse_server = staticmethod(parse_server)

    def __init__(self, home: Path | str | None = None) -> None:
        self._home = Home.locate(home)

    @cached_property
    def settings(self) -> Settings:
        """What ``openvoice.toml`` says."""
        return load(self._home)

    def policy(
        self,
        account: Address | None = None,
        *,
        require: str | None = None,
        relay_only: bool | None = None,
        **changes: Any,
    ) -> Policy:
        """The policy of an account (the one named, or the only one), with some of its values replaced.

        ``require`` (one of the words of the file: ``none``, ``omemo``, ``verified``) and ``relay_only`` count more than
        what the file says, for single contacts too; ``None`` leaves them to it.

        Raises:
            ConfigurationError: there is no such account, or several and none was named.
        """
        vouching = Require(require).vouching if require is not None else None
        insisted = Rules(require=vouching, relay_only=relay_only)
        return replace(self.settings.policy_of(self.settings.account(account)), insisted=insisted, **changes)

    def client(self, account: Address | None = None, *, policy: Policy | None = None) -> Client:
        """A client of the account named, or of the only one. It finds the password when it goes online.

        This opens all that is kept, and may take a second, or wait for you where a keyring is locked.

        Raises:
            KeyUnavailable: what is kept cannot be opened.
        """
        chosen = self.settings.account(account)
        vault = self._vault()

        async def account_of_profile() -> Account:
            return await unlock(chosen, vault.passwords)

        return Client(
            account_of_profile,
            keys=key_store(vault.secrets(chosen.address)),
            policy=policy or self.settings.policy_of(chosen),
            store=vault.history,
            recordings=vault.recordings,
            interfaces=self.settings.interfaces,
            bandwidth=self.settings.bandwidth,
            video_format=self._video_format,
        )

    @contextmanager
    def keys(self, account: Address | None = None) -> Iterator[Keys]:
        """The OMEMO keys that the account named, or the only one, has seen; needs no connection.

        Raises:
            KeyUnavailable: what is kept cannot be opened.
        """
        from openvoice.signalling.xmpp.omemo.identity import own_key

        address = self.settings.account(account).address
        with self._vault() as vault:
            secrets = vault.secrets(address)
            yield Keys(address, own_key(secrets), TrustBook(secrets), time.time)

    async def add_account(
        self,
        address: Address,
        *,
        password: str | None = None,
        password_file: Path | None = None,
        password_command: str | None = None,
        server: tuple[str, int] | None = None,
        ca_file: Path | None = None,
        check: bool = True,
    ) -> None:
        """Add an account, after logging in once to prove that it works (unless ``check`` is false).

        A ``password`` is kept among all that the profile keeps (see ``protect``); a ``password_file`` and a
        ``password_command`` are asked again at every login.

        Raises:
            ConnectionFailed: the login did not work. Nothing was added.
            ConfigurationError: the password cannot be found, or the profile cannot be written.
        """
        settings = self._account_settings(address, password_file, password_command, server, ca_file)
        account = await self._with_password(settings, password)
        if check:
            async with adapters.visit(account):
                pass
        self._keep(settings, password)

    async def register_account(
        self,
        address: Address,
        *,
        password: str | None = None,
        password_file: Path | None = None,
        password_command: str | None = None,
        server: tuple[str, int] | None = None,
        ca_file: Path | None = None,
    ) -> None:
        """Make the account on its server (XEP-0077) and add it.

        Raises:
            ConnectionFailed: the server cannot be reached, or lets nobody register, or not under this name.
        """
        from openvoice.signalling.xmpp.registration import register

        settings = self._account_settings(address, password_file, password_command, server, ca_file)
        account = await self._with_password(settings, password)
        await register(account.address, account.password, server=server, ca_file=settings.ca_file)
        self._keep(settings, password)

    def remove_account(self, address: Address) -> None:
        """Forget an account, its password, its OMEMO keys and whom it trusts; its calls stay in the history.

        Raises:
            ConfigurationError: there is no such account.
        """
        self.settings.account(address)
        with self._vault() as vault:
            forget_account(self._home, vault, address)
        self.__dict__.pop("settings", None)

    def history(self, limit: int | None = None) -> list[dict[str, Any]]:
        """The calls of all accounts, newest first; ``docs/events.md`` has the schema."""
        if not self._home.vault.exists():
            return []
        with self._vault() as vault:
            return vault.history.list(-1 if limit is None else limit)

    def certificate_waiting(self, address: Address) -> CertificateChange | None:
        """The other certificate of an account's server that waits to be accepted (see ``alarm``), if one does.

        Raises:
            ConfigurationError: there is no such account.
        """
        account = self.settings.account(address)
        with self._vault() as vault:
            return waiting(vault.secrets(account.address), account.address.domain)

    def accept_certificate(self, address: Address, change: CertificateChange) -> None:
        """Trust the certificate that :meth:`certificate_waiting` gave.

        Raises:
            ConfigurationError: there is no such account.
            InvalidState: the server has shown yet another one since.
        """
        account = self.settings.account(address)
        with self._vault() as vault:
            if not accept(vault.secrets(account.address), change):
                raise InvalidState("the server has shown yet another certificate by now: look at that one first")

    def recordings(self) -> list[dict[str, Any]]:
        """The recordings, newest first; ``docs/cli.md`` says what is told of each."""
        if not self._home.vault.exists():
            return []
        with self._vault() as vault:
            return vault.recordings.list()

    def export_recording(self, recording: str, path: Path) -> None:
        """Write a recording as a WAV file in the clear: stereo, this side left, the peer right.

        Raises:
            AudioFileError: there is a file of that name, or it cannot be written.
            ConfigurationError: there is no such recording, or it is damaged.
        """
        with self._vault() as vault:
            vault.recordings.export(recording, path)

    def remove_recording(self, recording: str) -> None:
        """Forget a recording. Nothing happens if there is none of that name."""
        with self._vault() as vault:
            vault.recordings.remove(recording)

    def storage(self) -> StorageState | None:
        """How what is kept here is protected; ``None`` if nothing is kept yet. Needs no key."""
        return storage_state(self._home)

    def protect(self, protection: Protection, passphrase_file: Path | None = None) -> None:
        """Encrypt all that is kept with a new key, and let ``protection`` hold it; ``openvoice.toml`` says so then.

        A crash leaves the old key in force, or the new one. Other processes that run have to be started again.

        Args:
            protection: any but ``AUTO``.
            passphrase_file: the file whose first line is the passphrase, for ``PASSPHRASE`` and nothing else.

        Raises:
            KeyUnavailable: the old key or the new one cannot be had. Nothing was changed.
            ValueError: the arguments do not belong together.
        """
        if protection is Protection.AUTO:
            raise ValueError("say who is to hold the key")
        file = passphrase_file.absolute() if passphrase_file is not None else None
        after = StorageSettings(protection=protection, passphrase_file=file)
        protect(self._home, self.settings.storage, after)
        self.__dict__.pop("settings", None)

    @property
    def privacy(self) -> Privacy:
        """What is kept, here and by the servers, and how it goes away."""
        return Privacy(self._home)

    def diagnose(self, account: Address | None = None) -> AsyncIterator[Step]:
        """Try everything that a call needs, step by step."""
        return diagnose(self._home, account)

    async def interoperate(
        self,
        tested: Address,
        vectors: Sequence[Vector],
        person: Person,
        *,
        account: Address | None = None,
        patient: bool = False,
        pause: float = 0.0,
        began: Callable[[Vector], None] = lambda _: None,
    ) -> AsyncGenerator[Result, None]:
        """Play recorded exchanges of other clients towards ``tested`` and yield what came of each.

        Raises:
            ConfigurationError: there is no such account.
            ConnectionFailed: the login did not work.
            PeerUnavailable: no device of ``tested`` is to be seen.
        """
        from openvoice.client.interop import interoperate

        with self._vault() as vault:
            own = await unlock(self.settings.account(account), vault.passwords)
        interfaces = self.settings.interfaces
        async for result in interoperate(
            own, tested, vectors, person, interfaces=interfaces, patient=patient, pause=pause, began=began
        ):
            yield result

    @property
    def _video_format(self) -> PictureFormat:
        width, height = self.settings.picture_size
        return PictureFormat(width=width, height=height, rate=self.settings.picture_rate)

    def _vault(self) -> Vault:
        return open_vault(self._home, self.settings.storage)

    def _account_settings(
        self,
        address: Address,
        password_file: Path | None,
        password_command: str | None,
        server: tuple[str, int] | None,
        ca_file: Path | None,
    ) -> AccountSettings:
        if not address.is_bare or not address.local:
            raise ConfigurationError(f"{address} is not an account: write it as name@example.org")
        if ca_file is not None and not ca_file.is_file():
            raise ConfigurationError(f"there is no certificate file {ca_file}")
        return AccountSettings(
            address=address,
            server=server,
            ca_file=ca_file.absolute() if ca_file else None,
            password_file=password_file.absolute() if password_file else None,
            password_command=password_command,
        )

    async def _with_password(self, settings: AccountSettings, password: str | None) -> Account:
        account = await with_password(settings, lambda: password)
        if account is None:
            raise ConfigurationError("an account needs a password")
        return account

    def _keep(self, settings: AccountSettings, password: str | None) -> None:
        with self._vault() as vault:
            add_account(self._home, settings)
            if password is not None:
                vault.passwords.keep(settings.address, password)
            else:
                vault.passwords.forget(settings.address)
        self.__dict__.pop("settings", None)
