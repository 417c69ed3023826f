"""Who may ring, who is answered, and how well a call must be protected. Written by the user, applied to every call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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


class Alarm(StrEnum):
    """What becomes of calls when the own server shows another certificate than before, though a valid one."""

    TELL = "tell"
    """They go on, and it is told before."""
    REFUSE = "refuse"
    """They are refused until the user has accepted the new one."""
    OFF = "off"


class Way(StrEnum):
    """Which way the packets of a call may go."""

    ANY = "any"
    RELAYED = "relayed"
    """By a TURN server of the own server alone: the peer learns no address of this device."""
    EXPOSED = "exposed"
    """Any, to somebody whom the user does not know: a relay was wanted, and the own server offers none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """How calls must be protected, as far as one place says so: ``None`` leaves it to the next place.

    Raises ``ValueError`` for calls without any vouching.
    """

    require: Vouching | None = None
    relay_only: bool | None = None

    def __post_init__(self) -> None:
        if self.require is Vouching.NONE:
            raise ValueError(_NO_VOUCHING)


def first_said(*places: Rules) -> Rules:
    """What holds when several places speak, the one that counts most first."""
    return Rules(
        require=next((place.require for place in places if place.require is not None), None),
        relay_only=next((place.relay_only for place in places if place.relay_only is not None), None),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """The rules of one account. Times are seconds.

    What holds for one person is said by :meth:`towards`.

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
    relay_strangers: bool = True
    """The same for people outside the contact list, wherever the own server offers TURN; elsewhere it is told."""
    alarm: Alarm = Alarm.TELL
    """What a certificate of the own server that is valid, but another one than before, means for calls."""
    account: Rules = Rules()
    """What the account says: it counts more than ``require`` and ``relay_only`` here."""
    contacts: Mapping[Address, Rules] = field(default_factory=dict)
    """What is said for people by name, by bare address: it counts more than the account."""
    insisted: Rules = Rules()
    """What was said for this run, on the command line: it counts most."""
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
            raise ValueError(_NO_VOUCHING)
        if any(not address.is_bare for address in self.callers | self.blocked | self.contacts.keys()):
            raise ValueError("a policy names people by bare addresses")

    def towards(self, peer: Address, *, in_roster: bool) -> Policy:
        """The policy as it is for one person: the command line counts most, then what is said for this contact, then
        the account, then the rest.

        In what it returns nobody is named apart any more, and ``relay_strangers`` is true only if this is a stranger:
        somebody outside the contact list whom no rule allows a direct path.
        """
        contact = self.contacts.get(peer.bare, Rules())
        said = first_said(self.insisted, contact, self.account)
        return replace(
            self,
            require=self.require if said.require is None else said.require,
            relay_only=self.relay_only if said.relay_only is None else said.relay_only,
            relay_strangers=self.relay_strangers and not in_roster and contact.relay_only is not False,
            account=Rules(),
            contacts={},
            insisted=Rules(),
        )

    def way(self, *, relay_offered: bool) -> Way | None:
        """Which way the packets of a call may go, or ``None`` if there is none. Of a policy :meth:`towards` somebody.

        ``relay_offered`` says whether the own server offers TURN.
        """
        if not self.relay_only and not self.relay_strangers:
            return Way.ANY
        if relay_offered:
            return Way.RELAYED
        return None if self.relay_only else Way.EXPOSED

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


_NO_VOUCHING = "calls without any vouching for their keys do not exist"
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
