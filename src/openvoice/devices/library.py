"""PortAudio, loaded when it is first wanted and used by one thread at a time, as it demands."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from openvoice.errors import DeviceFailed

_MISSING = (
    "sound devices need the PortAudio library: install it (Debian, Ubuntu: apt install libportaudio2; "
    "Fedora: dnf install portaudio), or use files instead"
)


class PortAudio:
    """The one PortAudio of the process, with how many streams are open in it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._streams = 0

    @contextmanager
    def use(self, *, renew: bool = False) -> Iterator[Any]:
        """The ``sounddevice`` module, for this thread alone while the block lasts.

        PortAudio looks for devices when it starts and never again. ``renew`` starts it anew, unless a stream is open:
        that one would die of it. As that is done again and again while a device is missing, it is done without a
        sound: what ALSA and PortAudio write to the standard error meanwhile is thrown away.

        Raises:
            DeviceFailed: the library is not installed, or does not start.
        """
        with self._lock, _hush() if renew else nullcontext():
            try:
                # Loads a shared library that may be missing, and takes a while if it is there.
                import sounddevice
            except (ImportError, OSError) as error:
                raise DeviceFailed(_MISSING) from error
            try:
                if renew and not self._streams:
                    # The documented way, its underscores notwithstanding.
                    sounddevice._terminate()
                    sounddevice._initialize()
                yield sounddevice
            except sounddevice.PortAudioError as error:
                raise DeviceFailed(f"the sound system refuses: {_reason(error)}") from error

    def opened(self) -> None:
        """One stream more."""
        with self._lock:
            self._streams += 1

    def closed(self) -> None:
        """One stream less."""
        with self._lock:
            self._streams -= 1


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


def _reason(error: Exception) -> str:
    """What PortAudio says, in one line."""
    return " ".join(str(error.args[0] if error.args else error).split())


PORTAUDIO = PortAudio()
