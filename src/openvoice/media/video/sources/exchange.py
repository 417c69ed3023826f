"""One source of pictures in whose place another one can step."""

from __future__ import annotations

import threading
from collections.abc import Callable

from openvoice.core.types import DeviceChange
from openvoice.errors import InvalidState, VideoFailed
from openvoice.ports import Picture, PictureFormat, VideoInput, VideoReport

OPEN_WITHIN = 12.0
"""Seconds that a new source has until its first picture."""


class ExchangeSource:
    """A :class:`~openvoice.ports.VideoInput`. The new source runs before the old one stops, and takes over with its
    first picture, so that nothing is missing in between. ``over`` is called, on whatever thread, when the one that is
    shown has no more.
    """

    def __init__(self, source: VideoInput, over: Callable[[], None] = lambda: None) -> None:
        self._current = source
        self._over = over
        self._next: VideoInput | None = None
        self._verdict = threading.Event()
        self._failure = ""
        self._lock = threading.RLock()
        self._sink: tuple[Callable[[Picture | None], None], VideoReport, PictureFormat] | None = None

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        with self._lock:
            self._sink = deliver, report, wanted
            source = self._current
        self._begin(source, wanted)

    def stop(self) -> None:
        with self._lock:
            self._sink = None
            running = self._current, self._next
            self._verdict.set()
        for source in running:
            if source is not None:
                source.stop()

    def exchange(self, source: VideoInput, within: float = OPEN_WITHIN) -> None:
        """Go on with another source. It waits for its first picture, so not on an event loop. One at a time.

        Raises:
            VideoFailed: it shows nothing; the old one goes on.
            InvalidState: nothing is shown any more.
        """
        with self._lock:
            sink, self._failure = self._sink, ""
            if sink is None:
                self._current = source
                return
            self._next = source
            self._verdict.clear()
        self._begin(source, sink[2])
        if not self._verdict.wait(within):
            self._fail("It gives no sign of life.")
        with self._lock:
            taken, self._next = self._current is source, None
            failure = self._failure
        if not taken:
            source.stop()
            if not failure:
                raise InvalidState("the pictures of this call are over")
            raise VideoFailed(f"{failure} The one before is still shown.")

    def _begin(self, source: VideoInput, wanted: PictureFormat) -> None:
        source.start(lambda picture: self._take(source, picture), lambda *change: self._hear(source, *change), wanted)

    def _take(self, source: VideoInput, picture: Picture | None) -> None:
        old: VideoInput | None = None
        with self._lock:
            if source is self._next and picture is not None and self._sink is not None:
                old, self._current, self._next = self._current, source, None
                self._verdict.set()
            elif source is self._next:
                self._fail("It shows nothing.")
            sink = self._sink if source is self._current else None
        if old is not None:
            old.stop()
        if sink is not None:
            sink[0](picture)
            if picture is None:
                self._over()

    def _hear(self, source: VideoInput, what: DeviceChange, device: str | None, text: str) -> None:
        with self._lock:
            if source is self._next:
                self._fail(text)
            sink = self._sink if source is self._current else None
        if sink is not None:
            sink[1](what, device, text)

    def _fail(self, text: str) -> None:
        self._failure = self._failure or text
        self._verdict.set()
