"""XMPP addresses (RFC 7622)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from openvoice.errors import InvalidAddress

MAXIMUM_PART = 1023
"""Octets that each part may hold (RFC 7622, 3.1)."""

_FORBIDDEN_IN_LOCAL = frozenset("\"&'/:<>@")


@dataclass(frozen=True, slots=True)
class Address:
    """A JID: ``local@domain/resource``. Made by :meth:`parse`, so that equal addresses compare equal."""

    local: str
    domain: str
    resource: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``text`` as a JID.

        Local part and domain are case-folded and NFC-normalised, which is what the PRECIS profiles of RFC 7622 do
        to the addresses in use; the resource is kept as it is.

        Raises:
            InvalidAddress: the text is empty, over-long, or holds characters that no JID holds.
        """
        bare, _, resource = text.partition("/")
        local, at, domain = bare.rpartition("@")
        if at and not local:
            raise InvalidAddress(f"{text!r} is not an XMPP address: nothing stands before the @")
        local = unicodedata.normalize("NFC", local.casefold())
        domain = unicodedata.normalize("NFC", domain.casefold()).removesuffix(".")
        if not domain or ("/" in text and not resource):
            raise InvalidAddress(f"{text!r} is not an XMPP address: write it as name@example.org")
        for part in (local, domain, resource):
            if len(part.encode("utf-8", "surrogatepass")) > MAXIMUM_PART:
                raise InvalidAddress(f"an XMPP address part holds at most {MAXIMUM_PART} bytes")
            if any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in part):
                raise InvalidAddress("an XMPP address holds no control characters")
        if _FORBIDDEN_IN_LOCAL.intersection(local) or any(c.isspace() for c in local + domain) or "@" in domain:
            raise InvalidAddress(f"{text!r} is not an XMPP address: write it as name@example.org")
        return cls(local, domain, resource)

    @property
    def bare(self) -> Address:
        """The same account, without a device."""
        return replace(self, resource="") if self.resource else self

    @property
    def foreign_scripts(self) -> frozenset[str]:
        """The scripts beside Latin in which the bare address is written: ``Cyrillic``, ``Greek`` ...

        A letter of another script may look exactly like a Latin one. Whoever shows an address should name them.
        """
        letters = (character for character in self.local + self.domain if character.isalpha())
        scripts = {unicodedata.name(letter, "unknown").split()[0].capitalize() for letter in letters}
        return frozenset(scripts - {"Latin"})

    @property
    def is_bare(self) -> bool:
        return not self.resource

    def __str__(self) -> str:
        text = f"{self.local}@{self.domain}" if self.local else self.domain
        return f"{text}/{self.resource}" if self.resource else text
