"""The own requests of one session: their ids, their outcome, and their order."""

from __future__ import annotations

from collections.abc import Callable

from openvoice.core.address import Address
from openvoice.jingle.model import InformationPayload, Jingle, JingleAction, JingleContent
from openvoice.jingle.outputs import Output, SendIq
from openvoice.jingle.serialize import serialize_jingle


class Requests:
    """Requests to ``peer`` in the session ``sid``. While a description is being sealed, what comes after it waits."""

    def __init__(self, sid: str, peer: Address, new_id: Callable[[], str]) -> None:
        self.new_id = new_id
        self._sid = sid
        self._peer = peer
        self._open: dict[str, JingleAction] = {}
        self._waiting: list[Output] | None = None

    def send(self, jingle: Jingle, request: str | None = None) -> list[Output]:
        """The request, under the id ``request`` or a new one; nothing if it has to wait."""
        made = self._make(jingle, request or self.new_id())
        if self._waiting is None:
            return [made]
        self._waiting.append(made)
        return []

    def contents(
        self,
        action: JingleAction,
        contents: tuple[JingleContent, ...],
        *,
        bundle: tuple[str, ...] = (),
        request: str | None = None,
    ) -> list[Output]:
        """A request about contents."""
        return self.send(self.about(action, contents, bundle), request)

    def about(self, action: JingleAction, contents: tuple[JingleContent, ...], bundle: tuple[str, ...] = ()) -> Jingle:
        """What a request about contents says."""
        return Jingle(action=action, sid=self._sid, contents=contents, bundle=bundle)

    def inform(self, information: InformationPayload) -> list[Output]:
        """A session-info."""
        return self.send(Jingle(action=JingleAction.SESSION_INFO, sid=self._sid, information=information))

    def hold(self) -> None:
        """From now on every request waits."""
        self._waiting = []

    def release(self, first: Jingle | None, request: str | None = None, *, more: bool = False) -> list[Output]:
        """``first``, if there is one, then all that waited for it, unless they wait for ``more`` of its kind."""
        waiting, self._waiting = self._waiting, None
        sent = self.send(first, request) if first is not None else []
        if more:
            self._waiting = waiting
            return sent
        return [*sent, *(waiting or ())]

    def drop(self) -> None:
        """What waits never leaves."""
        self._waiting = None

    def finished(self, request: str) -> JingleAction | None:
        """What the request was whose outcome is known; ``None`` if it was not one of these."""
        return self._open.pop(request, None)

    def _make(self, jingle: Jingle, request: str) -> SendIq:
        self._open[request] = jingle.action
        return SendIq(request, self._peer, serialize_jingle(jingle))
