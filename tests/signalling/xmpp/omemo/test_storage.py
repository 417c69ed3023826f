"""Where the state of python-omemo is kept."""

from __future__ import annotations

import asyncio

import pytest

from openvoice.ports import OMEMO_SECRETS
from openvoice.signalling.xmpp.omemo.storage import SecretStorage, SessionStorage, at_once
from openvoice.testing.fakes import MemorySecrets


def test_what_waits_is_stopped() -> None:
    with pytest.raises(RuntimeError):
        at_once(asyncio.sleep(1))


def test_what_raises_is_heard() -> None:
    async def fails() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        at_once(fails())


def test_own_keys_are_secrets_of_omemo() -> None:
    secrets = MemorySecrets()
    storage = SecretStorage(secrets)
    at_once(storage.store("/a/key", {"ä": [1, None, True, "\x80"]}))
    assert secrets.names(OMEMO_SECRETS) == ["omemo/a/key"]
    assert at_once(SecretStorage(secrets).load("/a/key")).from_just() == {"ä": [1, None, True, "\x80"]}
    at_once(storage.delete("/a/key"))
    assert at_once(storage.load("/a/key")).is_nothing
    assert secrets.kept == {}


def test_a_session_is_its_fields() -> None:
    storage = SessionStorage({})
    at_once(storage.store("/namespace/somebody/7/confirmed", True))
    assert storage.fields == {"confirmed": True}
    assert at_once(storage.load("/namespace/somebody/7/confirmed")).from_just() is True
    at_once(storage.delete("/namespace/somebody/7/confirmed"))
    assert at_once(storage.load("/namespace/somebody/7/confirmed")).is_nothing
