"""What is kept, by whom, how long, and how it goes away: the other half of the letter of 2013."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """A kind of thing that is kept on this machine, beside the settings."""

    CALLS = "calls"
    PRESENCE = "presence"
    PASSWORDS = "passwords"
    KEYS = "keys"
    TRUST = "trust"
    SERVERS = "servers"
    RECORDINGS = "recordings"
    OTHER = "other"


class Keeper(StrEnum):
    """Who keeps something."""

    DEVICE = "this device"
    SERVER = "own server"

    @property
    def heading(self) -> str:
        """What stands above all that it keeps."""
        return {"this device": "On this machine", "own server": "On your server"}[self.value]


class Reader(StrEnum):
    """Who can read what is kept."""

    NOBODY_ELSE = "only you, with the key"
    FILES = "whoever can read your files"
    OPERATOR = "the operator of the server"
    EVERYBODY = "everybody who asks the server"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """One kind of thing that is kept.

    ``name`` is one word for machines. ``amount`` counts in ``unit``; ``None`` where nobody tells. ``remove`` is the
    command that removes it, or what to do where there is none.
    """

    keeper: Keeper
    name: str
    what: str
    where: str
    amount: int | None = None
    unit: str = ""
    how_long: str
    reader: Reader
    remove: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
