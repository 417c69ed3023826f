from __future__ import annotations

import pytest

from openvoice.errors import ConfigurationError
from openvoice.storage.vault import Vault

from .conftest import OpenVault


def record(call: str, time: float) -> dict[str, object]:
    return {"call": call, "time": time, "account": "alice@example.org", "outcome": "answered"}


def test_records_come_back_newest_first_and_survive(open_vault: OpenVault) -> None:
    vault = open_vault()
    for number in (3, 0, 4, 1, 2):
        vault.history.add(record(str(number), number))
    vault.close()
    history = open_vault().history
    assert [found["call"] for found in history.list(3)] == ["4", "3", "2"]
    assert len(history.list(-1)) == 5
    history.add({**record("4", 4.0), "outcome": "busy"})
    assert history.list(1)[0]["outcome"] == "busy"
    assert len(history.list(-1)) == 5


def test_what_cannot_be_written_or_read_is_told(vault: Vault) -> None:
    history = vault.history
    history.close()
    with pytest.raises(ConfigurationError, match=r"openvoice\.vault cannot be used"):
        history.add(record("1", 1.0))
    with pytest.raises(ConfigurationError, match=r"openvoice\.vault cannot be used"):
        history.list(1)


def test_until_when_an_account_was_online_is_remembered(open_vault: OpenVault) -> None:
    vault = open_vault()
    assert vault.history.last_online("alice@example.org") is None
    for time in (1.5, 2.5):
        vault.history.note_online("alice@example.org", time)
    vault.history.note_online("bob@example.org", 7)
    vault.close()
    history = open_vault().history
    assert history.last_online("alice@example.org") == 2.5
    assert history.last_online("bob@example.org") == 7.0
