"""The seals of contents that come to a session under seals: one is made and one is opened at a time, in their order."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

from openvoice.core.trust import Voucher
from openvoice.errors import MalformedStanza
from openvoice.jingle.limits import MAXIMUM_EARLY
from openvoice.jingle.model import Jingle, JingleAction, JingleContent, SessionInformation
from openvoice.jingle.outputs import Output
from openvoice.jingle.requests import Requests
from openvoice.jingle.sealing import Sealed, Sealing, Unsealed


@dataclass(frozen=True, slots=True)
class Arrival:
    """A content of the peer, ``answering`` one of this side or not; ``bundle`` is the group of the voice if in it."""

    content: JingleContent
    bundle: tuple[str, ...]
    answering: bool
    voucher: Voucher | None = None


@dataclass(frozen=True, slots=True)
class _Leaving:
    action: JingleAction
    content: JingleContent
    bundle: tuple[str, ...]
    request: str


class Seals:
    """Of one session, between the two devices that ``sealing`` has settled on."""

    def __init__(self, *, requests: Requests, sealing: Sealing) -> None:
        self._requests = requests
        self._sealing = sealing
        self._leaving: deque[_Leaving] = deque()
        self._arrived: deque[Arrival] = deque()
        self._early: list[Jingle] = []

    @property
    def needed(self) -> bool:
        """Whether the session is under seals."""
        return self._sealing.partner is not None

    @property
    def opening(self) -> frozenset[str]:
        """The contents whose seals are not opened yet."""
        return frozenset(arrival.content.name for arrival in self._arrived)

    def keep(self, jingle: Jingle) -> bool:
        """Keep a request about a content whose seal is not opened yet, and say whether it is."""
        about = [content.name for content in jingle.contents]
        if isinstance(jingle.information, SessionInformation) and jingle.information.content is not None:
            about.append(jingle.information.content)
        if self.opening.isdisjoint(about):
            return False
        if len(self._early) < MAXIMUM_EARLY:
            self._early.append(jingle)
        return True

    # --- this side's --------------------------------------------------------------------------------------------------

    def seal(self, action: JingleAction, content: JingleContent, bundle: tuple[str, ...], request: str) -> list[Output]:
        """Begin to seal a content. What this side says after it waits for it."""
        self._leaving.append(_Leaving(action, content, bundle, request))
        if len(self._leaving) > 1:
            return []
        self._requests.hold()
        return [self._sealing.seal_content(content)]

    def sealed(self, result: Sealed | None) -> tuple[list[Output], JingleContent | None]:
        """Send what was sealed, and begin with the next: what follows, and the content that could not be sealed."""
        if not self._leaving:
            return [], None
        leaving = self._leaving.popleft()
        more = bool(self._leaving)
        following: list[Output] = [self._sealing.seal_content(self._leaving[0].content)] if more else []
        try:
            content = self._sealing.content_sealed(leaving.content, result)
        except MalformedStanza:
            return [*self._requests.release(None, more=more), *following], leaving.content
        jingle = self._requests.about(leaving.action, (content,), leaving.bundle)
        return [*self._requests.release(jingle, leaving.request, more=more), *following], None

    # --- the peer's ---------------------------------------------------------------------------------------------------

    def open(self, arrival: Arrival) -> list[Output]:
        """Begin to open the seal of a content.

        Raises:
            MalformedStanza: it cannot be read.
        """
        unseal = self._sealing.unseal_content(arrival.content)
        self._arrived.append(arrival)
        return [unseal] if len(self._arrived) == 1 else []

    def unsealed(self, result: Unsealed | None) -> tuple[Arrival | None, list[Output], list[Jingle]]:
        """Open the oldest, and begin with the next: the content in plain, what follows, and the requests that waited.

        Raises:
            MalformedStanza: it could not be opened, or is of another device.
        """
        if not self._arrived:
            return None, [], []
        arrival = self._arrived.popleft()
        content, voucher = self._sealing.content_unsealed(arrival.content, result)
        following: list[Output] = [self._sealing.unseal_content(self._arrived[0].content)] if self._arrived else []
        waited, self._early = self._early, []
        return replace(arrival, content=content, voucher=voucher), following, waited
