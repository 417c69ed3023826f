"""Where the libraries of codecs are that the PyAV wheel carries."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Iterator
from pathlib import Path

import av


def load(name: str) -> ctypes.CDLL | None:
    """The library of that name (``opus``, ``vpx``): PyAV's, or else the system's; ``None`` if there is neither."""
    for place in _places(name):
        try:
            return ctypes.CDLL(place)
        except OSError:
            continue
    return None


def _places(name: str) -> Iterator[str]:
    """Best first: beside PyAV on Linux and Windows, inside it on macOS, then the system."""
    package = Path(av.__file__).parent
    for folder, pattern in (
        (package.parent / "av.libs", f"lib{name}[-.]*"),
        (package.parent / "av.libs", f"{name}*.dll"),
        (package / ".dylibs", f"lib{name}.*"),
    ):
        yield from (str(path) for path in sorted(folder.glob(pattern)))
    if system := ctypes.util.find_library(name):
        yield system
