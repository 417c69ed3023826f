"""Calls that the server kept while this device was away (XEP-0160), until it is known what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import MalformedStanza
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.messages import parse_message
from openvoice.jingle.model import MessageKind

SETTLING = 0.5
"""Seconds within which a server delivers the rest of what it kept: it sends all of it at the login."""
MAXIMUM_KEPT = 200
"""Messages that wait at most; more are passed on at once."""


class LateCalls:
    """Holds back late proposals, and what was said about them, for a moment: a call that is over must not ring."""

    def __init__(self, release: Callable[[list[ArchivedMessage]], None]) -> None:
        self._release = release
        self._kept: list[ArchivedMessage] = []
        self._ids: set[str] = set()
        self._timer: asyncio.TimerHandle | None = None

    def take(self, message: Element, sender: Address, stamp: float) -> bool:
        """Whether this late message is about such a call; it is then released with the others, oldest first."""
        try:
            said = parse_message(message)
        except MalformedStanza:
            return False
        if said is None or (said.kind is not MessageKind.PROPOSE and said.id not in self._ids):
            return False
        self._kept.append(ArchivedMessage(message, sender, stamp))
        self._ids.add(said.id)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SETTLING, self._settle)
        if len(self._kept) >= MAXIMUM_KEPT:
            self._settle()
        return True

    def close(self) -> None:
        """Release nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _settle(self) -> None:
        self.close()
        kept, self._kept = self._kept, []
        self._ids.clear()
        self._release(kept)
