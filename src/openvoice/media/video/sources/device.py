"""Keeps a camera or a screen delivering, whatever happens to it."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Generator

from openvoice.core.types import DeviceChange
from openvoice.errors import VideoFailed
from openvoice.media.video.sources.thread import Run, ThreadSource
from openvoice.ports import Picture, PictureFormat

_log = logging.getLogger(__name__)

OPEN_WITHIN = 10.0
"""Seconds that a camera has until its first picture."""
SILENT_SECONDS = 3.0
"""A camera that gave nothing for so long is gone; it will not always say so itself."""
RETRY_SECONDS = 1.0
PATIENCE_SECONDS = 0.5
"""Whatever was let go a moment ago may be busy for so long."""
_LOOK_SECONDS = 0.05

Opener = Callable[[PictureFormat, Callable[[], bool]], Generator[Picture, None, None]]
"""Opens a device and gives its pictures, until it vanishes or is told that it is unwanted.

Raises :class:`~openvoice.errors.VideoFailed` for what keeps it from doing so."""


class DeviceSource(ThreadSource):
    """Pictures of what ``opener`` opens. With ``again`` it is opened anew when it fails, else it is over.

    It is read on a thread of its own, for some devices never come back from being read. Where one does not, it is left
    alone with its thread.
    """

    noun = ""

    def __init__(
        self,
        noun: str,
        opener: Opener,
        name: str | None = None,
        *,
        again: bool = True,
        open_within: float = OPEN_WITHIN,
    ) -> None:
        super().__init__()
        self.noun = noun
        self._opener, self._name, self._again, self._open_within = opener, name, again, open_within

    def _run(self, run: Run, wanted: PictureFormat) -> None:
        told: tuple[DeviceChange, str] | None = None
        begun = time.monotonic()

        def tell(what: DeviceChange, text: str) -> None:
            nonlocal told
            if told != (what, text):
                told = what, text
                run.report(what, self._name, text)

        name = f" {self._name!r}" if self._name else ""
        while not run.stopping.is_set():
            reader = _Reader(self._opener, wanted, run)
            begins = self._begins(reader, run)
            if begins:
                if told is not None:
                    tell(DeviceChange.RESTORED, f"The {self.noun}{name} works again.")
                self._follow(reader, run)
            if begins and self._again:
                tell(DeviceChange.LOST, f"The {self.noun}{name} is gone; the call goes on without it until it is back.")
            elif begins:
                tell(DeviceChange.LOST, f"The {self.noun} is not shown any more: {reader.failure}.")
            elif time.monotonic() - begun >= PATIENCE_SECONDS or not self._again:
                tell(DeviceChange.MISSING, f"The {self.noun} does not work: {reader.failure}.")
            if not self._again:
                return
            run.stopping.wait(RETRY_SECONDS if told is not None else _LOOK_SECONDS)

    def _begins(self, reader: _Reader, run: Run) -> bool:
        """Wait for the first picture; whether there is one."""
        end = time.monotonic() + self._open_within
        while not reader.over.is_set() and reader.last is None and not run.stopping.wait(_LOOK_SECONDS):
            if time.monotonic() > end:
                reader.give_up("it gives no sign of life")
        return reader.last is not None

    def _follow(self, reader: _Reader, run: Run) -> None:
        """Wait until there are no more pictures."""
        while not run.stopping.is_set() and not reader.over.wait(_LOOK_SECONDS):
            if reader.last is not None and time.monotonic() - reader.last > SILENT_SECONDS:
                reader.give_up("it gives no more pictures")


class _Reader:
    """One opening of a device."""

    def __init__(self, opener: Opener, wanted: PictureFormat, run: Run) -> None:
        self.last: float | None = None
        """When the last picture came."""
        self.failure = "it gives no more pictures"
        self.over = threading.Event()
        self._opener, self._wanted, self._run = opener, wanted, run
        threading.Thread(target=self._read, name="openvoice-pictures", daemon=True).start()

    def give_up(self, failure: str) -> None:
        self.failure = failure
        self.over.set()

    def _unwanted(self) -> bool:
        return self.over.is_set() or self._run.stopping.is_set()

    def _read(self) -> None:
        failure = self.failure
        try:
            with contextlib.closing(self._opener(self._wanted, self._unwanted)) as pictures:
                for picture in pictures:
                    if self._unwanted():
                        return
                    self.last = time.monotonic()
                    self._run.deliver(picture)
        except VideoFailed as error:
            failure = str(error)
        except Exception as error:
            _log.error("a device of pictures failed: %s", type(error).__name__)
            failure = "it failed"
        finally:
            if not self.over.is_set():
                self.give_up(failure)
