from __future__ import annotations

from pathlib import Path

import pytest

from openvoice.errors import KeyUnavailable
from openvoice.storage import passphrase
from openvoice.storage.passphrase import PassphraseHolder

KEY = bytes(range(32))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(passphrase, "COST", 2**10)
    file = tmp_path / "passphrase"
    file.write_text("correct horse ü\nsecond line\n")
    return file


def test_the_key_opens_with_the_first_line_and_nothing_else(file: Path) -> None:
    details = PassphraseHolder(file).keep(KEY)
    assert PassphraseHolder(file).find(details) == KEY
    assert KEY.hex() not in str(details)
    file.write_bytes("correct horse ü\r\nanother line".encode())
    assert PassphraseHolder(file).find(details) == KEY
    PassphraseHolder(file).forget(details)
    file.write_text("wrong horse\n")
    with pytest.raises(KeyUnavailable, match=r"^the passphrase in .*/passphrase is not that of the vault$") as caught:
        PassphraseHolder(file).find(details)
    assert "horse" not in str(caught.value)


def test_each_time_it_is_wrapped_otherwise(file: Path) -> None:
    one, other = (PassphraseHolder(file).keep(KEY) for _ in range(2))
    assert one["salt"] != other["salt"]
    assert one["wrapped"] != other["wrapped"]


def test_guessing_is_dear() -> None:
    assert passphrase.COST == 2**17


def test_files_without_a_passphrase_are_named(file: Path) -> None:
    for text, words in (("", "is empty"), ("\nsecond", "is empty")):
        file.write_text(text)
        with pytest.raises(KeyUnavailable, match=words):
            PassphraseHolder(file).keep(KEY)
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        PassphraseHolder(file.parent / "nothing").keep(KEY)


@pytest.mark.parametrize(
    "change",
    [{"cost": "0"}, {"cost": "many"}, {"cost": str(2**40)}, {"cost": "1000"}, {"salt": "x"}, {"wrapped": "x"}],
)
def test_damage_is_told_before_it_costs_anything(file: Path, change: dict[str, str]) -> None:
    details = PassphraseHolder(file).keep(KEY)
    with pytest.raises(KeyUnavailable, match="is damaged"):
        PassphraseHolder(file).find({**details, **change})
    with pytest.raises(KeyUnavailable, match="is damaged"):
        PassphraseHolder(file).find({})
