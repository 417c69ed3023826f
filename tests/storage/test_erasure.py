from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from openvoice.core.address import Address
from openvoice.core.privacy import Kind
from openvoice.core.protection import Protection
from openvoice.errors import ConfigurationError
from openvoice.storage import erasure
from openvoice.storage.erasure import census, erase
from openvoice.storage.trust import TrustBook
from openvoice.storage.vault import Vault

ALICE, WORK, BOB = (Address.parse(text) for text in ("alice@example.org", "alice@work.example", "bob@example.org"))


def fill(vault: Vault) -> None:
    for number in range(40):
        vault.history.add({"call": str(number), "time": float(number), "account": str(ALICE), "filler": "x" * 3000})
    vault.history.note_online(str(ALICE), 1.0)
    vault.passwords.keep(ALICE, "secret")
    for account in (ALICE, WORK):
        vault.secrets(account).write("omemo/device", b"1")
        vault.secrets(account).write("server-certificate", b"2")
        TrustBook(vault.secrets(account)).meet(BOB, 7, bytes(32), 0.0)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with Vault(tmp_path, protection=Protection.PLAIN) as vault:
        fill(vault)
        yield vault


def test_things_are_counted_by_their_kinds(vault: Vault) -> None:
    counted = census(vault)
    assert counted[Kind.CALLS] == 40
    assert [counted[kind] for kind in (Kind.PASSWORDS, Kind.KEYS, Kind.TRUST, Kind.SERVERS)] == [1, 2, 2, 2]


def test_what_is_erased_is_gone_from_every_file(vault: Vault, tmp_path: Path) -> None:
    (kept,) = vault._database.run("SELECT value FROM entry LIMIT 1")
    assert erasure._remains(kept, vault.compact())
    before = vault.take(lambda entry: entry.name == "0")
    assert before[0][:64] in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert erase(vault, {Kind.CALLS}) == 39
    assert census(vault)[Kind.CALLS] == 0
    assert vault.passwords.find(ALICE) == "secret"
    vault.close()
    assert before[0][:64] not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_of_one_account_only_its_own_things_are_erased(vault: Vault) -> None:
    assert erase(vault, {Kind.KEYS, Kind.TRUST}, ALICE) == 2
    assert vault.secrets(WORK).read("omemo/device") == b"1"
    assert vault.secrets(ALICE).read("omemo/device") is None


def test_something_that_is_left_is_told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    before = vault.compact()
    monkeypatch.setattr(vault, "compact", lambda: before)
    with pytest.raises(ConfigurationError, match="still there"):
        erase(vault, {Kind.CALLS})


def test_a_vault_that_somebody_reads_is_not_said_to_be_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openvoice.storage.database.WAIT", 0.1)
    with Vault(tmp_path, protection=Protection.PLAIN) as vault, Vault(tmp_path) as other:
        fill(vault)
        other._database.run("BEGIN")
        other._database.run("SELECT * FROM entry")
        with pytest.raises(ConfigurationError, match="another openvoice"):
            erase(vault, {Kind.CALLS})
        other._database.run("ROLLBACK")
        assert erase(vault, {Kind.CALLS}) == 0
