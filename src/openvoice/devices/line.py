"""What the two directions of sound have in common on their way between a device's thread and the event loop."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from openvoice.devices.ringbuffer import RingBuffer

BLOCKS_PER_SECOND = 100
"""A device takes or gives 10 ms at once."""
FRAMES_PER_SECOND = 50
RING_SECONDS = 0.2

Block = npt.NDArray[np.int16]
"""What PortAudio hands over: shape ``(samples, channels)``."""


class Line(ABC):
    """The ring between one stream and the event loop, and the bell that wakes the loop about it.

    All memory that the device's thread touches is made here, before the first block.
    """

    def __init__(self, rate: int, loop: asyncio.AbstractEventLoop, leads: Callable[[Line], bool]) -> None:
        """``leads`` says, on the event loop, whether sound goes through this line now."""
        self.rate = rate
        self.block_samples = rate // BLOCKS_PER_SECOND
        self.frame_samples = rate // FRAMES_PER_SECOND
        self.ring = RingBuffer(round(rate * RING_SECONDS))
        self.blocks = 0
        """How many blocks were handled: the stream's sign of life."""
        self.missed = 0
        """What the event loop was too late for: recorded samples, at the device's rate, that were thrown away, or
        blocks to play that were filled up with silence."""
        self._loop = loop
        self._leads = leads
        self._ringing = False
        self._closed = False

    @abstractmethod
    def handle_block(self, block: Block, time: float) -> None:
        """Take it, or fill it; its first sample was captured, or is heard, at ``time`` of ``time.monotonic()``.

        Runs on PortAudio's thread, so it does not wait, log or raise.
        """

    @abstractmethod
    def answer(self) -> None:
        """Do what the event loop was woken for."""

    @property
    def over(self) -> bool:
        """Whether nothing goes through it any more, and nothing is left in the ring that is still to be played."""
        return self._closed

    def close(self) -> None:
        """Wake the loop no more. Called on the event loop."""
        self._closed = True

    def wake(self) -> None:
        """Have :meth:`answer` called on the event loop, once however often this is called before that."""
        if not self._ringing and not self._closed:
            self._ringing = True
            # Whoever forgot to stop the device before closing the loop gets no sound, and no traceback either.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._answer)

    def _answer(self) -> None:
        self._ringing = False
        if not self._closed and self._leads(self):
            self.answer()
