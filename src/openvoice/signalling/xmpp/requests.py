"""Requests that were sent and wait for their answer (RFC 6120, 8.2.3)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.signalling.xmpp.failures import StanzaFailure, StanzaLost, StanzaTimeout, refusal

Finished = Callable[[Element | StanzaFailure], None]
"""Told the answer, or why there is none; once."""


@dataclass(frozen=True, slots=True)
class _Pending:
    recipient: Address | None
    finished: Finished
    timer: asyncio.TimerHandle


class Requests:
    """Pairs answers with requests. An answer counts only from whom the request went to: ids can be guessed or seen."""

    def __init__(self, account: Address) -> None:
        self._account = account.bare
        self._pending: dict[str, _Pending] = {}

    def __len__(self) -> int:
        return len(self._pending)

    def begin(self, id: str, recipient: Address | None, timeout: float, finished: Finished) -> None:  # noqa: A002
        """Wait for the answer to the request ``id``; ``recipient`` is ``None`` for the own account."""
        timer = asyncio.get_running_loop().call_later(timeout, self._expire, id)
        self._pending[id] = _Pending(recipient, finished, timer)

    def receive(self, answer: Element, sender: Address) -> bool:
        """Take an IQ of type ``result`` or ``error``; whether it was one that is waited for."""
        identifier = answer.get("id", "")
        pending = self._pending.get(identifier)
        if pending is None or not self._speaks_for(sender, pending.recipient):
            return False
        self._finish(identifier, answer if answer.get("type") == "result" else refusal(answer))
        return True

    def abandon(self, keep: Collection[str]) -> None:
        """The session is over: only the answers to ``keep``, which were never sent, can still come."""
        for identifier in [identifier for identifier in self._pending if identifier not in keep]:
            self._finish(identifier, StanzaLost("the connection broke before the answer came"))

    def _speaks_for(self, sender: Address, recipient: Address | None) -> bool:
        if recipient is None or recipient == self._account:
            # The own server answers for the own account, in its name or with none (RFC 6120, 8.1.2.1).
            return sender == self._account
        if recipient == Address("", self._account.domain):
            return sender in (recipient, self._account)
        return sender == recipient

    def _expire(self, identifier: str) -> None:
        self._finish(identifier, StanzaTimeout("no answer came in time"))

    def _finish(self, identifier: str, outcome: Element | StanzaFailure) -> None:
        pending = self._pending.pop(identifier)
        pending.timer.cancel()
        pending.finished(outcome)
