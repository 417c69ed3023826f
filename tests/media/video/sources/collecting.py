"""What a source delivers and reports, for tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from openvoice.core.types import DeviceChange
from openvoice.ports import Picture, PictureFormat, VideoInput


class Collected:
    """Starts a source and keeps what comes of it."""

    def __init__(self, source: VideoInput, wanted: PictureFormat | None = None) -> None:
        self.pictures: list[Picture] = []
        self.over = False
        self.reports: list[tuple[DeviceChange, str | None, str]] = []
        self._changed = threading.Condition()
        source.start(self._take, self._report, wanted or PictureFormat(width=320, height=240))

    @property
    def changes(self) -> list[DeviceChange]:
        return [what for what, _, _ in self.reports]

    def wait(self, condition: Callable[[Collected], object], within: float = 15.0) -> None:
        """Wait until something holds. Raises ``TimeoutError``."""
        end = time.monotonic() + within
        with self._changed:
            while not condition(self):
                if not self._changed.wait(end - time.monotonic()):
                    raise TimeoutError(f"{len(self.pictures)} pictures, reports: {self.reports}")

    def _take(self, picture: Picture | None) -> None:
        with self._changed:
            if picture is None:
                self.over = True
            else:
                self.pictures.append(picture)
            self._changed.notify_all()

    def _report(self, what: DeviceChange, device: str | None, text: str) -> None:
        with self._changed:
            self.reports.append((what, device, text))
            self._changed.notify_all()
