"""The microphone: sound at the pace of a device."""

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

LATE_FRAMES = 3
"""More recorded frames than these waiting are a delay and no reserve: all but the newest are thrown away."""


class Microphone:
    """An :class:`~openvoice.ports.AudioInput` on a device named by its index, by a part of its name, or ``None``.

    While the device is missing silence is delivered in its place, and the device is tried again every second.
    ``processor`` makes of what was captured what is delivered.
    """

    def __init__(self, device: str | int | None = None, processor: VoiceProcessor | None = None) -> None:
        self._device = device
        self._processor = processor
        self._lost = 0
        self._line: RecordingLine | None = None
        self._keeper: StreamKeeper | None = None
        self._stopped = False

    @property
    def lost(self) -> int:
        """Recorded samples, at the device's rate, that were thrown away because the event loop was late."""
        return self._lost + (self._line.lost if self._line else 0)

    def start(self, deliver: Callable[[Frame | None], None], trouble: Callable[[str], None]) -> None:
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        if self._processor is not None:
            self._processor.start(trouble)
        self._stand_in = StandIn(lambda: self._line.blocks if self._line else 0, self._deliver_silence)
        self._keeper = StreamKeeper(Kind.INPUT, self._device, self._open_line, trouble)

    def stop(self) -> None:
        self._stopped = True
        if self._keeper:
            self._keeper.stop()
            self._stand_in.stop()
        if self._line:
            self._line.close()

    def _open_line(self, rate: int) -> Line:
        self._lost = self.lost
        self._line = RecordingLine(rate, self._loop, self._deliver, self._processor)
        # Both threads look after they write, so a line that opens while stop() runs is closed by one of them.
        if self._stopped:
            self._line.close()
        return self._line

    def _deliver_silence(self) -> None:
        self._deliver(np.zeros(FRAME_SAMPLES, np.int16))


class RecordingLine(Line):
    """From the device to ``deliver``: mixed to mono on the device's thread, brought to 48 kHz on the event loop, and
    processed there as well.
    """

    def __init__(
        self,
        rate: int,
        loop: asyncio.AbstractEventLoop,
        deliver: Callable[[Frame], None],
        processor: VoiceProcessor | None = None,
    ) -> None:
        super().__init__(rate, loop)
        self.lost = 0
        self._rate = rate
        self._processor = processor
        self._told = (0, 0.0)
        self._deliver = deliver
        self._mix = np.zeros(self.block_samples, np.int32)
        self._resample = FrameResampler(self.frame_samples, FRAME_SAMPLES)

    def handle_block(self, block: Block, time: float) -> None:
        self.blocks += 1
        self._told = (self.ring.written, time)
        mono = np.sum(block, axis=1, dtype=np.int32, out=self._mix[: len(block)])
        mono //= block.shape[1]
        self.lost += len(mono) - self.ring.write(mono)
        if self.ring.available >= self.frame_samples:
            self.wake()

    def answer(self) -> None:
        if self.ring.available > LATE_FRAMES * self.frame_samples:
            self.lost += self.ring.skip(self.ring.available - self.frame_samples)
        while self.ring.available >= self.frame_samples:
            captured = self._captured_at()
            frame = np.empty(self.frame_samples, np.int16)
            self.ring.read(frame)
            frame = self._resample(frame)
            if self._processor is not None:
                frame = self._processor.captured(frame, captured)
            self._deliver(frame)

    def _captured_at(self) -> float:
        """The time of the oldest sample in the ring."""
        index, time = self._told
        return time + (self.ring.taken - index) / self._rate
