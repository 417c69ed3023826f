"""Certificates of a server, for tests."""

from __future__ import annotations

from openvoice.core.certificates import CertificateChange, CertificateFacts, KnownCertificate

DAY = 86_400.0
JULY = 1_782_864_000.0
"""1 July 2026, Unix time in seconds."""


def certificate(
    *, issuer: str = "Root", key: str = "aa", organization: str = "", begins: float = JULY, days: float = 90.0
) -> CertificateFacts:
    """A certificate that differs from another one by what the test says."""
    name = f"{issuer}{key}{organization}{begins}{days}".encode().hex()
    return CertificateFacts(
        subject="example.org",
        issuer=issuer,
        not_before=begins,
        not_after=begins + days * DAY,
        sha256=name[-64:].zfill(64),
        public_key_sha256=key * 32,
        organization=organization,
    )


def change(old: CertificateFacts, new: CertificateFacts) -> CertificateChange:
    return CertificateChange(
        server="example.org", old=KnownCertificate(certificate=old, first_seen=JULY + DAY), new=new
    )
