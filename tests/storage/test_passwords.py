from __future__ import annotations

import os
import stat
import subprocess
import sys
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


def test_a_password_does_not_depend_on_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = PasswordKeeper(tmp_path)
    account = Address.parse("alice@example.org")
    keeper.keep(account, "gr\u00fcn \u2713")
    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == "gr\u00fcn \u2713".encode()
    script = "import sys; from openvoice import Address; from openvoice.storage.passwords import PasswordKeeper as K; "
    script += "print(ascii(K(__import__('pathlib').Path(sys.argv[1])).find(Address.parse('alice@example.org'))))"
    environment = {**os.environ, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    told = subprocess.run([sys.executable, "-c", script, tmp_path], env=environment, capture_output=True, check=True)
    assert told.stdout.decode().strip() == ascii("gr\u00fcn \u2713")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    keeper = PasswordKeeper(tmp_path)
    account = Address.parse("alice@example.org")
    keeper.keep(account, "x")
    (file,) = tmp_path.iterdir()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="not a text"):
        keeper.find(account)
