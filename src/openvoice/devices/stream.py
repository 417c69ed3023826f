"""One open stream of one device."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from openvoice.devices.library import PORTAUDIO
from openvoice.devices.line import BLOCKS_PER_SECOND, FRAMES_PER_SECOND, Block, Line
from openvoice.devices.listing import Device, Kind
from openvoice.devices.moment import BlockTimes
from openvoice.errors import DeviceFailed
from openvoice.ports import SAMPLE_RATE

LIFELESS_SECONDS = 3.0
"""Without a block for so long a stream is given up; some sound systems take two to begin."""


class DeviceStream:
    """Runs from its construction to :meth:`close`; ``open_line`` makes its line for a rate in Hz.

    Made inside of ``PORTAUDIO.use()``, with a device listed there.

    Raises:
        sounddevice.PortAudioError: the device takes no format that openvoice can give.
    """

    def __init__(self, sounddevice: Any, device: Device, open_line: Callable[[int], Line]) -> None:
        self.device = device
        self._library = sounddevice
        self._patience = LIFELESS_SECONDS
        *alternatives, last = _formats(device)
        for rate, channels in alternatives:
            with contextlib.suppress(sounddevice.PortAudioError):
                self._start(rate, channels, open_line)
                return
        self._start(*last, open_line)

    def _start(self, rate: int, channels: int, open_line: Callable[[int], Line]) -> None:
        self.line = line = open_line(rate)
        self._blocks = 0
        is_input = self.device.kind is Kind.INPUT
        times = BlockTimes()
        moment = times.captured if is_input else times.heard

        def handle_block(block: Block, _samples: int, told: object, _status: object) -> None:
            line.handle_block(block, moment(told))

        make = self._library.InputStream if is_input else self._library.OutputStream
        self._stream = make(
            device=self.device.index,
            samplerate=rate,
            channels=channels,
            blocksize=rate // BLOCKS_PER_SECOND,
            dtype="int16",
            latency="low",
            callback=handle_block,
        )
        times.latency = self._stream.latency
        try:
            self._stream.start()
        except BaseException:
            self._stream.close()
            raise
        PORTAUDIO.opened(self._library)

    def lives(self, elapsed: float) -> bool:
        """Whether it still gives or takes sound, asked ``elapsed`` seconds after the last time."""
        seen, self._blocks = self._blocks, self.line.blocks
        self._patience = LIFELESS_SECONDS if self._blocks != seen else self._patience - elapsed
        return self._active and self._patience > 0

    def close(self, *, play_out: bool) -> None:
        """Let the device go, after what it was given is played if ``play_out``."""
        with contextlib.suppress(DeviceFailed), PORTAUDIO.use():
            # stop() plays what PortAudio still holds; for a lost device it could wait for ever.
            if play_out and self._active:
                self._stream.stop()
            else:
                self._stream.abort()
        with contextlib.suppress(DeviceFailed), PORTAUDIO.use():
            self._stream.close()
        PORTAUDIO.closed(self._library)

    @property
    def _active(self) -> bool:
        try:
            return bool(self._stream.active)
        except self._library.PortAudioError:
            return False


def _formats(device: Device) -> list[tuple[int, int]]:
    """(rate, channels) to try, the best first: what openvoice wants, then what the device does by itself."""
    rates = dict.fromkeys(rate for rate in (SAMPLE_RATE, device.rate) if rate % FRAMES_PER_SECOND == 0)
    channels = dict.fromkeys((1, min(2, device.channels)))
    return [(rate, count) for rate in rates for count in channels]
