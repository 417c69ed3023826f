"""Whose OMEMO keys are believed, and how far: blind trust before verification, and never blind again after it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from openvoice.core.address import Address
from openvoice.core.types import Vouching

KEY_OCTETS = 32


class Trust(StrEnum):
    """What the user, or the rule of first sight, thinks of a key."""

    UNDECIDED = "undecided"
    """A device of somebody of whom the user verified or refused another one: shown, but no voucher until accepted."""
    TRUSTED = "trusted"
    """Believed at first sight, or accepted without comparing."""
    VERIFIED = "verified"
    """Compared by the user with what its owner has."""
    DISTRUSTED = "distrusted"
    """Refused by the user: no call goes on with it."""

    @property
    def worth(self) -> Vouching:
        """What the key vouches for: no more than the servers' word while the user has not decided about it."""
        return _WORTH[self]


@dataclass(frozen=True, kw_only=True, slots=True)
class DeviceKey:
    """The OMEMO identity key of a device of ``owner``, a bare address.

    ``key`` is the public key in its Curve25519 form, 32 octets, as Conversations and Dino show it and write it into QR
    codes. ``seen`` is the Unix time of the first sight. Raises ``ValueError`` for anything else.
    """

    owner: Address
    device: int
    key: bytes
    trust: Trust
    seen: float = 0.0

    def __post_init__(self) -> None:
        if not self.owner.is_bare or not 0 < self.device < 2**32 or len(self.key) != KEY_OCTETS:
            raise ValueError("not the key of an OMEMO device")

    @property
    def fingerprint(self) -> str:
        """The key for eyes: eight groups of eight hexadecimal digits."""
        return self.key.hex(" ", 4)


@dataclass(frozen=True, kw_only=True, slots=True)
class Voucher:
    """Who vouches for a DTLS fingerprint: a device of the peer, to a device of ours."""

    peer: DeviceKey
    own_device: int
    own_key: bytes
    """The own identity key, in the form of :attr:`DeviceKey.key`."""

    @property
    def vouching(self) -> Vouching:
        return self.peer.trust.worth


_WORTH = {
    Trust.UNDECIDED: Vouching.SIGNALLED,
    Trust.TRUSTED: Vouching.OMEMO_TRUSTED,
    Trust.VERIFIED: Vouching.OMEMO_VERIFIED,
    Trust.DISTRUSTED: Vouching.NONE,
}


def decided(keys: Iterable[DeviceKey], key: bytes, trust: Trust) -> tuple[DeviceKey, ...]:
    """The keys of one owner once the user has decided about one of them.

    With the first one that is verified, blind trust is over for those as well that had it: whoever could add a device
    before may have done so.
    """
    known = tuple(keys)
    sees = trust is Trust.VERIFIED and all(item.trust is not Trust.VERIFIED for item in known)

    def now(item: DeviceKey) -> DeviceKey:
        if item.key == key:
            return replace(item, trust=trust)
        return replace(item, trust=Trust.UNDECIDED) if sees and item.trust is Trust.TRUSTED else item

    return tuple(map(now, known))


def first_sight(known: Iterable[Trust]) -> Trust:
    """What a key is thought of that was never seen before, by what is thought of its owner's other keys.

    A key that was refused counts like one that was verified: who had the only verified one refused, by tampering with
    words for example, must not find blind trust again.
    """
    return Trust.TRUSTED if {Trust.VERIFIED, Trust.DISTRUSTED}.isdisjoint(known) else Trust.UNDECIDED
