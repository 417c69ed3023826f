"""Reads ``openvoice.toml``. Every mistake in it is reported with the file, the key and the value."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from openvoice.config import values
from openvoice.config.home import Home
from openvoice.config.settings import AccountSettings, Require, Settings, StorageSettings
from openvoice.core.address import Address
from openvoice.core.bandwidth import DEFAULT_BANDWIDTH
from openvoice.core.policy import Alarm, Audience, Policy, Rules
from openvoice.core.processing import Processing
from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError, InvalidAddress

_Value = TypeVar("_Value")


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


RULES: dict[str, Callable[[Any], Any]] = {
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
        self._only(document, "", {"account", "contact", "policy", "sound", "video", "network", "storage"})
        sound, network = self._table(document, "sound"), self._table(document, "network")
        self._only(sound, "sound.", {"input", "output", "ring", "tones", "echo", "noise", "level"})
        video = self._table(document, "video")
        self._only(video, "video.", {"camera", "size", "rate"})
        self._only(network, "network.", {"interfaces", "bandwidth"})
        accounts = self._table(document, "account")
        return Settings(
            accounts=tuple(self._account(name, accounts) for name in accounts),
            policy=self._policy(self._table(document, "policy"), self._contacts(self._table(document, "contact"))),
            input=self._read(sound, "sound.input", values.string, "default"),
            output=self._read(sound, "sound.output", values.string, "default"),
            ring=self._read(sound, "sound.ring", values.string, "default"),
            tones=self._read(sound, "sound.tones", values.boolean, True),
            processing=Processing(
                echo=self._read(sound, "sound.echo", values.boolean, True),
                noise=self._read(sound, "sound.noise", values.boolean, True),
                level=self._read(sound, "sound.level", values.boolean, True),
            ),
            camera=self._read(video, "video.camera", values.string, "default"),
            picture_size=self._read(video, "video.size", values.picture_size, (640, 480)),
            picture_rate=self._read(video, "video.rate", values.picture_rate, 30.0),
            interfaces=self._read(network, "network.interfaces", values.ip_addresses, ()),
            bandwidth=self._read(network, "network.bandwidth", values.bandwidth, DEFAULT_BANDWIDTH),
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
        self._only(table, f"{place}.", {"server", "ca", "password_file", "password_command", "alarm", *RULES})
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
            self._only(table, f"{place}.", set(RULES))
            found[address] = self._rules(table, place)
        return found

    def _rules(self, table: Mapping[str, Any], place: str) -> Rules:
        said = {key: self._value(f"{place}.{key}", table[key], read) for key, read in RULES.items() if key in table}
        return Rules(**said)

    def _policy(self, table: Mapping[str, Any], contacts: Mapping[Address, Rules]) -> Policy:
        readers: dict[str, Callable[[Any], Any]] = {
            "ring": lambda value: values.one_of(Audience, value),
            "answer": lambda value: values.one_of(Audience, value),
            "callers": values.addresses,
            "blocked": values.addresses,
            **RULES,
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
