"""What is kept about one device of somebody: the sessions with it, and what was already received from it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from omemo.types import JSONType

from openvoice.core.address import Address
from openvoice.ports import OMEMO_SECRETS, SecretStore
from openvoice.signalling.xmpp.omemo.storage import read_json, write_json
from openvoice.signalling.xmpp.omemo.wire import MAXIMUM_DEVICES

MAXIMUM_SESSIONS = 5
"""Sessions of one device. When both sides begin one at once, each may go on writing in another."""
MAXIMUM_SEEN = 128
"""Message keys that are remembered, so that one which comes again is known as such."""
REACH_AGAIN = 60.0
"""Seconds that lie between two messages to a device that nobody asked for."""

Fields = dict[str, JSONType]
"""What python-omemo makes of one session."""


@dataclass(kw_only=True, slots=True)
class Record:
    """``sessions`` are the fields of each, the one in use first. ``used`` and ``reached`` are Unix times: of the last
    use, 0 for a new record, and of the last message to the device that only repaired or kept up a session.
    ``doubted`` says that the device may have lost what the session in use needs."""

    sessions: list[Fields] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    used: float = 0.0
    reached: float = 0.0
    doubted: bool = False

    def has_seen(self, data: bytes) -> bool:
        return _digest(data) in self.seen

    def note_seen(self, data: bytes) -> None:
        self.seen = [*self.seen, _digest(data)][-MAXIMUM_SEEN:]


def read_record(secrets: SecretStore, peer: Address, device: int) -> Record:
    """The record of a device; an empty one if nothing is kept about it."""
    kept = read_json(secrets, _name(peer, device))
    return Record() if kept is None else Record(**kept)


def write_record(secrets: SecretStore, peer: Address, device: int, record: Record, now: float) -> None:
    """Keep ``record``. Of a person with too many devices, the one that was used least recently is forgotten."""
    if not record.used:
        kept = secrets.names(OMEMO_SECRETS + _name(peer))
        if len(kept) >= MAXIMUM_DEVICES:
            records = {name: Record(**read_json(secrets, name.removeprefix(OMEMO_SECRETS))) for name in kept}
            secrets.remove(min(records, key=lambda name: records[name].used))
    record.used = now
    write_json(
        secrets,
        _name(peer, device),
        {
            "sessions": record.sessions,
            "seen": record.seen,
            "used": record.used,
            "reached": record.reached,
            "doubted": record.doubted,
        },
    )


def may_reach(secrets: SecretStore, peer: Address, device: int, now: float) -> bool:
    """Whether a device may be written to without being asked, which is noted, so that the next time is a while off."""
    with secrets.transaction():
        record = read_record(secrets, peer, device)
        if 0.0 <= now - record.reached < REACH_AGAIN:
            return False
        record.reached = now
        write_record(secrets, peer, device, record, now)
        return True


def _name(peer: Address, device: int | None = None) -> str:
    return f"session/{peer.bare}/{'' if device is None else device}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
