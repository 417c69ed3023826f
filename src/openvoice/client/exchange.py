"""What a call sends and where its sound goes, exchanged while it goes on."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np

from openvoice.client.sound import Chosen
from openvoice.core.inputs import DeviceChanged
from openvoice.core.types import DeviceChange, SoundDirection
from openvoice.errors import AudioFileError, DeviceFailed, InvalidState
from openvoice.ports import FRAME_SAMPLES, AudioInput, AudioOutput, Frame

OPEN_WITHIN = 6.0
"""Seconds that a new device has until sound flows."""

OVER = "the sound of this call is over"

_End = TypeVar("_End", bound=AudioInput | AudioOutput)


class Exchange(ABC, Generic[_End]):
    """One end of a call's sound, in whose place another one can step.

    It lives on the event loop that it is made on, the media's. The new end runs before the old one stops. It takes over
    with its first frame, between two frames of the old one, so that nothing is missing in between and nothing comes
    twice.
    """

    direction: SoundDirection

    def __init__(self, chosen: Chosen[_End]) -> None:
        self.loop = asyncio.get_running_loop()
        self._current: _End = chosen.make()
        self._next: _End | None = None
        self._ready = False
        self._taken: asyncio.Future[None] | None = None
        self._report: Callable[[DeviceChanged], None] = lambda _: None
        self.stopped = False

    async def exchange(self, chosen: Chosen[_End]) -> None:
        """Go on with another end. One at a time.

        Raises:
            DeviceFailed: it does not work; the old one goes on.
            InvalidState: the media of the call ended meanwhile.
        """
        if self.stopped:
            raise InvalidState(OVER)
        end = chosen.make(insist=True)
        self._next, self._ready, self._taken = end, False, self.loop.create_future()
        try:
            self._begin(end)
            async with asyncio.timeout(OPEN_WITHIN):
                device = await chosen.opened(end)
                self._ready = True
                await self._taken
        except TimeoutError:
            raise DeviceFailed("the device gives no sign of life: the one in use goes on") from None
        except DeviceFailed:
            # One that is let go says so.
            if self.stopped:
                raise InvalidState(OVER) from None
            raise
        finally:
            if self._next is end:
                self._next = None
                end.stop()
        self._report(
            DeviceChanged(
                direction=self.direction,
                what=DeviceChange.CHOSEN,
                device=device,
                text=f"{device!r} is the {chosen.noun} now." if device else f"There is another {chosen.noun} now.",
            )
        )

    def stop(self) -> None:
        """Stop whatever runs."""
        self.stopped = True
        self._current.stop()
        if self._next is not None:
            self._next.stop()
        if self._taken is not None and not self._taken.done():
            self._taken.set_exception(InvalidState(OVER))
            # Whoever waits hears of it all the same.
            self._taken.exception()

    def _leads(self, end: _End) -> bool:
        """Whether sound goes through this end, which wants some, now."""
        if end is self._next and self._ready and not self.stopped:
            old, self._current, self._next = self._current, end, None
            old.stop()
            assert self._taken is not None
            self._taken.set_result(None)
        return end is self._current

    def _hear(self, end: _End, change: DeviceChanged) -> None:
        if end is self._current:
            self._report(change)

    @abstractmethod
    def _begin(self, end: _End) -> None:
        """Start it."""


class InputExchange(Exchange[AudioInput]):
    """An :class:`~openvoice.ports.AudioInput`. ``shape`` makes of each frame what is sent."""

    direction = SoundDirection.INPUT

    def __init__(self, chosen: Chosen[AudioInput], shape: Callable[[Frame], Frame]) -> None:
        super().__init__(chosen)
        self._shape = shape

    def start(self, deliver: Callable[[Frame | None], None], report: Callable[[DeviceChanged], None]) -> None:
        self._deliver, self._report = deliver, report
        self._begin(self._current)

    def _begin(self, end: AudioInput) -> None:
        end.start(lambda frame: self._take(end, frame), lambda change: self._hear(end, change))

    def _take(self, end: AudioInput, frame: Frame | None) -> None:
        if self._leads(end):
            self._deliver(frame if frame is None else self._shape(frame))


class OutputExchange(Exchange[AudioOutput]):
    """An :class:`~openvoice.ports.AudioOutput`. ``listen`` hears each frame that is played."""

    direction = SoundDirection.OUTPUT

    def __init__(self, chosen: Chosen[AudioOutput], listen: Callable[[Frame], None]) -> None:
        super().__init__(chosen)
        self._listen = listen

    def start(self, request: Callable[[], Frame], report: Callable[[DeviceChanged], None]) -> None:
        self._request, self._report = request, report
        self._begin(self._current)

    def _begin(self, end: AudioOutput) -> None:
        end.start(lambda: self._pull(end), lambda change: self._hear(end, change))

    def _pull(self, end: AudioOutput) -> Frame:
        if not self._leads(end):
            return np.zeros(FRAME_SAMPLES, np.int16)
        frame = self._request()
        try:
            self._listen(frame)
        except AudioFileError as error:
            self._report(DeviceChanged(direction=self.direction, what=DeviceChange.FAILED, text=str(error)))
        return frame
