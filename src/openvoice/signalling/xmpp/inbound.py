"""What came on the stream and waits to be handled: a fair share at a time, and never too much at once."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from xml.etree.ElementTree import Element

FAIR_SHARE = 32
"""Stanzas handled at a stretch, before everything else that the loop has to do gets its turn."""
FULL = 256
"""Stanzas waiting to be handled, above which the socket is not read any more."""


class Inbound:
    """``handle`` is called with one stanza after another; ``read`` is told when to pause reading and when to go on."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, handle: Callable[[Element], None], read: Callable[[bool], None]
    ) -> None:
        self._loop = loop
        self._handle = handle
        self._read = read
        self._waiting: deque[Element] = deque()
        self._scheduled = False
        self._reading = True

    def restart(self) -> None:
        """A new stream begins."""
        self._waiting.clear()
        self._reading = True

    def clear(self) -> None:
        """Forget what was not handled yet."""
        self._waiting.clear()

    def add(self, item: Element) -> None:
        self._waiting.append(item)

    def work(self) -> None:
        """Handle a share of what waits now, and the rest soon."""
        if not self._scheduled:
            self._work()
        if len(self._waiting) > FULL and self._reading:
            self._reading = False
            self._read(False)

    def _work(self) -> None:
        self._scheduled = False
        for _ in range(FAIR_SHARE):
            # Whatever is handled may end the stream, and clear what waits.
            if not self._waiting:
                break
            self._handle(self._waiting.popleft())
        if self._waiting:
            self._scheduled = True
            self._loop.call_soon(self._work)
        elif not self._reading:
            self._reading = True
            self._read(True)
