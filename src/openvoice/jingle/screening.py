"""Who gets to the policy at all: a flood of calls costs next to nothing and leaves one trace, not thousands."""

from __future__ import annotations

from collections.abc import Callable

from openvoice.core.address import Address
from openvoice.core.policy import Screening
from openvoice.jingle.limits import RateLimit
from openvoice.jingle.outputs import Missed, Output
from openvoice.ports import IncomingCall

CALLS_OF_A_CONTACT = 10
CALLS_OF_STRANGERS = 30
WINDOW_SECONDS = 60.0
"""So many calls of one contact, and so many of all strangers together, are looked at in this time."""


class Doorkeeper:
    """Asks the policy about callers, within limits. Contacts have limits of their own: strangers cannot use them up."""

    def __init__(self, *, screen: Callable[[IncomingCall], Screening], in_roster: Callable[[Address], bool]) -> None:
        self.in_roster = in_roster
        self.screen = screen
        self._contacts: RateLimit[Address] = RateLimit(CALLS_OF_A_CONTACT, WINDOW_SECONDS)
        self._strangers: RateLimit[str] = RateLimit(CALLS_OF_STRANGERS, WINDOW_SECONDS)
        self._noted: RateLimit[str] = RateLimit(1, WINDOW_SECONDS)

    def judge(self, incoming: IncomingCall, now: float) -> Screening:
        """What becomes of the call."""
        peer = incoming.peer.bare
        admitted = self._contacts.admit(peer, now) if self.in_roster(peer) else self._strangers.admit("strangers", now)
        return self.screen(incoming) if admitted else Screening.SILENT

    def note_silently(self, incoming: IncomingCall, now: float) -> list[Output]:
        """An entry in the history for a caller who gets no sign of this device; one a minute for all of them."""
        return [Missed(incoming, "missed")] if self._noted.admit("silent", now) else []
