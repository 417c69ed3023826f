from __future__ import annotations

import stat
from pathlib import Path

import pytest

from openvoice.core.address import Address
from openvoice.errors import ConfigurationError
from openvoice.storage.passwords import PasswordKeeper

ALICE = Address.parse("alice/../x@example.org".replace("/../", "."))
ODD = Address("a..%b", "example.org")


@pytest.mark.parametrize("account", [ALICE, ODD])
def test_a_password_is_kept_privately_and_forgotten(tmp_path: Path, account: Address) -> None:
    keeper = PasswordKeeper(tmp_path / "passwords")
    assert keeper.find(account) is None
    keeper.keep(account, "geheim ü")
    keeper.keep(account, "anders ü")
    assert keeper.find(account) == "anders ü"
    (file,) = (tmp_path / "passwords").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    keeper.forget(account)
    keeper.forget(account)
    assert keeper.find(account) is None


def test_a_keeper_without_room_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be kept"):
        PasswordKeeper(tmp_path / "file").keep(ALICE, "x")
    (tmp_path / "alice.x@example.org").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        PasswordKeeper(tmp_path).find(ALICE)
