from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run
from .world import World


def test_nothing_is_kept_yet(run: Run, home: Path) -> None:
    assert run("storage").output == "nothing is kept yet\n"
    assert run("storage", "--json").output == ""
    assert not home.exists()


def test_how_it_is_protected_and_how_that_is_changed(alice: Run, home: Path, tmp_path: Path) -> None:
    shown = alice("storage")
    assert shown.output.startswith("plain: encrypted, but the key lies in a file beside it")
    assert str(home / "openvoice.vault") in shown.output
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    changed = alice("storage", "protect", "--passphrase-file", passphrase)
    assert (changed.code, changed.errors) == (0, "")
    assert "the key opens with a passphrase" in changed.output
    assert json.loads(alice("storage", "--json").output)["protection"] == "passphrase"
    assert not list(home.glob("*.key"))
    assert alice("history").code == 0
    passphrase.write_text("wrong horse\n")
    wrong = alice("history")
    assert (wrong.code, len(wrong.errors.splitlines())) == (2, 1)
    assert str(passphrase) in wrong.errors
    passphrase.write_text("correct horse\n")
    assert alice("storage", "protect", "--plain").code == 0
    assert alice("history").code == 0


def test_a_plain_vault_is_told_when_it_is_made_and_then_no_more(
    run: Run, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    added = run("account", "add", "alice@example.org", "--password-command", "echo secret")
    assert added.code == 0
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert "the key of all that openvoice keeps lies in a file beside it" in warning.getMessage()
    caplog.clear()
    assert run("history").output == "no calls yet\n"
    assert not caplog.records


def test_what_the_settings_demand_and_is_not_so(alice: Run, home: Path) -> None:
    file = home / "openvoice.toml"
    file.write_text(file.read_text() + "[storage]\nprotection = 'keyring'\n")
    refused = alice("history")
    assert (refused.code, len(refused.errors.splitlines())) == (2, 1)
    assert "openvoice storage protect --keyring" in refused.errors
    unavailable = alice("storage", "protect", "--keyring")
    assert (unavailable.code, "no system keyring" in unavailable.errors) == (2, True)
    assert alice("storage", "protect", "--plain").code == 0
    assert alice("history").code == 0


@pytest.mark.parametrize("options", [(), ("--keyring", "--plain"), ("--plain", "--passphrase-file", "x")])
def test_one_holder_is_to_be_named(alice: Run, options: tuple[str, ...]) -> None:
    refused = alice("storage", "protect", *options)
    assert (refused.code, "one of --keyring" in refused.errors) == (2, True)
