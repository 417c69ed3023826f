"""The microphone: sound at the pace of a device."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import numpy as np

from openvoice.core.inputs import DeviceChanged
from openvoice.devices.endpoint import Endpoint
from openvoice.devices.line import Block, Line
from openvoice.devices.listing import Kind
from openvoice.devices.processing.voice import VoiceProcessor
from openvoice.devices.resampler import FrameResampler
from openvoice.ports import FRAME_SAMPLES, Frame

LATE_FRAMES = 3
"""More recorded frames than these waiting are a delay and no reserve: all but the newest are thrown away."""


class Microphone(Endpoint):
    """An :class:`~openvoice.ports.AudioInput` on a device named by its index, by a part of its name, or ``None``.

    While the device is missing that of the system settings is used, and without one silence is delivered.
    ``processor`` makes of what was captured what is delivered.
    """

    def __init__(
        self, device: str | int | None = None, processor: VoiceProcessor | None = None, *, insist: bool = False
    ) -> None:
        super().__init__(Kind.INPUT, device, insist=insist)
        self._processor = processor

    @property
    def rate(self) -> int:
        """Hz at which the device works; 0 before it was opened."""
        return self._line.rate if self._line else 0

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self._deliver = deliver
        if self._processor is not None:
            self._processor.start(report)
        self._begin(self._deliver_silence, report)

    def _make_line(self, rate: int) -> Line:
        if self._processor is not None:
            self._processor.renew()
        return RecordingLine(rate, self._loop, self._leads, self._deliver, self._processor)

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
        leads: Callable[[Line], bool],
        deliver: Callable[[Frame], None],
        processor: VoiceProcessor | None = None,
    ) -> None:
        super().__init__(rate, loop, leads)
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
        self.missed += len(mono) - self.ring.write(mono)
        if self.ring.available >= self.frame_samples:
            self.wake()

    def answer(self) -> None:
        if self.ring.available > LATE_FRAMES * self.frame_samples:
            self.missed += self.ring.skip(self.ring.available - self.frame_samples)
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
        return time + (self.ring.taken - index) / self.rate
