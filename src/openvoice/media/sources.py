"""Sound to send that comes from no file: a tone, silence, another program."""

from __future__ import annotations

import contextlib
import math
import queue
import threading
import time
from typing import BinaryIO

import numpy as np

from openvoice.ports import FRAME_SAMPLES, SAMPLE_RATE, Frame

FRAME_OCTETS = 2 * FRAME_SAMPLES
_WAITING_FRAMES = 25
_RETRY_SECONDS = 0.01


class SilenceSource:
    """Silence, without end."""

    def read(self) -> Frame:
        return np.zeros(FRAME_SAMPLES, np.int16)

    def close(self) -> None:
        """Nothing is held."""


class ToneSource:
    """A sine of ``hertz`` and ``level`` dBFS, without end and without clicks between frames.

    Raises ``ValueError`` for what 48 kHz cannot hold, or a level above 0.
    """

    def __init__(self, hertz: float = 440.0, level: float = -20.0) -> None:
        if not 0 < hertz < SAMPLE_RATE / 2 or level > 0:
            raise ValueError("a tone lies between 0 and 24000 Hz, and its level at 0 dBFS or below")
        self._step = 2 * math.pi * hertz / SAMPLE_RATE
        self._phase = 0.0
        self._amplitude = 32767 * 10 ** (level / 20)

    def read(self) -> Frame:
        phases = self._phase + self._step * np.arange(FRAME_SAMPLES)
        self._phase = math.fmod(self._phase + self._step * FRAME_SAMPLES, 2 * math.pi)
        frame: Frame = np.rint(self._amplitude * np.sin(phases)).astype(np.int16)
        return frame

    def close(self) -> None:
        """Nothing is held."""


class StreamSource:
    """Raw sound (``s16le``, mono, 48 kHz) that another program writes, usually to our standard input.

    A thread waits for it, so the event loop never does; at most half a second is read ahead, then the other program
    waits. When it is late, silence is sent; when it ends, so does the source.
    """

    def __init__(self, stream: BinaryIO) -> None:
        # The buffered reader's lock, held by a thread that waits, would break the end of the interpreter.
        self._stream = getattr(stream, "raw", stream)
        self._frames: queue.Queue[Frame | None] = queue.Queue(_WAITING_FRAMES)
        self._closed = threading.Event()
        self._ended = False
        # A daemon: nothing can end a read of a terminal at which nobody types.
        threading.Thread(target=self._run, name="openvoice-stream-source", daemon=True).start()

    def read(self) -> Frame | None:
        if self._ended:
            return None
        try:
            frame = self._frames.get_nowait()
        except queue.Empty:
            return np.zeros(FRAME_SAMPLES, np.int16)
        self._ended = frame is None
        return frame

    def close(self) -> None:
        """Read no more. The stream is its owner's to close."""
        self._closed.set()
        self._ended = True

    def _run(self) -> None:
        pending = b""
        while not self._closed.is_set():
            try:
                data = self._stream.read(FRAME_OCTETS - len(pending))
            except (OSError, ValueError):
                # It broke, or its owner closed it: no more sound either way.
                data = b""
            if data is None:
                # The other side made the descriptor non-blocking, and nothing is there yet.
                time.sleep(_RETRY_SECONDS)
                continue
            pending += data
            if data and len(pending) < FRAME_OCTETS:
                continue
            if len(pending) > 1:
                samples = np.frombuffer(pending[: len(pending) // 2 * 2], "<i2").astype(np.int16)
                self._put(np.pad(samples, (0, FRAME_SAMPLES - len(samples))))
            pending = b""
            if not data:
                self._put(None)
                return

    def _put(self, frame: Frame | None) -> None:
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._frames.put(frame, timeout=0.1)
                return
