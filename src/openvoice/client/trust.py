"""The OMEMO keys of one account's people, and what its user thinks of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from openvoice.core.address import Address
from openvoice.core.key_uri import parse_key_uri, serialize_key_uri
from openvoice.core.trust import DeviceKey, Trust
from openvoice.errors import InvalidState, SecurityRefused, UsageError
from openvoice.ports import TrustStore


class Match(StrEnum):
    """What comparing a code with what is known here gave."""

    VERIFIED = "verified"
    """The same key: it is verified now."""
    DIFFERENT = "different"
    """This device of theirs was seen with another key, which is distrusted now: somebody may sit in between."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome for one device: ``key`` is what is known of it now."""

    key: DeviceKey
    match: Match


class Keys:
    """What :class:`~openvoice.Profile` gives to look at keys and to decide about them, online or not.

    ``own`` are device id and identity key of this device, ``None`` before the first login; ``now`` is the Unix time.
    """

    def __init__(
        self, account: Address, own: tuple[int, bytes] | None, trust: TrustStore, now: Callable[[], float]
    ) -> None:
        self.account = account.bare
        self._own = own
        self._trust = trust
        self._now = now

    @property
    def own(self) -> DeviceKey:
        """The key of this device.

        Raises:
            InvalidState: there is none before the first login.
        """
        if self._own is None:
            raise InvalidState(f"{self.account} has no OMEMO key on this device before its first login: go online once")
        device, key = self._own
        return DeviceKey(owner=self.account, device=device, key=key, trust=Trust.VERIFIED)

    @property
    def people(self) -> tuple[Address, ...]:
        """Everybody whose keys were seen."""
        return self._trust.owners()

    def of(self, owner: Address) -> tuple[DeviceKey, ...]:
        """The keys of somebody that were seen."""
        return self._trust.keys(owner.bare)

    def verify(self, keys: Iterable[DeviceKey]) -> tuple[DeviceKey, ...]:
        """Note that the user has compared these keys, and they are their owner's.

        Just these: the number of a device is nobody's word, and may go with another key by now.

        Raises:
            SecurityRefused: one was verified to be somebody else's.
        """
        return tuple(self._note(key, Trust.VERIFIED) for key in keys)

    def accept(self, owner: Address, device: int) -> DeviceKey:
        """Believe a device without comparing.

        Raises:
            UsageError: it was never seen, or it came with several keys.
        """
        known = self._with_number(owner, device)
        possible = [key for key in known if key.trust is not Trust.DISTRUSTED] or known
        if len(possible) > 1:
            raise UsageError(
                f"device {device} of {owner.bare} came with {len(possible)} keys, of which one at most is its own: "
                "compare them, or scan the code that their app shows"
            )
        return self._trust.decide(owner.bare, possible[0].key, Trust.TRUSTED)

    def distrust(self, owner: Address, device: int) -> tuple[DeviceKey, ...]:
        """Refuse calls with a device, whichever key it came with.

        Raises :class:`~openvoice.errors.UsageError` if it was never seen.
        """
        known = self._with_number(owner, device)
        return tuple(self._trust.decide(owner.bare, key.key, Trust.DISTRUSTED) for key in known)

    def uri(self) -> str:
        """The own keys for others to scan: of this device, and of the own other devices that are verified.

        Raises:
            InvalidState: there is none before the first login.
        """
        own = self.own
        others = (key for key in self.of(self.account) if key.trust is Trust.VERIFIED and key.device != own.device)
        return serialize_key_uri(self.account, [(key.device, key.key) for key in (own, *others)])

    @staticmethod
    def owner_of(uri: str) -> Address:
        """Whose code it is, by its own word. Raises :class:`~openvoice.errors.UsageError` if it is none."""
        return parse_key_uri(uri)[0]

    def scan(self, uri: str, expected: Address | None = None) -> tuple[Compared, ...]:
        """Compare what somebody's code says with what is known, and note the outcome for each of their devices.

        A code says itself whose it is: ``expected`` is the person who shows it, if that is known.

        Raises:
            UsageError: it is no code with keys, or the own.
            SecurityRefused: it is of somebody else than expected, or holds a key that is somebody else's, by what is
                known here.
        """
        owner, keys = parse_key_uri(uri)
        if expected is not None and owner != expected.bare:
            raise SecurityRefused(f"this is the code of {owner}, not of {expected.bare}")
        if owner == self.account and self._own in keys:
            raise UsageError("this is the code of this very device: scan the one that the other person shows")
        if owner != self.account and self._own is not None and self._own[1] in [key for _, key in keys]:
            raise SecurityRefused(f"the code of {owner} holds the key of this very device: somebody made it up")
        return tuple(compared for device, key in keys for compared in self._compare(owner, device, key))

    def _compare(self, owner: Address, device: int, key: bytes) -> Iterable[Compared]:
        for known in self.of(owner):
            if known.device == device and known.key != key:
                yield Compared(self._trust.decide(owner, known.key, Trust.DISTRUSTED), Match.DIFFERENT)
        seen = DeviceKey(owner=owner, device=device, key=key, trust=Trust.VERIFIED)
        yield Compared(self._note(seen, Trust.VERIFIED), Match.VERIFIED)

    def _note(self, key: DeviceKey, trust: Trust) -> DeviceKey:
        # It may have been forgotten while the user looked at it.
        self._trust.meet(key.owner, key.device, key.key, self._now())
        return self._trust.decide(key.owner, key.key, trust)

    def _with_number(self, owner: Address, device: int) -> tuple[DeviceKey, ...]:
        known = tuple(key for key in self.of(owner) if key.device == device)
        if not known:
            raise UsageError(f"no device {device} of {owner.bare} was seen: see 'openvoice trust list {owner.bare}'")
        return known
