"""For whoever shows pictures in a window."""

from __future__ import annotations

import threading
from collections.abc import Callable

from openvoice.ports import Picture


class WindowOutput:
    """A :class:`~openvoice.ports.VideoOutput` for a window, which takes the newest picture when it paints.

    ``changed`` is called for each picture, on the thread of the media, and must not wait: it asks the window to paint
    soon. The window calls :meth:`take` on its own thread.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._lock = threading.Lock()
        self._newest: Picture | None = None
        self._closed = False

    @property
    def closed(self) -> bool:
        """Whether there will be no more."""
        return self._closed

    def write(self, picture: Picture) -> None:
        with self._lock:
            self._newest = picture
        self._changed()

    def take(self) -> Picture | None:
        """The newest picture, as often as it is asked for; ``None`` before the first one."""
        with self._lock:
            return self._newest

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._changed()
