"""Where a message came from, and by which way."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element

from openvoice.core.address import Address
from openvoice.errors import InvalidAddress
from openvoice.jingle.messages import wants_receipt


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """All of a message but what it says. Carbons were unwrapped, and their origin was checked."""

    sender: Address
    to: Address
    id: str = ""
    carbon: str | None = None
    """``sent`` for what another own device sent, ``received`` for what it received (XEP-0280)."""
    stamp: float | None = None
    """Unix time at which a server took it into custody (XEP-0203)."""
    wants_receipt: bool = False

    @classmethod
    def of(
        cls, message: Element, sender: Address, *, own: Address, carbon: str | None = None, stamp: float | None = None
    ) -> Envelope | None:
        """The envelope of a message, or ``None`` if it is addressed to no JID. Without an address it is to ``own``."""
        try:
            to = Address.parse(message.get("to") or str(own))
        except InvalidAddress:
            return None
        return cls(
            sender=sender,
            to=to,
            id=message.get("id", ""),
            carbon=carbon,
            stamp=stamp,
            wants_receipt=wants_receipt(message),
        )
