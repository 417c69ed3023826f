"""The loudspeaker: sound pulled at the pace of a device."""

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

AHEAD_BLOCKS = 2
"""The ring is filled up when it holds less: the event loop then has at least 10 ms to do it in."""


class Loudspeaker(Endpoint):
    """An :class:`~openvoice.ports.AudioOutput` on a device named by its index, by a part of its name, or ``None``.

    While the device is missing that of the system settings is used; without one the sound is asked for at its usual
    pace and thrown away. ``processor`` is told what is played, for the microphone that hears it.
    """

    def __init__(
        self, device: str | int | None = None, processor: VoiceProcessor | None = None, *, insist: bool = False
    ) -> None:
        super().__init__(Kind.OUTPUT, device, insist=insist)
        self._processor = processor

    @property
    def rate(self) -> int:
        """Hz at which the device works; 0 before it was opened."""
        return self._line.rate if self._line else 0

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        self._request = request
        self._begin(self._discard, report)

    def _make_line(self, rate: int) -> Line:
        if self._processor is not None:
            self._processor.renew()
        return PlayingLine(rate, self._loop, self._leads, self._request, self._processor)

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
        leads: Callable[[Line], bool],
        request: Callable[[], Frame],
        processor: VoiceProcessor | None = None,
    ) -> None:
        super().__init__(rate, loop, leads)
        self._processor = processor
        self._request = request
        self._level = AHEAD_BLOCKS * self.block_samples
        self._mono = np.zeros(self.block_samples, np.int16)
        self._begun = self._sounded = False
        self._resample = FrameResampler(FRAME_SAMPLES, self.frame_samples)

    def handle_block(self, block: Block, time: float) -> None:
        self.blocks += 1
        mono = self._mono[: len(block)]
        count = self.ring.read(mono)
        mono[count:] = 0
        block[:] = mono[:, np.newaxis]
        self._begun = self._begun or count > 0
        if self._processor is not None and not self._closed:
            # A loudspeaker that is about to take over plays silence beside the one that is heard.
            self._sounded = self._sounded or bool(mono.any())
            if self._sounded:
                self._processor.played(mono, time)
        if self._begun and count < len(block) and not self._closed:
            self.missed += 1
        if self.ring.available < self._level:
            self.wake()

    def answer(self) -> None:
        while self.ring.available < self._level:
            self.ring.write(self._resample(self._request()))

    @property
    def over(self) -> bool:
        return self._closed and self.ring.available == 0
