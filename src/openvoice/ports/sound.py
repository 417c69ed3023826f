"""Sound to send, and places for received sound to go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import numpy.typing as npt

from openvoice.core.inputs import DeviceChanged

SAMPLE_RATE = 48_000
"""Hz, of all sound inside openvoice."""
FRAME_SAMPLES = 960
"""Samples of one frame: 20 ms."""
FRAME_SECONDS = FRAME_SAMPLES / SAMPLE_RATE

Frame = npt.NDArray[np.int16]
"""20 ms of sound: shape ``(960,)``, ``int16``, mono, 48 kHz."""


class AudioSource(Protocol):
    """Sound to send, at the caller's pace. The simplest thing a script can write."""

    def read(self) -> Frame | None:
        """The next 20 ms, or ``None`` when the sound is over. Called 50 times a second while the call is active."""
        ...

    def close(self) -> None: ...


class AudioSink(Protocol):
    """Somewhere for received sound to go, at the caller's pace."""

    def write(self, frame: Frame) -> None:
        """Take 20 ms. Called 50 times a second while the call is active."""
        ...

    def close(self) -> None: ...


class AudioInput(Protocol):
    """Sound to send, at its own pace: a microphone has a clock of its own."""

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        """Begin to call ``deliver`` with each frame, on the event loop that runs now; ``None`` says that it is over.

        ``report`` is told of a device that is missing, vanished, was replaced or came back; it is no reason to stop.
        """
        ...

    def stop(self) -> None:
        """Let the device go. Nothing is delivered after this returns."""
        ...


class AudioOutput(Protocol):
    """Received sound, pulled at the pace of the device that plays it."""

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        """Begin to call ``request`` for each frame to play, on the event loop that runs now."""
        ...

    def stop(self) -> None:
        """Play what was taken already, then let the device go. Nothing is requested after this returns."""
        ...
