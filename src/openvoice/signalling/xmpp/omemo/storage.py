"""Where python-omemo keeps its state: among the secrets of the account, or, for one session, in a plain ``dict``.

Its coroutines never wait for anything but the storage, and this storage answers at once. So they are run to their end
in one go: nothing else happens in between, and no transaction is open while anything waits.
"""

from __future__ import annotations

import json
from collections.abc import Coroutine
from typing import Any, TypeVar

from omemo.storage import Just, Maybe, Nothing, Storage
from omemo.types import JSONType

from openvoice.ports import OMEMO_SECRETS, SecretStore

Result = TypeVar("Result")


def at_once(work: Coroutine[Any, Any, Result]) -> Result:
    """What ``work`` gives, which must not wait. Raises ``RuntimeError`` if it does."""
    try:
        work.send(None)
    except StopIteration as end:
        result: Result = end.value
        return result
    work.close()
    raise RuntimeError("OMEMO state was about to wait")


def read_json(secrets: SecretStore, name: str) -> Any:
    """What was written under ``name``, ``None`` if nothing was."""
    kept = secrets.read(OMEMO_SECRETS + name)
    return None if kept is None else json.loads(kept)


def write_json(secrets: SecretStore, name: str, value: Any) -> None:
    secrets.write(OMEMO_SECRETS + name, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())


class SecretStorage(Storage):
    """The own keys. To be used inside of a transaction of the secrets, and made anew for each."""

    def __init__(self, secrets: SecretStore) -> None:
        super().__init__(disable_cache=True)
        self._secrets = secrets

    async def _load(self, key: str) -> Maybe[JSONType]:
        kept = self._secrets.read(_name(key))
        return Nothing() if kept is None else Just(json.loads(kept))

    async def _store(self, key: str, value: JSONType) -> None:
        write_json(self._secrets, key.strip("/"), value)

    async def _delete(self, key: str) -> None:
        self._secrets.remove(_name(key))


class SessionStorage(Storage):
    """One session, as the fields that python-omemo makes of it, by the last part of their names."""

    def __init__(self, fields: dict[str, JSONType]) -> None:
        super().__init__(disable_cache=True)
        self.fields = fields

    async def _load(self, key: str) -> Maybe[JSONType]:
        name = _last(key)
        return Just(self.fields[name]) if name in self.fields else Nothing()

    async def _store(self, key: str, value: JSONType) -> None:
        self.fields[_last(key)] = value

    async def _delete(self, key: str) -> None:
        self.fields.pop(_last(key), None)


def _name(key: str) -> str:
    return OMEMO_SECRETS + key.strip("/")


def _last(key: str) -> str:
    return key.rpartition("/")[2]
