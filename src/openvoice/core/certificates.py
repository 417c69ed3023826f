"""The certificate of the own server: what is remembered of it, and what it means when it is another one.

A certificate that is valid proves that an authority signed it, not that it is the operator's: in 2023 somebody sat
between jabber.ru and its users for months, with certificates that every client accepted. Only the change could be seen.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateFacts:
    """One certificate of a chain. Times are Unix seconds, digests hexadecimal."""

    subject: str
    issuer: str
    not_before: float
    not_after: float
    sha256: str
    public_key_sha256: str
    """Of the SubjectPublicKeyInfo (RFC 7469, 2.4): it stays the same when a certificate is renewed for the same key."""
    organization: str = ""
    """Whom the authority names as the holder of the key. Most authorities name nobody."""

    def as_dict(self) -> dict[str, Any]:
        return dataclasses.asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownCertificate:
    """A certificate that was seen before, ``first_seen`` in Unix seconds."""

    certificate: CertificateFacts
    first_seen: float

    def encode(self) -> bytes:
        """As it is remembered."""
        return json.dumps({"first_seen": self.first_seen, **self.certificate.as_dict()}).encode()

    @classmethod
    def decode(cls, kept: bytes) -> KnownCertificate:
        """Raises ``ValueError`` for anything that :meth:`encode` does not give."""
        try:
            values = json.loads(kept)
            return cls(first_seen=float(values.pop("first_seen")), certificate=CertificateFacts(**values))
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError("not a certificate that was remembered") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateChange:
    """The server shows another certificate than before, and it is valid too."""

    server: str
    old: KnownCertificate
    new: CertificateFacts

    @property
    def same_key(self) -> bool:
        return self.old.certificate.public_key_sha256 == self.new.public_key_sha256

    @property
    def same_authority(self) -> bool:
        return self.old.certificate.issuer == self.new.issuer

    @property
    def same_holder(self) -> bool:
        """Whether both name the same organization, or neither names one."""
        return self.old.certificate.organization == self.new.organization

    @property
    def ordinary(self) -> bool:
        """Whether it looks like the renewal that every server needs from time to time."""
        return self.same_authority and self.same_holder

    @property
    def early(self) -> bool:
        """Whether more than half of the time was left that the old one was made for."""
        old = self.old.certificate
        return self.new.not_before < (old.not_before + old.not_after) / 2

    @property
    def text(self) -> str:
        """What a person is told, in one line."""
        old, new = self.old.certificate, self.new
        key = "the same key" if self.same_key else "a new key"
        if self.ordinary:
            words = f"the certificate of {self.server} was renewed, by {new.issuer} as the one before, for {key}"
            if self.early:
                words += f"; the one before was good until {_day(old.not_after)}: ask the operator why it was replaced"
            return words
        words = f"the certificate of {self.server} is not the one known since {_day(self.old.first_seen)}: "
        if not self.same_authority:
            words += f"{new.issuer} issued it, not {old.issuer}, "
        if not self.same_holder:
            words += f"it belongs to {_holder(new)}, not to {_holder(old)}, "
        return f"{words}and it has {key}; unless the operator says that this is right, somebody may sit in between"

    @property
    def sentence(self) -> str:
        """:attr:`text` where it stands by itself."""
        return f"{self.text[0].upper()}{self.text[1:]}."

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready data; ``docs/events.md`` is its schema."""
        return {
            "old": {**self.old.certificate.as_dict(), "first_seen": self.old.first_seen},
            "new": self.new.as_dict(),
            "same_key": self.same_key,
            "same_authority": self.same_authority,
            "same_holder": self.same_holder,
        }


def _holder(certificate: CertificateFacts) -> str:
    return certificate.organization or "nobody by name"


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).date().isoformat()
