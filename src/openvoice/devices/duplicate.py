"""A second, independent PortAudio in the same process."""

from __future__ import annotations

import importlib.util
import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

_log = logging.getLogger(__name__)


def duplicate(sounddevice: Any) -> Any | None:
    """The module ``sounddevice`` again, on a PortAudio of its own that has just looked for devices.

    ``None`` where that cannot be had: the file of the library is not found, or the system gives the same library again.
    """
    try:
        path = _library_path(str(sounddevice._libname))
        spec = importlib.util.spec_from_file_location("sounddevice", sounddevice.__file__)
        if path is None or spec is None or spec.loader is None:
            return None
        fresh: Any = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fresh)
        # It began with the PortAudio that is there already.
        fresh._terminate()
        fresh._lib = _load(fresh._ffi, path)
        fresh._initialize()
    except Exception as error:
        _log.warning("PortAudio cannot be loaded a second time: %s", type(error).__name__)
        return None
    if fresh._lib.Pa_Initialize == sounddevice._lib.Pa_Initialize:
        fresh._terminate()
        return None
    return fresh


def _load(ffi: Any, path: Path) -> Any:
    """The library of a copy of the file: the file itself would give what is loaded already."""
    with tempfile.TemporaryDirectory(prefix="openvoice-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / f"{os.getpid()}-{path.name}"
        shutil.copyfile(path, copy)
        return ffi.dlopen(str(copy))


def _library_path(name: str) -> Path | None:
    """Where the library is that was loaded by this name."""
    if os.path.isabs(name):
        return Path(name)
    if sys.platform == "linux":
        for line in Path("/proc/self/maps").read_text().splitlines():
            path = line.partition("/")[2]
            if path and Path(path).name.startswith(name):
                return Path(f"/{path}")
    return None
