from __future__ import annotations

import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.server.lua import LuaValue, lua, settings


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, "true"),
        (False, "false"),
        (7, "7"),
        ("plain", '"plain"'),
        ('say "\\"', '"say \\034\\092\\034"'),
        ("two\nlines", '"two\\010lines"'),
        ("ü", '"\\195\\188"'),
        (["a", 1], '{ "a"; 1; }'),
        ([], "{  }"),
        ({"key": ["x"], False: 1}, '{ ["key"] = { "x"; }; [false] = 1; }'),
    ],
)
def test_values(value: LuaValue, expected: str) -> None:
    assert lua(value) == expected


def test_settings_are_assignments() -> None:
    assert settings({"umask": "077", "ports": [1]}) == 'umask = "077"\nports = { 1; }\n'


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_no_text_escapes_from_its_string(text: str) -> None:
    inside = lua(text)[1:-1]
    assert inside.isascii()
    assert inside.isprintable() or not inside
    assert '"' not in inside


@pytest.mark.live
def test_lua_reads_it_back() -> None:
    interpreter = shutil.which("lua5.4")
    if interpreter is None:
        pytest.skip("lua5.4 is not installed: it comes with Prosody on Debian 12")
    text = 'tab\t quote" back\\slash 9 ü \x007'
    printed = subprocess.run([interpreter, "-e", f"io.write({lua(text)})"], check=True, capture_output=True).stdout
    assert printed == text.encode()
