"""What all sources share that run on a thread of their own."""

from __future__ import annotations

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager

from openvoice.core.types import DeviceChange
from openvoice.errors import OpenVoiceError
from openvoice.ports import Picture, PictureFormat, VideoReport

_log = logging.getLogger(__name__)

LATE_SECONDS = 0.1
"""What is later than this is left out, so that a source that was stopped for a moment catches up."""


class ThreadSource(ABC):
    """A :class:`~openvoice.ports.VideoInput` whose :meth:`_run` delivers from a thread that begins with it.

    It can be started again after it was stopped.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._current: Run | None = None

    def start(self, deliver: Callable[[Picture | None], None], report: VideoReport, wanted: PictureFormat) -> None:
        self.stop()
        run = Run(deliver, report, self._lock)
        self._current = run
        threading.Thread(target=self._begin, args=(run, wanted), name=f"openvoice-{self.noun}", daemon=True).start()

    def stop(self) -> None:
        run, self._current = self._current, None
        if run is not None:
            run.stopping.set()
        # Whoever delivers a picture at this moment has done so when this returns.
        with self._lock:
            pass

    def _begin(self, run: Run, wanted: PictureFormat) -> None:
        try:
            self._run(run, wanted)
        except OpenVoiceError as error:
            run.report(DeviceChange.FAILED, None, str(error))
        except Exception as error:
            _log.error("a source of pictures failed: %s", type(error).__name__)
            run.report(DeviceChange.FAILED, None, f"The {self.noun} failed: nothing is shown any more.")
        run.deliver(None)

    @property
    @abstractmethod
    def noun(self) -> str:
        """What a person calls it."""

    @abstractmethod
    def _run(self, run: Run, wanted: PictureFormat) -> None:
        """Deliver until it is over, or ``run`` is stopping."""


class Run:
    """From one start to the stop that follows it."""

    def __init__(
        self, deliver: Callable[[Picture | None], None], report: VideoReport, lock: AbstractContextManager[object]
    ) -> None:
        self.stopping = threading.Event()
        self._deliver, self._report, self._lock = deliver, report, lock

    def deliver(self, picture: Picture | None) -> None:
        with self._lock:
            if not self.stopping.is_set():
                self._deliver(picture)

    def report(self, what: DeviceChange, device: str | None, text: str) -> None:
        with self._lock:
            if not self.stopping.is_set():
                self._report(what, device, text)

    def wait_until(self, due: float) -> bool:
        """Wait for a time of ``time.monotonic``; whether something can be shown then: neither late nor stopping."""
        left = due - time.monotonic()
        return not self.stopping.wait(max(0.0, left)) and left > -LATE_SECONDS
