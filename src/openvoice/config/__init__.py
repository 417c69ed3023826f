"""The settings of one profile: where its files are, ``openvoice.toml``, and what it says, as frozen values.

Every mistake in the file is reported with the file, the key and the value.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

import platformdirs
import tomlkit

from openvoice.config import values
from openvoice.config.values import parse_server as parse_server
from openvoice.core.address import Address
from openvoice.core.policy import Alarm, Audience, Policy, Rules
from openvoice.core.protection import Protection
from openvoice.core.types import Vouching
from openvoice.errors import ConfigurationError, InvalidAddress

FILE_NAME = "openvoice.toml"
HOME_VARIABLE = "OPENVOICE_HOME"

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Home:
    """The folders of one profile. One folder for all if it was named, the folders of the platform (XDG) otherwise."""

    config: Path
    data: Path
    state: Path
    """Outside of the profile in any case: by it a profile that was restored from a copy is noticed."""

    @classmethod
    def locate(cls, named: Path | str | None = None) -> Home:
        """The profile in ``named``, in ``$OPENVOICE_HOME``, or the user's own."""
        state = platformdirs.user_state_path("openvoice")
        named = named or os.environ.get(HOME_VARIABLE)
        if named:
            folder = Path(named).expanduser().absolute()
            return cls(folder, folder, state)
        return cls(platformdirs.user_config_path("openvoice"), platformdirs.user_data_path("openvoice"), state)

    @property
    def file(self) -> Path:
        return self.config / FILE_NAME

    @property
    def vault(self) -> Path:
        return self.data / "openvoice.vault"

    def create(self) -> None:
        """Make the folders, readable by nobody else.

        Raises:
            ConfigurationError: they cannot be made.
        """
        for folder in {self.config, self.data}:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            except OSError as error:
                raise ConfigurationError(f"cannot make the folder {folder}: {error.strerror}") from error


