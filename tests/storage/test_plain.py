from __future__ import annotations

import stat
from pathlib import Path

import pytest

from openvoice.errors import KeyUnavailable
from openvoice.storage.plain import PlainHolder

KEY = bytes(range(32))


def test_the_key_is_found_again_and_its_file_says_what_it_is(tmp_path: Path) -> None:
    details = PlainHolder(tmp_path).keep(KEY)
    assert PlainHolder(tmp_path).find(details) == KEY
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "protects against nobody who can read this folder" in file.read_text().splitlines()[0]
    PlainHolder(tmp_path).forget(details)
    PlainHolder(tmp_path).forget(details)
    assert list(tmp_path.iterdir()) == []


def test_two_keys_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    holder = PlainHolder(tmp_path)
    one, other = holder.keep(KEY), holder.keep(bytes(32))
    holder.forget(one)
    assert holder.find(other) == bytes(32)


def test_a_key_that_is_gone_damaged_or_elsewhere(tmp_path: Path) -> None:
    holder = PlainHolder(tmp_path / "home")
    with pytest.raises(KeyUnavailable, match="cannot be written"):
        holder.keep(KEY)
    (tmp_path / "home").mkdir()
    with pytest.raises(KeyUnavailable, match="cannot be read"):
        holder.find({"file": "openvoice-1.key"})
    for text in ("", "one line\n", "remark\nnothing hexadecimal\n"):
        (tmp_path / "home" / "openvoice-1.key").write_text(text)
        with pytest.raises(KeyUnavailable, match="is damaged"):
            holder.find({"file": "openvoice-1.key"})
    (tmp_path / "outside.key").write_text(f"remark\n{KEY.hex()}\n")
    for name in ("../outside.key", str(tmp_path / "outside.key"), ""):
        with pytest.raises(KeyUnavailable):
            holder.find({"file": name})
