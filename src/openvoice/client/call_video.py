"""The pictures of one call: what is shown and where what comes goes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any

from openvoice.client.broadcast import Broadcast, Listener
from openvoice.client.pictures import VideoSource, video_input
from openvoice.core.events import CallEvent, VideoChanged
from openvoice.core.inputs import HideVideo, VideoReported
from openvoice.core.types import DeviceChange, Origin, VideoLabel
from openvoice.errors import InvalidState, OpenVoiceError, VideoFailed
from openvoice.media.video.sources.exchange import ExchangeSource
from openvoice.ports import Picture, VideoInput, VideoOutput

_log = logging.getLogger(__name__)

BACKLOG = 3
"""Pictures kept for a ``pictures()`` loop that does not keep up."""


class CallVideo:
    """Made with the call, on its event loop. ``post`` tells the call, there, of an output that takes no more, and of a
    source that has no more.

    Like the sound, before anything is shown there are choices and no devices. :meth:`make_input` and
    :meth:`make_output` are called in the thread of the media.
    """

    def __init__(self, post: Callable[[HideVideo | VideoReported], None]) -> None:
        self.shown: dict[Origin, frozenset[VideoLabel]] = dict.fromkeys(Origin, frozenset())
        """What each side shows now."""
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._chosen: dict[VideoLabel, Callable[[], VideoInput]] = {}
        self._running: dict[VideoLabel, ExchangeSource] = {}
        self._outputs = {label: _Outputs(self, label) for label in VideoLabel}
        self._over = False

    def choose(self, label: VideoLabel, source: VideoSource) -> None:
        """What is shown from the next time on.

        Raises:
            InvalidState: the call is over.
            VideoFailed: the file named cannot be used; nothing is changed.
        """
        if self._over:
            raise InvalidState("the call is over")
        self._chosen[label] = video_input(source)

    async def exchange(self, label: VideoLabel, source: VideoSource) -> None:
        """Show something else from now on, or from the next time on if nothing is shown.

        Raises:
            InvalidState: the call is over.
            VideoFailed: it does not work; what is shown goes on.
        """
        if self._over:
            raise InvalidState("the call is over")
        make = await asyncio.to_thread(video_input, source)
        with self._lock:
            running = self._running.get(label)
        if running is not None:
            await asyncio.to_thread(running.exchange, make())
        self._chosen[label] = make

    def is_chosen(self, label: VideoLabel) -> bool:
        return label in self._chosen

    def watch(self, label: VideoLabel, output: VideoOutput) -> None:
        """Let received pictures go there, too, until the call is over; it is closed then."""
        if self._over:
            raise InvalidState("the call is over")
        self._outputs[label].add(output)

    def pictures(self, label: VideoLabel) -> Listener[Picture]:
        return self._outputs[label].broadcast.listen()

    def hear(self, event: CallEvent) -> None:
        """Note what is shown."""
        if isinstance(event, VideoChanged):
            before = self.shown[event.by]
            self.shown[event.by] = before | {event.label} if event.shown else before - {event.label}

    def end(self) -> None:
        """The media are closed for good: close what was written. Twice is once."""
        self._over = True
        self.shown = dict.fromkeys(Origin, frozenset())
        for outputs in self._outputs.values():
            outputs.end()

    # --- in the thread of the media -----------------------------------------------------------------------------------

    def make_input(self, label: VideoLabel) -> VideoInput:
        """When it is to be shown. Raises :class:`~openvoice.errors.VideoFailed`: nothing was chosen."""
        make = self._chosen.get(label)
        if make is None:
            raise VideoFailed(f"no {label} was chosen")
        running = ExchangeSource(make(), lambda: self.soon(self._post, HideVideo(label)))
        with self._lock:
            self._running[label] = running
        return running

    def make_output(self, label: VideoLabel) -> VideoOutput | None:
        """When a picture came. While nobody watches there is nothing, and it is not decoded."""
        outputs = self._outputs[label]
        return outputs if outputs.wanted else None

    def fail(self, label: VideoLabel, text: str) -> None:
        """An output takes no more."""
        message = VideoReported(label=label, what=DeviceChange.FAILED, text=text)
        self.soon(self._post, message)

    def soon(self, call: Callable[[Any], None], what: object) -> None:
        """Call on the event loop of the client, unless that is over."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, what)


class _Outputs:
    """A :class:`~openvoice.ports.VideoOutput` that hands each picture to everybody who wants it."""

    def __init__(self, video: CallVideo, label: VideoLabel) -> None:
        self.broadcast: Broadcast[Picture] = Broadcast(BACKLOG)
        self._video, self._label = video, label
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        """Held while outputs take a picture, or are closed: some are slow, and nobody else waits for them."""
        self._outputs: list[VideoOutput] = []

    @property
    def wanted(self) -> bool:
        """Whether anybody watches."""
        return bool(self._outputs) or self.broadcast.has_listeners

    def add(self, output: VideoOutput) -> None:
        with self._lock:
            self._outputs.append(output)

    def write(self, picture: Picture) -> None:
        with self._writing:
            with self._lock:
                outputs = list(self._outputs)
            for output in outputs:
                try:
                    output.write(picture)
                except Exception as error:
                    with self._lock:
                        self._outputs.remove(output)
                    known = isinstance(error, OpenVoiceError)
                    _log.warning("An output of pictures failed: %s", type(error).__name__)
                    self._video.fail(
                        self._label, str(error) if known else "The received pictures could not be taken any more."
                    )
        if self.broadcast.has_listeners:
            self._video.soon(self.broadcast.send, picture)

    def close(self) -> None:
        """The peer shows nothing for now. Those who want its pictures wait for the next ones."""

    def end(self) -> None:
        with self._writing:
            with self._lock:
                outputs, self._outputs = self._outputs, []
            for output in outputs:
                try:
                    output.close()
                except Exception as error:
                    _log.warning("An output of pictures failed at its end: %s", type(error).__name__)
        self.broadcast.close()
