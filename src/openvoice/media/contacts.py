"""Notes whom the sockets of an ICE agent send to, before they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from openvoice.core.contacts import Contact


class Contacts:
    """Tells of each contact once, and once more when its other end says how it sees this device."""

    def __init__(self, tell: Callable[[Contact], None]) -> None:
        self._tell = tell
        self._known: dict[Contact, str] = {}

    def note(self, contact: Contact) -> None:
        """Remember a contact. The first address that the other end says it sees is the one that counts."""
        plain = replace(contact, mapped="")
        if self._known.get(plain) or self._known.get(plain) == contact.mapped:
            return
        self._known[plain] = contact.mapped
        self._tell(contact)
