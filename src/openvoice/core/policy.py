"""Who may ring, who is answered, and how well a call must be protected. Written by the user, applied to every call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import inf

from openvoice.core.address import Address
from openvoice.core.security import SecurityReport
from openvoice.core.types import Vouching


class Audience(StrEnum):
    """A set of people."""

    NOBODY = "nobody"
    NAMED = "named"
    """Those in ``Policy.callers``."""
    ROSTER = "roster"
    """Those, and everybody in the own contact list."""


class Screening(StrEnum):
    """What becomes of a call that comes in."""

    SILENT = "silent"
    """Nothing rings, nothing is answered: the caller cannot tell this from a device that is off."""
    BUSY = "busy"
    """Told that this device is in another call, unless another own device may take it."""
    RING = "ring"
    """Rings here, and the caller is told so."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The rules of one account. Times are seconds.

    Raises ``ValueError`` for values that make no sense.
    """

    ring: Audience = Audience.ROSTER
    """Who may make this device ring. Others get no sign that it exists."""
    answer: Audience = Audience.NOBODY
    """Who is answered without asking."""
    callers: frozenset[Address] = frozenset()
    """The people named, by bare address. They may ring even outside the contact list."""
    blocked: frozenset[Address] = frozenset()
    """Never ring, whatever else is said. Bare addresses, or whole domains."""
    require: Vouching = Vouching.SIGNALLED
    """The least vouching for the peer's key; below it a call is refused before any sound."""
    relay_only: bool = False
    """Never tell a peer the addresses of this device; a TURN server of the own server carries the packets."""
    maximum_calls: int = 1
    """How many calls may live at once; further callers hear that the line is busy."""
    ring_timeout: float = 60.0
    """How long an outgoing call may ring."""
    answer_timeout: float = 45.0
    """How long an incoming call may ring. More than 30, or callers with Monal give up first."""
    proposal_age: float = 60.0
    """A call older than this was kept by a server and is over: it is listed as missed."""

    def __post_init__(self) -> None:
        times = (self.ring_timeout, self.answer_timeout, self.proposal_age)
        if self.maximum_calls < 1 or not all(0 < time < inf for time in times):
            raise ValueError("a policy's numbers must be greater than zero, and finite")
        if self.require is Vouching.NONE:
            raise ValueError("calls without any vouching for their keys do not exist")
        if any(not address.is_bare for address in self.callers | self.blocked):
            raise ValueError("a policy names people by bare addresses")

    def screen(self, caller: Address, *, in_roster: bool, live_calls: int) -> Screening:
        """Decide about a call that comes in, before anything of it is shown or answered."""
        if self._is_blocked(caller) or not self._in(self.ring, caller, in_roster):
            return Screening.SILENT
        return Screening.BUSY if live_calls >= self.maximum_calls else Screening.RING

    def answers(self, caller: Address, *, in_roster: bool) -> bool:
        """Whether a call is answered without asking a person."""
        return not self._is_blocked(caller) and self._in(self.answer, caller, in_roster)

    def refusal(self, report: SecurityReport) -> str | None:
        """Why the call must not go on, in a sentence, or ``None`` if it may."""
        if report.media is None:
            return "the media are not protected"
        return weakness(report.vouching, self.require)

    def _is_blocked(self, caller: Address) -> bool:
        return caller.bare in self.blocked or Address("", caller.domain) in self.blocked

    def _in(self, audience: Audience, caller: Address, in_roster: bool) -> bool:
        if audience is Audience.NOBODY:
            return False
        return caller.bare in self.callers or (audience is Audience.ROSTER and in_roster)


def weakness(vouching: Vouching, least: Vouching) -> str | None:
    """Why a call that needs ``least`` must not go on with ``vouching``, in a sentence, or ``None`` if it may."""
    if vouching >= least:
        return None
    return f"this call needs keys that are {_REQUIRED_WORDS[least]}, but for the peer's key {_VOUCHER_WORDS[vouching]}"


_REQUIRED_WORDS = {
    Vouching.SIGNALLED: "named by the servers",
    Vouching.OMEMO_TRUSTED: "vouched for by OMEMO",
    Vouching.OMEMO_VERIFIED: "verified by you",
}
_VOUCHER_WORDS = {
    Vouching.NONE: "nobody vouches",
    Vouching.SIGNALLED: "only the servers vouch",
    Vouching.OMEMO_TRUSTED: "only an OMEMO key that you have not verified vouches",
    Vouching.OMEMO_VERIFIED: "you vouch yourself",
}
