"""The public surface is what ``__all__`` says: explicit, sorted, documented."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import openvoice

HEAVY = [
    "aiortc",
    "av",
    "keyring",
    "livekit",
    "oldmemo",
    "omemo",
    "pydantic",
    "slixmpp",
    "sounddevice",
    "sqlite3",
    "zxingcpp",
]


def test_all_is_sorted_and_exactly_what_is_there() -> None:
    public = {
        name
        for name, value in vars(openvoice).items()
        if not name.startswith("_") and not isinstance(value, ModuleType) and name != "annotations"
    }
    assert sorted(openvoice.__all__) == openvoice.__all__
    assert set(openvoice.__all__) == public


def test_everything_public_says_what_it_is() -> None:
    for name in openvoice.__all__:
        value = getattr(openvoice, name)
        if isinstance(value, type) or callable(value):
            assert value.__doc__, name


def test_importing_is_quick_because_the_heavy_libraries_wait() -> None:
    program = f"import sys, openvoice; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"
