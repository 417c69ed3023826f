"""Keeps a stream to a sound device open, whatever happens to the device."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from typing import Any

from openvoice.devices.library import PORTAUDIO
from openvoice.devices.line import BLOCKS_PER_SECOND, FRAMES_PER_SECOND, Block, Line
from openvoice.devices.listing import Device, Kind, devices, find
from openvoice.devices.moment import BlockTimes
from openvoice.errors import DeviceFailed
from openvoice.ports import SAMPLE_RATE

RETRY_SECONDS = 1.0
LIFELESS_SECONDS = 3.0
"""Without a block for so long a stream is given up; some sound systems take two to begin."""
LOOK_SECONDS = 0.1


class StreamKeeper:
    """Opens the stream of a device, opens it again when it is lost, and closes it when told to.

    All of that happens on a thread of its own: a sound system may take longer to answer than the event loop can wait.
    ``trouble`` is called on the event loop, once for each thing that changed.
    """

    def __init__(
        self,
        kind: Kind,
        wanted: str | int | None,
        open_line: Callable[[int], Line],
        trouble: Callable[[str], None],
    ) -> None:
        self._kind = kind
        self._wanted = wanted
        self._open_line = open_line
        self._trouble = trouble
        self._told = ""
        self._loop = asyncio.get_running_loop()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"openvoice-{kind.noun}")
        self._thread.start()

    def stop(self) -> None:
        """Let the device go, as soon as what it was given is played; this does not wait for that."""
        self._stop.set()

    def _run(self) -> None:
        renew = False
        while not self._unwanted():
            try:
                stream, line = self._open(renew)
            except DeviceFailed as error:
                self._tell(f"The {self._kind.noun} does not work: {error}")
            else:
                if self._told:
                    self._tell(f"The {self._kind.noun} works again.")
                self._watch(stream, line)
                self._close(stream)
                self._tell(f"The {self._kind.noun} is gone; the call goes on without it until it is back.")
            renew = True
            self._stop.wait(RETRY_SECONDS)

    def _open(self, renew: bool) -> tuple[Any, Line]:
        with PORTAUDIO.use(renew=renew) as sounddevice:
            device = find(devices(), self._kind, self._wanted)
            make = sounddevice.InputStream if self._kind is Kind.INPUT else sounddevice.OutputStream
            *alternatives, last = _formats(device)
            for rate, channels in alternatives:
                with contextlib.suppress(sounddevice.PortAudioError):
                    return self._start(make, device, rate, channels)
            return self._start(make, device, *last)

    def _start(self, make: Callable[..., Any], device: Device, rate: int, channels: int) -> tuple[Any, Line]:
        line = self._open_line(rate)
        times = BlockTimes()
        moment = times.captured if self._kind is Kind.INPUT else times.heard

        def handle_block(block: Block, _samples: int, told: object, _status: object) -> None:
            line.handle_block(block, moment(told))

        stream = make(
            device=device.index,
            samplerate=rate,
            channels=channels,
            blocksize=rate // BLOCKS_PER_SECOND,
            dtype="int16",
            latency="low",
            callback=handle_block,
        )
        times.latency = stream.latency
        try:
            stream.start()
        except BaseException:
            stream.close()
            raise
        PORTAUDIO.opened()
        return stream, line

    def _watch(self, stream: Any, line: Line) -> None:
        """Return when the stream is dead, or when it is no longer wanted and played out."""
        blocks, patience = line.blocks, LIFELESS_SECONDS
        while patience > 0 and stream.active:
            self._stop.wait(LOOK_SECONDS)
            if self._unwanted():
                # The ring is shorter than one look.
                if not line.drained():
                    time.sleep(LOOK_SECONDS)
                return
            seen, blocks = blocks, line.blocks
            patience = LIFELESS_SECONDS if blocks != seen else patience - LOOK_SECONDS

    def _close(self, stream: Any) -> None:
        with contextlib.suppress(DeviceFailed), PORTAUDIO.use():
            # stop() plays what PortAudio still holds; for a lost device it could wait for ever.
            if self._unwanted() and stream.active:
                stream.stop()
            else:
                stream.abort()
        with contextlib.suppress(DeviceFailed), PORTAUDIO.use():
            stream.close()
        PORTAUDIO.closed()

    def _tell(self, text: str) -> None:
        if text != self._told and not self._unwanted():
            self._told = text
            # The loop may be closed a moment later.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._deliver, text)

    def _unwanted(self) -> bool:
        """Whether it was stopped, or forgotten by a loop that is no more."""
        return self._stop.is_set() or self._loop.is_closed()

    def _deliver(self, text: str) -> None:
        if not self._stop.is_set():
            self._trouble(text)


def _formats(device: Device) -> list[tuple[int, int]]:
    """(rate, channels) to try, the best first: what openvoice wants, then what the device does by itself."""
    rates = dict.fromkeys(rate for rate in (SAMPLE_RATE, device.rate) if rate % FRAMES_PER_SECOND == 0)
    channels = dict.fromkeys((1, min(2, device.channels)))
    return [(rate, count) for rate in rates for count in channels]
