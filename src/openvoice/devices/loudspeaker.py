"""The loudspeaker: sound pulled at the pace of a device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from openvoice.devices.keeper import StreamKeeper
from openvoice.devices.line import Block, Line
from openvoice.devices.listing import Kind
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.resampler import FrameResampler
from openvoice.devices.stand_in import StandIn
from openvoice.ports import FRAME_SAMPLES, Frame

AHEAD_BLOCKS = 2
"""The ring is filled up when it holds less: the event loop then has at least 10 ms to do it in."""


class Loudspeaker:
    """An :class:`~openvoice.ports.AudioOutput` on a device named by its index, by a part of its name, or ``None``.

    While the device is missing the sound is asked for at its usual pace and thrown away, and the device is tried again
    every second. ``processor`` is told what is played, for the microphone that hears it.
    """

    def __init__(self, device: str | int | None = None, processor: VoiceProcessor | None = None) -> None:
        self._device = device
        self._processor = processor
        self._underruns = 0
        self._line: PlayingLine | None = None
        self._keeper: StreamKeeper | None = None
        self._stopped = False

    @property
    def underruns(self) -> int:
        """How many blocks were filled up with silence because the event loop was late."""
        return self._underruns + (self._line.underruns if self._line else 0)

    def start(self, request: Callable[[], Frame], trouble: Callable[[str], None]) -> None:
        self._request = request
        self._loop = asyncio.get_running_loop()
        self._stand_in = StandIn(lambda: self._line.blocks if self._line else 0, self._discard)
        self._keeper = StreamKeeper(Kind.OUTPUT, self._device, self._open_line, trouble)

    def stop(self) -> None:
        self._stopped = True
        if self._keeper:
            self._keeper.stop()
            self._stand_in.stop()
        if self._line:
            self._line.close()

    def _open_line(self, rate: int) -> Line:
        self._underruns = self.underruns
        self._line = PlayingLine(rate, self._loop, self._request, self._processor)
        # Both threads look after they write, so a line that opens while stop() runs is closed by one of them.
        if self._stopped:
            self._line.close()
        return self._line

    def _discard(self) -> None:
        self._request()


class PlayingLine(Line):
    """From ``request`` to the device: brought to the device's rate on the event loop, copied on the device's thread.

    The ring is only ever filled up to a fixed level, so neither a late event loop nor a device whose clock runs
    differently makes the delay grow.
    """

    def __init__(
        self,
        rate: int,
        loop: asyncio.AbstractEventLoop,
        request: Callable[[], Frame],
        processor: VoiceProcessor | None = None,
    ) -> None:
        super().__init__(rate, loop)
        self.underruns = 0
        self._processor = processor
        self._request = request
        self._level = AHEAD_BLOCKS * self.block_samples
        self._mono = np.zeros(self.block_samples, np.int16)
        self._begun = False
        self._resample = FrameResampler(FRAME_SAMPLES, self.frame_samples)

    def handle_block(self, block: Block, time: float) -> None:
        self.blocks += 1
        mono = self._mono[: len(block)]
        count = self.ring.read(mono)
        mono[count:] = 0
        block[:] = mono[:, np.newaxis]
        if self._processor is not None and not self._closed:
            self._processor.played(mono, time)
        self._begun = self._begun or count > 0
        if self._begun and count < len(block) and not self._closed:
            self.underruns += 1
        if self.ring.available < self._level:
            self.wake()

    def answer(self) -> None:
        while self.ring.available < self._level:
            self.ring.write(self._resample(self._request()))

    def drained(self) -> bool:
        return self.ring.available == 0
