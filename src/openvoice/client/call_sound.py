"""The sound of one call: what is sent and where it goes, and who else hears it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from openvoice.client.broadcast import Broadcast
from openvoice.client.exchange import Exchange, InputExchange, OutputExchange
from openvoice.client.fader import Fader
from openvoice.client.recorder import Recorder
from openvoice.client.sound import Chosen, Device, Sink, Source, audio_input, audio_output
from openvoice.core.processing import Processing
from openvoice.core.talk import Talk
from openvoice.errors import InvalidState, OpenVoiceError
from openvoice.ports import AudioInput, AudioOutput, Frame

if TYPE_CHECKING:
    from openvoice.devices.processing.voice import VoiceProcessor
    from openvoice.media.video.sinks.movie import MovieFile

_log = logging.getLogger(__name__)

AUDIO_BACKLOG = 100
"""Frames (2 s) kept for an ``audio()`` loop that does not keep up."""


_End = TypeVar("_End", bound=AudioInput | AudioOutput)
_Running = TypeVar("_Running", bound=Exchange[Any])


class _Way(Generic[_End]):
    """One direction: what is chosen for it, and what runs of it in the thread of the media."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._chosen: Chosen[_End] | None = None
        self._running: Exchange[_End] | None = None

    def put(self, chosen: Chosen[_End]) -> None:
        """Choose, while nothing runs."""
        self.close()
        self._chosen = chosen

    def run(self, begin: Callable[[Chosen[_End] | None], _Running]) -> _Running:
        """Let what is chosen run. In the thread of the media."""
        with self._lock:
            running = begin(self._chosen)
            self._running = running
            return running

    async def set(self, chosen: Chosen[_End], over: asyncio.Future[None]) -> None:
        """Choose, and exchange what runs. Raises as :meth:`Exchange.exchange`; the media may end at any moment."""
        with self._lock:
            running = self._running
            if running is None or running.stopped:
                self.put(chosen)
                return
        try:
            work = asyncio.run_coroutine_threadsafe(running.exchange(chosen), running.loop)
            exchanging = asyncio.wrap_future(work)
            try:
                await asyncio.wait({exchanging, over}, return_when=asyncio.FIRST_COMPLETED)
                if not exchanging.done():
                    raise InvalidState("the call is over")
                exchanging.result()
            finally:
                exchanging.cancel()
        except BaseException:
            chosen.close()
            raise
        self.put(chosen)

    def close(self) -> None:
        if self._chosen is not None:
            self._chosen.close()


class CallSound:
    """Made with the call, on its event loop; ``silent`` says whether nothing of this side is heard.

    Before the gate opens there are choices and no devices. When it opens, :meth:`make_input` and :meth:`make_output`
    are called in the thread of the media; what is chosen later is exchanged there. Where the media of a call begin
    anew, they are called again.
    """

    def __init__(self, silent: Callable[[], bool]) -> None:
        self.talk = Talk(time.monotonic)
        self.frames: Broadcast[Frame] = Broadcast(AUDIO_BACKLOG)
        self.recorder: Recorder | None = None
        self._silent = silent
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._fader = Fader()
        self._processor: VoiceProcessor | None = None
        self._changing = asyncio.Lock()
        self._input: _Way[AudioInput] = _Way()
        self._output: _Way[AudioOutput] = _Way()

    async def set_input(self, source: Source) -> None:
        """See :meth:`~openvoice.client.call.Call.set_input`."""
        async with self._changing:
            self._check()
            await self._input.set(audio_input(source, self._processor_of(source)), self._over)

    async def set_output(self, sink: Sink | MovieFile) -> None:
        """See :meth:`~openvoice.client.call.Call.set_output`."""
        async with self._changing:
            self._check()
            await self._output.set(audio_output(sink, self._processor_of(None)), self._over)

    def choose(self, source: Source, sink: Sink | MovieFile) -> None:
        """Both at once, before the call is answered; ``None`` leaves what was chosen already.

        Raises:
            AudioFileError: the file named cannot be used; nothing is changed.
        """
        chosen = audio_input(source, self._processor_of(source)) if source is not None else None
        try:
            if sink is not None:
                self._output.put(audio_output(sink, self._processor_of(None)))
        except OpenVoiceError:
            if chosen is not None:
                chosen.close()
            raise
        if chosen is not None:
            self._input.put(chosen)

    def make_input(self) -> AudioInput:
        """In the thread of the media, when the gate opens."""
        return self._input.run(lambda chosen: InputExchange(chosen or audio_input(None), self._say))

    def make_output(self) -> AudioOutput:
        """In the thread of the media, when the gate opens."""
        return self._output.run(lambda chosen: OutputExchange(chosen or audio_output(None), self._overhear))

    def end(self) -> None:
        """The media are closed for good: close files and streams. Twice is once."""
        if not self._over.done():
            self._over.set_result(None)
        self._input.close()
        self._output.close()

    def close(self) -> None:
        """The call is over."""
        self.end()
        if self.recorder is not None:
            try:
                self.recorder.close()
            except OpenVoiceError as error:
                _log.warning("%s", error)
        self.frames.close()

    def _check(self) -> None:
        if self._over.done():
            raise InvalidState("the call is over")

    def _processor_of(self, source: Source) -> VoiceProcessor:
        """One for the whole call, so that it hears the loudspeaker whichever microphone comes."""
        from openvoice.devices.processing.voice import VoiceProcessor

        if self._processor is None:
            self._processor = VoiceProcessor(Processing(echo=False, noise=False, level=False))
        if isinstance(source, Device):
            self._processor.change(source.processing)
        return self._processor

    # --- in the thread of the media -----------------------------------------------------------------------------------

    def _say(self, frame: Frame) -> Frame:
        frame = self._fader(frame, heard=self.talk.heard)
        if self.recorder is not None:
            self.recorder.said(frame, silent=self._silent())
        return frame

    def _overhear(self, frame: Frame) -> None:
        if self.recorder is not None:
            self.recorder.heard(frame)
        if self.frames.has_listeners and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.frames.send, frame.copy())
