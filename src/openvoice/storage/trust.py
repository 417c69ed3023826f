"""What is thought of OMEMO keys, kept among the secrets: whom one trusts is nobody else's business."""

from __future__ import annotations

import json

from openvoice.core.address import Address
from openvoice.core.trust import DeviceKey, Trust, decided, first_sight
from openvoice.errors import SecurityRefused
from openvoice.ports import SecretStore

TRUST = "trust/"
MAXIMUM_KEYS = 100
"""Keys of one person that are kept without a decision of the user's. Whoever carries messages could make up more."""

_BLIND = (Trust.UNDECIDED, Trust.TRUSTED)


class TrustBook:
    """A :class:`~openvoice.ports.TrustStore` over the secrets of one account."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def owners(self) -> tuple[Address, ...]:
        return tuple(Address.parse(name.removeprefix(TRUST)) for name in self._secrets.names(TRUST))

    def keys(self, owner: Address) -> tuple[DeviceKey, ...]:
        kept = self._secrets.read(TRUST + str(owner.bare))
        return tuple(_read(owner.bare, entry) for entry in json.loads(kept)) if kept is not None else ()

    def meet(self, owner: Address, device: int, key: bytes, now: float) -> DeviceKey:
        with self._secrets.transaction():
            keys = self.keys(owner)
            known = next((item for item in keys if item.key == key and item.device == device), None)
            if known is not None:
                return known
            same = next((item for item in keys if item.key == key), None)
            trust = same.trust if same is not None else first_sight(item.trust for item in keys)
            met = DeviceKey(owner=owner.bare, device=device, key=key, trust=trust, seen=now)
            self._write(owner, (*_newest(tuple(item for item in keys if item.key != key)), met))
            return met

    def decide(self, owner: Address, key: bytes, trust: Trust) -> DeviceKey:
        with self._secrets.transaction():
            if trust is Trust.VERIFIED:
                self._check_owner(owner.bare, key)
            keys = {item.key: item for item in decided(self.keys(owner), key, trust)}
            found = keys[key]
            self._write(owner, tuple(keys.values()))
            return found

    def _check_owner(self, owner: Address, key: bytes) -> None:
        """A key that was compared belongs to one person: another who shows it has it from there."""
        for other in self.owners():
            if other != owner and any(item.key == key and item.trust is Trust.VERIFIED for item in self.keys(other)):
                raise SecurityRefused(
                    f"this key is that of {other}, as you verified: {owner} cannot have it too; if that was wrong, "
                    "distrust it there first"
                )

    def _write(self, owner: Address, keys: tuple[DeviceKey, ...]) -> None:
        entries = [
            {"device": item.device, "key": item.key.hex(), "trust": item.trust, "seen": item.seen} for item in keys
        ]
        self._secrets.write(TRUST + str(owner.bare), json.dumps(entries).encode())


def _newest(keys: tuple[DeviceKey, ...]) -> tuple[DeviceKey, ...]:
    """``keys`` without the oldest that nobody decided about, if there are too many of those."""
    blind = [item for item in keys if item.trust in _BLIND]
    gone = blind[: max(0, len(blind) + 1 - MAXIMUM_KEYS)]
    return tuple(item for item in keys if item not in gone)


def _read(owner: Address, entry: dict[str, object]) -> DeviceKey:
    return DeviceKey(
        owner=owner,
        device=int(str(entry["device"])),
        key=bytes.fromhex(str(entry["key"])),
        trust=Trust(str(entry["trust"])),
        seen=float(str(entry["seen"])),
    )
