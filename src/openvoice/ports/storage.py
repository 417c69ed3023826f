"""What is kept between calls."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from openvoice.core.address import Address
from openvoice.core.trust import DeviceKey, Trust
from openvoice.ports.sound import Frame


class CallStore(Protocol):
    """The history of calls."""

    def add(self, record: dict[str, Any]) -> None: ...

    def list(self, limit: int) -> list[dict[str, Any]]: ...

    def last_online(self, account: str) -> float | None:
        """Unix time until which ``account`` was online here; ``None`` if it never was, as far as is known."""
        ...

    def note_online(self, account: str, time: float) -> None: ...

    def close(self) -> None: ...


class RecordingSink(Protocol):
    """A recording that is being made."""

    @property
    def id(self) -> str: ...

    def write(self, sent: Frame, received: Frame) -> None:
        """Take 20 ms of both sides, in the thread of the media. Never waits.

        Raises:
            AudioFileError: once, when it ends before its time.
        """
        ...

    def close(self) -> None: ...


class RecordingStore(Protocol):
    """Where recordings are kept."""

    def begin(self, about: Mapping[str, Any]) -> RecordingSink:
        """Begin one. ``about`` says of what: ``call``, ``account``, ``peer``, ``direction``, ``time``."""
        ...


OMEMO_SECRETS = "omemo/"
"""What the names of all secrets begin with that a copy must not go on with: the own OMEMO keys and the ratchets."""


class SecretStore(Protocol):
    """Small secrets by name, encrypted at rest. Other processes of the same user may share it."""

    def read(self, name: str) -> bytes | None: ...

    def write(self, name: str, value: bytes) -> None:
        """Keep ``value``, in place of what had that name. Outside of a transaction it is durable when this returns."""
        ...

    def remove(self, name: str) -> None:
        """Forget it. Nothing happens if it is not there."""
        ...

    def names(self, prefix: str) -> list[str]:
        """The names that begin with ``prefix``, sorted."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """All that is written inside becomes durable at once, or, if it raises, nothing of it.

        Other writers wait meanwhile, those of other processes too: nothing inside may wait for a network.
        """
        ...


class TrustStore(Protocol):
    """What is thought of the OMEMO keys of others, and of the own other devices, for one account."""

    def owners(self) -> tuple[Address, ...]:
        """Everybody whose keys were seen, by bare address, sorted."""
        ...

    def keys(self, owner: Address) -> tuple[DeviceKey, ...]:
        """The keys of ``owner`` that were seen, the first first."""
        ...

    def meet(self, owner: Address, device: int, key: bytes, now: float) -> DeviceKey:
        """What is thought of this key; at its first sight, decide by :func:`~openvoice.core.trust.first_sight`."""
        ...

    def decide(self, owner: Address, key: bytes, trust: Trust) -> DeviceKey:
        """Note what the user thinks of a key that was seen.

        Raises:
            KeyError: it was not.
            SecurityRefused: it was verified to be somebody else's.
        """
        ...


@dataclass(frozen=True, slots=True)
class KeyStore:
    """What OMEMO keeps for one account: its own keys and ratchets, and what is thought of others' keys."""

    secrets: SecretStore
    trust: TrustStore