class Require(StrEnum):
    """``require`` in the file and on the command line."""

    NONE = "none"
    OMEMO = "omemo"
    VERIFIED = "verified"

    @property
    def vouching(self) -> Vouching:
        return {"none": Vouching.SIGNALLED, "omemo": Vouching.OMEMO_TRUSTED, "verified": Vouching.OMEMO_VERIFIED}[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountSettings:
    """One account. Exactly one of the ways to the password is used, in the order given here; none means the keeper.

    ``rules`` and ``alarm`` are what it says of its calls, in place of ``[policy]``.
    """

    address: Address
    server: tuple[str, int] | None = None
    ca_file: Path | None = None
    password_file: Path | None = None
    password_command: str | None = None
    rules: Rules = field(default_factory=Rules)
    alarm: Alarm | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StorageSettings:
    """Who holds the key of what is kept. ``passphrase_file`` belongs to ``Protection.PASSPHRASE``, and to no other."""

    protection: Protection = Protection.AUTO
    passphrase_file: Path | None = None

    def __post_init__(self) -> None:
        if (self.protection is Protection.PASSPHRASE) != (self.passphrase_file is not None):
            raise ValueError('protection = "passphrase" and passphrase_file belong together')


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """All of ``openvoice.toml``. What it says of single contacts stands in the policy."""

    accounts: tuple[AccountSettings, ...] = ()
    policy: Policy = field(default_factory=Policy)
    input: str = "default"
    output: str = "default"
    interfaces: tuple[str, ...] = ()
    storage: StorageSettings = field(default_factory=StorageSettings)

    def account(self, address: Address | None) -> AccountSettings:
        """The account named, or the only one.

        Raises:
            ConfigurationError: there is none, or several and none was named.
        """
        if address is not None:
            for account in self.accounts:
                if account.address == address.bare:
                    return account
            raise ConfigurationError(f"there is no account {address.bare}: add it with 'openvoice account add'")
        if not self.accounts:
            raise ConfigurationError("there is no account yet: add one with 'openvoice account add you@example.org'")
        if len(self.accounts) > 1:
            names = ", ".join(str(account.address) for account in self.accounts)
            raise ConfigurationError(f"there are several accounts ({names}): choose one with --account")
        return self.accounts[0]

    def policy_of(self, account: AccountSettings) -> Policy:
        """The policy as it is for the calls of one account."""
        return replace(self.policy, account=account.rules, alarm=account.alarm or self.policy.alarm)


def load(home: Home) -> Settings:
    """Read the profile's settings; defaults where there is no file.

    Raises:
        ConfigurationError: naming file, key and value.
    """
    try:
        text = home.file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise ConfigurationError(f"{home.file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{home.file} cannot be read: it is not text in UTF-8") from error
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{home.file} is not valid TOML: {error}") from error
    return _Reader(home.file).settings(document)


def add_account(home: Home, account: AccountSettings) -> None:
    """Write an account into the file, replacing one of the same address; all else in it stays: remarks, and the rules
    that were written for this account.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """
    table = tomlkit.table()
    if account.server is not None:
        table["server"] = f"{account.server[0]}:{account.server[1]}"
    for key, value in (
        ("ca", account.ca_file),
        ("password_file", account.password_file),
        ("password_command", account.password_command),
    ):
        if value is not None:
            table[key] = str(value)

    def change(accounts: Any) -> None:
        before = accounts.get(str(account.address), {})
        table.update({key: before[key] for key in (*_RULES, "alarm") if key in before})
        accounts[str(account.address)] = table

    _edit(home, "account", change)


def remove_account(home: Home, address: Address) -> None:
    """Take an account out of the file. Raises :class:`ConfigurationError` if it is not there."""
    load(home).account(address)
    _edit(home, "account", lambda accounts: accounts.__delitem__(str(address.bare)))


def choose_protection(home: Home, storage: StorageSettings) -> None:
    """Write into the file who holds the key from now on; all else in it stays.

    Raises:
        ConfigurationError: the file cannot be read or written.
    """

    def change(table: Any) -> None:
        table["protection"] = storage.protection.value
        table.pop("passphrase_file", None)
        if storage.passphrase_file is not None:
            table["passphrase_file"] = str(storage.passphrase_file)

    _edit(home, "storage", change)


def _edit(home: Home, name: str, change: Callable[[Any], None]) -> None:
    load(home)
    home.create()
    document = tomlkit.parse(home.file.read_text(encoding="utf-8")) if home.file.exists() else tomlkit.document()
    if name not in document:
        document[name] = tomlkit.table(is_super_table=name == "account")
    change(document[name])
    replace_file(home.file, tomlkit.dumps(document).encode())


def replace_file(path: Path, data: bytes) -> None:
    """Write a private file (0600) so that a crash leaves the old one or the new one, never half of one.

    Raises:
        ConfigurationError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.unlink(missing_ok=True)
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ConfigurationError(f"cannot write {path}: {error.strerror}") from error


_RULES: dict[str, Callable[[Any], Any]] = {
    "require": lambda value: values.one_of(Require, value).vouching,
    "relay_only": values.boolean,
}
"""What may be said in ``[policy]``, for an account and for a contact."""


def _alarm(value: Any) -> Alarm:
    return values.one_of(Alarm, value)


class _Reader:
    """Turns the parsed file into settings, and knows which key it is at when something is wrong."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def settings(self, document: Mapping[str, Any]) -> Settings:
        self._only(document, "", {"account", "contact", "policy", "sound", "network", "storage"})
        sound, network = self._table(document, "sound"), self._table(document, "network")
        self._only(sound, "sound.", {"input", "output"})
        self._only(network, "network.", {"interfaces"})
        accounts = self._table(document, "account")
        return Settings(
            accounts=tuple(self._account(name, accounts) for name in accounts),
            policy=self._policy(self._table(document, "policy"), self._contacts(self._table(document, "contact"))),
            input=self._read(sound, "sound.input", values.string, "default"),
            output=self._read(sound, "sound.output", values.string, "default"),
            interfaces=self._read(network, "network.interfaces", values.ip_addresses, ()),
            storage=self._storage(self._table(document, "storage")),
        )

    def _storage(self, table: Mapping[str, Any]) -> StorageSettings:
        self._only(table, "storage.", {"protection", "passphrase_file"})
        file = self._read(table, "storage.passphrase_file", values.path, None)
        # Who names a file wants no less than that.
        default = Protection.PASSPHRASE if file is not None else Protection.AUTO
        protection = self._read(table, "storage.protection", lambda value: values.one_of(Protection, value), default)
        try:
            return StorageSettings(protection=protection, passphrase_file=file)
        except ValueError as error:
            raise ConfigurationError(f"{self._file}: [storage]: {error}") from error

    def _account(self, name: str, accounts: Mapping[str, Any]) -> AccountSettings:
        place = f'account."{name}"'
        address = self._value(place, name, values.bare_address)
        table = self._table(accounts, name, place)
        self._only(table, f"{place}.", {"server", "ca", "password_file", "password_command", "alarm", *_RULES})
        return AccountSettings(
            address=address,
            server=self._read(table, f"{place}.server", values.server, None),
            ca_file=self._read(table, f"{place}.ca", values.path, None),
            password_file=self._read(table, f"{place}.password_file", values.path, None),
            password_command=self._read(table, f"{place}.password_command", values.string, None),
            rules=self._rules(table, place),
            alarm=self._read(table, f"{place}.alarm", _alarm, None),
        )

    def _contacts(self, contacts: Mapping[str, Any]) -> Mapping[Address, Rules]:
        found: dict[Address, Rules] = {}
        for name in contacts:
            place = f'contact."{name}"'
            address = self._value(place, name, values.person)
            if address in found:
                raise ConfigurationError(f"{self._file}: {place} = {name!r}: {address} is there twice")
            table = self._table(contacts, name, place)
            self._only(table, f"{place}.", set(_RULES))
            found[address] = self._rules(table, place)
        return found

    def _rules(self, table: Mapping[str, Any], place: str) -> Rules:
        said = {key: self._value(f"{place}.{key}", table[key], read) for key, read in _RULES.items() if key in table}
        return Rules(**said)

    def _policy(self, table: Mapping[str, Any], contacts: Mapping[Address, Rules]) -> Policy:
        readers: dict[str, Callable[[Any], Any]] = {
            "ring": lambda value: values.one_of(Audience, value),
            "answer": lambda value: values.one_of(Audience, value),
            "callers": values.addresses,
            "blocked": values.addresses,
            **_RULES,
            "relay_strangers": values.boolean,
            "alarm": _alarm,
            "maximum_calls": values.whole_number,
            "ring_timeout": values.number,
            "answer_timeout": values.number,
            "proposal_age": values.number,
        }
        self._only(table, "policy.", set(readers))
        try:
            said = {key: self._value(f"policy.{key}", value, readers[key]) for key, value in table.items()}
            return Policy(**said, contacts=contacts)
        except ValueError as error:
            raise ConfigurationError(f"{self._file}: [policy]: {error}") from error

    def _only(self, table: Mapping[str, Any], place: str, known: set[str]) -> None:
        for key in table:
            if key not in known:
                raise ConfigurationError(
                    f"{self._file}: there is no setting {place}{key}; known are {', '.join(sorted(known))}"
                )

    def _table(self, parent: Mapping[str, Any], key: str, place: str | None = None) -> Mapping[str, Any]:
        table = parent.get(key, {})
        if not isinstance(table, Mapping):
            raise ConfigurationError(f"{self._file}: {place or key} = {table!r} must be a table: [{place or key}]")
        return table

    def _read(self, table: Mapping[str, Any], place: str, read: Callable[[Any], _Value], default: _Value) -> _Value:
        key = place.rpartition(".")[2]
        return self._value(place, table[key], read) if key in table else default

    def _value(self, place: str, value: Any, read: Callable[[Any], _Value]) -> _Value:
        try:
            return read(value)
        except (ValueError, TypeError, InvalidAddress) as error:
            raise ConfigurationError(f"{self._file}: {place} = {value!r}: {error}") from error
