"""Received sound that goes to no file: to nobody, or to another program."""

from __future__ import annotations

import queue
import threading
import time
from typing import BinaryIO

from openvoice.errors import AudioFileError
from openvoice.ports import Frame

WAITING_FRAMES = 50
_CLOSING_SECONDS = 0.1
_RETRY_SECONDS = 0.01


class NullSink:
    """Nobody listens."""

    def write(self, frame: Frame) -> None:
        """Take 20 ms, and forget them."""

    def close(self) -> None:
        """Nothing is held."""


class StreamSink:
    """Raw sound (``s16le``, mono, 48 kHz) for another program, usually on our standard output.

    A thread writes it, so the event loop never waits for a slow reader: what is more than a second behind is thrown
    away, and counted in ``lost``.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.lost = 0
        """Frames that the reader was too slow for."""
        # The buffered writer's lock, held by a thread that waits, would break the end of the interpreter.
        self._stream = getattr(stream, "raw", stream)
        self._frames: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._fault: Exception | None = None
        self._closed = False
        # A daemon: nothing can end a write to a reader that stands still.
        self._thread = threading.Thread(target=self._run, name="openvoice-stream-sink", daemon=True)
        self._thread.start()

    def write(self, frame: Frame) -> None:
        """Take 20 ms.

        Raises:
            AudioFileError: once, when the reader has gone; all further frames are thrown away without a word.
        """
        if self._closed:
            return
        if self._fault is not None:
            self._closed = True
            raise AudioFileError("the program that took the received sound has gone") from self._fault
        if self._frames.qsize() < WAITING_FRAMES:
            self._frames.put(frame.astype("<i2").tobytes())
        else:
            self.lost += 1

    def close(self) -> None:
        """Let the reader take what waits, for a tenth of a second at most. The stream is its owner's to close."""
        self._closed = True
        self._frames.put(None)
        self._thread.join(_CLOSING_SECONDS)

    def _run(self) -> None:
        try:
            while (data := self._frames.get()) is not None:
                rest = memoryview(data)
                while rest:
                    written = self._stream.write(rest)
                    if written is None:
                        # The other side made the descriptor non-blocking, and is not ready.
                        time.sleep(_RETRY_SECONDS)
                    else:
                        rest = rest[written:]
        except (OSError, ValueError) as error:
            self._fault = error
