"""What a client writes down of its calls, if it has a place for it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from openvoice.errors import OpenVoiceError
from openvoice.ports import CallStore

_log = logging.getLogger(__name__)


class Bookkeeping:
    """Writes into ``store``, if there is one. A call does not end because nothing can be written about it."""

    def __init__(self, store: CallStore | None) -> None:
        self._store = store

    def keep(self, account: str, record: dict[str, Any]) -> None:
        """Keep the record of a call of ``account``, a bare address."""
        self._write(lambda store: store.add({"account": account, **record}))

    def note_online(self, account: str) -> None:
        """Remember how far the calls are known: those that come later are looked up in the server's archive."""
        self._write(lambda store: store.note_online(account, time.time()))

    def last_online(self, account: str) -> float | None:
        """Unix time until which the calls are known; ``None`` if they never were.

        Raises:
            OpenVoiceError: what is kept cannot be read.
        """
        return self._store.last_online(account) if self._store is not None else None

    def close(self) -> None:
        if self._store is not None:
            self._store.close()

    def _write(self, write: Callable[[CallStore], None]) -> None:
        if self._store is None:
            return
        try:
            write(self._store)
        except OpenVoiceError as error:
            _log.warning("%s", error)
