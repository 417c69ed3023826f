"""A tone on a loudspeaker."""

from __future__ import annotations

import asyncio

import numpy as np

from openvoice.core.tones import Tone
from openvoice.devices.choice import Choice
from openvoice.devices.keeper import StreamKeeper
from openvoice.devices.line import Block, Line
from openvoice.devices.listing import Kind
from openvoice.devices.resampler import FrameResampler
from openvoice.devices.tones import sound
from openvoice.ports import FRAME_SAMPLES, Frame


class PlayedTone:
    """A tone that sounds, on a device named by its index, by a part of its name, or ``None``, until it is stopped.

    A tone that cannot be played is not played: what it says is said by events as well.
    """

    def __init__(self, tone: Tone, device: str | int | None = None) -> None:
        self._tone = tone
        self._loop = asyncio.get_running_loop()
        self._line: ToneLine | None = None
        self._stopped = False
        self._keeper = StreamKeeper(Choice(Kind.OUTPUT, device), self._open_line, opened=_ignore, report=_ignore)

    def stop(self) -> None:
        """Be silent after the block that is played now, 10 ms, and let the device go. Twice is once."""
        self._stopped = True
        self._keeper.stop()
        if self._line is not None:
            self._line.close()

    def _open_line(self, rate: int) -> Line:
        before, line = self._line, ToneLine(rate, self._loop, sound(self._tone), repeats=self._tone.lasts)
        self._line = line
        if before is not None:
            before.close()
        # Both threads look after they write, so a line that opens while stop() runs is closed by one of them.
        if self._stopped:
            line.close()
        return line


class ToneLine(Line):
    """Samples on their way to a device. The event loop is not asked for any: it may be busy, and the tone goes on."""

    def __init__(self, rate: int, loop: asyncio.AbstractEventLoop, samples: Frame, *, repeats: bool) -> None:
        super().__init__(rate, loop, lambda _: True)
        resample = FrameResampler(FRAME_SAMPLES, self.frame_samples)
        self._samples = np.concatenate([resample(frame) for frame in samples.reshape(-1, FRAME_SAMPLES)])
        self._repeats = repeats
        self._position = 0
        self._mono = np.zeros(self.block_samples, np.int16)
        self._fall = np.linspace(1, 0, self.block_samples, dtype=np.float32)
        self._faded = False

    def handle_block(self, block: Block, time: float) -> None:
        self.blocks += 1
        mono = self._mono[: len(block)]
        self._fill(mono)
        if self._closed:
            unheard = self._faded or self.blocks == 1
            np.multiply(mono, 0 if unheard else self._fall[: len(block)], out=mono, casting="unsafe")
            self._faded = True
        block[:] = mono[:, np.newaxis]

    def answer(self) -> None:
        """Nothing is asked of the event loop."""

    @property
    def over(self) -> bool:
        return self._closed and (self._faded or not self.blocks)

    def _fill(self, mono: Block) -> None:
        # A tone is whole frames, and a frame whole blocks.
        if self._position == len(self._samples):
            if not self._repeats:
                mono[:] = 0
                return
            self._position = 0
        part = self._samples[self._position : self._position + len(mono)]
        mono[: len(part)] = part
        self._position += len(part)


def _ignore(_: object) -> None: ...
