"""The pace for sound without a device: simple sources and sinks, every 20 ms on the running event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.errors import OpenVoiceError
from openvoice.ports import FRAME_SECONDS, AudioSink, AudioSource, Frame

_logger = logging.getLogger(__name__)

MOST_AT_ONCE = 5
"""Frames made up for after the loop stood still; what is missed beyond that is missed."""


class Pace:
    """Calls ``tick`` on an absolute grid of 20 ms, so that no lateness adds up."""

    def __init__(self, tick: Callable[[], None]) -> None:
        self._tick = tick
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time()
        self._timer: asyncio.TimerHandle | None = self._loop.call_at(self._due, self._run)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self) -> None:
        now = self._loop.time()
        self._due = max(self._due, now - MOST_AT_ONCE * FRAME_SECONDS)
        while self._timer is not None and self._due <= now:
            self._due += FRAME_SECONDS
            self._tick()
        if self._timer is not None:
            self._timer = self._loop.call_at(self._due, self._run)


class PacedInput:
    """An :class:`~openvoice.ports.AudioInput` that reads a simple source."""

    def __init__(self, source: AudioSource) -> None:
        self._source = source
        self._pace: Pace | None = None

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        def read() -> None:
            try:
                frame = self._source.read()
            except Exception as error:
                _logger.warning("A source of sound failed: %s", type(error).__name__)
                text = "The sound to send failed; silence is sent instead."
                report(DeviceChanged(direction=SoundDirection.INPUT, what=DeviceChange.FAILED, text=text))
                frame = None
            if frame is None:
                pace.stop()
            deliver(frame)

        self._pace = pace = Pace(read)

    def stop(self) -> None:
        if self._pace is not None:
            self._pace.stop()
            self._pace = None
            self._source.close()


class PacedOutput:
    """An :class:`~openvoice.ports.AudioOutput` that writes to a simple sink."""

    def __init__(self, sink: AudioSink) -> None:
        self._sink = sink
        self._pace: Pace | None = None

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        def write() -> None:
            frame = request()
            try:
                self._sink.write(frame)
            except Exception as error:
                _logger.warning("A sink of sound failed: %s", type(error).__name__)
                pace.stop()
                known = isinstance(error, OpenVoiceError)
                text = str(error) if known else "The received sound could not be taken any more; it is not kept."
                report(DeviceChanged(direction=SoundDirection.OUTPUT, what=DeviceChange.FAILED, text=text))

        self._pace = pace = Pace(write)

    def stop(self) -> None:
        if self._pace is not None:
            self._pace.stop()
            self._pace = None
            self._sink.close()
