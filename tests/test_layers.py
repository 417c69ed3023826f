"""Imports point down the layers only, and each foreign library stays behind its fence (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "openvoice"
PURE = {"core", "jingle", "ports", "errors", "report"}
FACES = {"cli", "testing"}
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "core": {"errors"},
    "ports": {"errors", "core"},
    "samples": set(),
    "jingle": {"errors", "core", "ports"},
    "report": {"errors", "core"},
    "interop": {"errors", "core", "ports", "jingle"},
    "config": {"errors", "core"},
    "devices": {"errors", "core", "ports"},
    "storage": {"errors", "core", "ports"},
    "media": {"errors", "core", "ports"},
    "signalling": {"errors", "core", "ports", "jingle"},
    "network": {"errors", "core", "ports"},
    "server": {"errors", "core", "ports"},
    "client": {
        "errors",
        "core",
        "ports",
        "jingle",
        "config",
        "devices",
        "interop",
        "network",
        "storage",
        "media",
        "signalling",
    },
    "": {"client", "config", "core", "errors", "ports"},
    "cli": {"", "errors", "interop", "ports", "server", "report", "samples"},
    "testing": {"", "errors", "core", "ports", "server"},
    "__main__": {"cli"},
}
FENCES = {
    "OpenSSL": {"media"},
    "aioice": {"media"},
    "aiortc": {"media"},
    "av": {"media"},
    "click": {"cli"},
    "doubleratchet": {"signalling"},
    "jeepney": {"media"},
    "keyring": {"storage"},
    "livekit": {"devices"},
    "oldmemo": {"signalling"},
    "omemo": {"signalling"},
    "platformdirs": {"config"},
    "pylibsrtp": {"media"},
    "pytest": {"testing"},
    "pytest_asyncio": {"testing"},
    "rich": {"cli"},
    "segno": {"cli"},
    "slixmpp": {"signalling"},
    "sounddevice": {"devices"},
    "sqlite3": {"storage"},
    "tomlkit": {"config"},
    "x3dh": {"signalling"},
    "xeddsa": {"signalling"},
    "zxingcpp": {"client"},
}
BANNED_IN_PURE = {"asyncio", "os", "random", "secrets", "socket", "threading", "time"}
"""A pure module that imported one of these could read a clock, throw dice or wait."""

FILES = sorted(SOURCE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


def layer(path: Path) -> str:
    first = path.relative_to(SOURCE).with_suffix("").parts[0]
    return "" if first == "__init__" else first


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    here = layer(path)
    for name in imports(path):
        top, *rest = name.split(".")
        if top == "openvoice":
            there = rest[0] if rest else ""
            assert there == here or there in ALLOWED[here], f"{here or 'openvoice'} must not import {name}"
        else:
            assert here in FENCES.get(top, {here}), f"only {FENCES.get(top)} may import {top}"
            assert not (here in PURE and top in BANNED_IN_PURE), f"{here} is pure, but imports {name}"


def test_the_walk_sees_the_whole_tree() -> None:
    assert {layer(path) for path in FILES} == ALLOWED.keys()
