"""PortAudio, loaded when it is first wanted and used by one thread at a time, as it demands."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from openvoice.devices.duplicate import duplicate
from openvoice.errors import DeviceFailed

_MISSING = (
    "sound devices need the PortAudio library: install it (Debian, Ubuntu: apt install libportaudio2; "
    "Fedora: dnf install portaudio), or use files instead"
)


class PortAudio:
    """All copies of PortAudio in the process, with how many streams are open in each.

    PortAudio looks for devices when it starts and never again, and cannot be started anew under an open stream. So
    whoever looks for what was plugged in while streams are open does it in a copy of the library, and opens the
    next streams there. A copy without streams is used again: there is never more than one more than streams are open.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._copies: list[Any] = []
        """``sounddevice`` modules; the last one has the newest list of devices."""
        self._streams: dict[int, int] = {}
        self._looked = 0.0
        self._alone = False
        """Whether the library cannot be loaded twice."""

    @contextmanager
    def use(self, *, renew: bool = False) -> Iterator[Any]:
        """The ``sounddevice`` module, for this thread alone while the block lasts.

        ``renew`` looks for devices anew, without harm to open streams. As that is done again and again while a device
        is missing, it is done without a sound: what ALSA and PortAudio write to the standard error meanwhile is thrown
        away. Indices of devices are those of the module that is given, and of no other.

        Raises:
            DeviceFailed: the library is not installed, or does not start.
        """
        with self._lock, _hush() if renew else nullcontext():
            try:
                # Loads a shared library that may be missing, and takes a while if it is there.
                import sounddevice
            except (ImportError, OSError) as error:
                raise DeviceFailed(_MISSING) from error
            if not self._copies:
                self._copies.append(sounddevice)
                self._looked = time.monotonic()
            try:
                if renew:
                    self._renew()
                    self._looked = time.monotonic()
                yield self._copies[-1]
            except tuple(copy.PortAudioError for copy in self._copies) as error:
                raise DeviceFailed(f"the sound system refuses: {reason(error)}") from error

    def opened(self, copy: Any) -> None:
        """One stream more in this copy."""
        with self._lock:
            self._streams[id(copy)] = self._streams.get(id(copy), 0) + 1

    def closed(self, copy: Any) -> None:
        """One stream less."""
        with self._lock:
            self._streams[id(copy)] -= 1

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(self._streams.values())

    @property
    def age(self) -> float:
        """Seconds since it looked for devices; 0 if it still has to."""
        return time.monotonic() - self._looked if self._copies else 0.0

    def _renew(self) -> None:
        idle = next((copy for copy in reversed(self._copies) if not self._streams.get(id(copy))), None)
        if idle is not None:
            self._copies.remove(idle)
            self._copies.append(idle)
            # The documented way, its underscores notwithstanding.
            idle._terminate()
            idle._initialize()
            return
        fresh = None if self._alone else duplicate(self._copies[0])
        # Then what is plugged in is found when the last stream was closed.
        self._alone = fresh is None
        if fresh is not None:
            self._copies.append(fresh)


@contextmanager
def _hush() -> Iterator[None]:
    """Throw away what native code writes to the standard error."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def reason(error: Exception) -> str:
    """What PortAudio says, in one line."""
    return " ".join(str(error.args[0] if error.args else error).split())


PORTAUDIO = PortAudio()
