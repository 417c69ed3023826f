"""What a certificate says of itself."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from openvoice.signalling.xmpp.trust import certificate_facts

KEY = ec.generate_private_key(ec.SECP256R1())
BEGINS = datetime(2026, 7, 1, tzinfo=UTC)


def name(**parts: str) -> x509.Name:
    kinds = {"organization": NameOID.ORGANIZATION_NAME, "common": NameOID.COMMON_NAME}
    return x509.Name([x509.NameAttribute(kinds[kind], text) for kind, text in parts.items()])


def encoded(subject: x509.Name, issuer: x509.Name) -> bytes:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(BEGINS)
        .not_valid_after(BEGINS + timedelta(days=90))
    )
    return builder.sign(KEY, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


@pytest.mark.parametrize(
    ("subject", "issuer", "expected"),
    [
        (name(common="example.org"), name(organization="Root", common="R3"), ("example.org", "Root", "")),
        (
            name(organization="Example Ltd", common="example.org"),
            name(common="R3"),
            ("example.org", "R3", "Example Ltd"),
        ),
        (name(), name(common="R3"), ("", "R3", "")),
    ],
)
def test_who_is_named_and_by_whom(subject: x509.Name, issuer: x509.Name, expected: tuple[str, str, str]) -> None:
    facts = certificate_facts(encoded(subject, issuer))
    assert (facts.subject, facts.issuer, facts.organization) == expected


def test_the_digest_of_the_key_outlives_the_certificate() -> None:
    first = certificate_facts(encoded(name(common="a"), name(common="R")))
    second = certificate_facts(encoded(name(common="b"), name(common="R")))
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert first.sha256 != second.sha256
    assert first.public_key_sha256 == second.public_key_sha256 == hashlib.sha256(public).hexdigest()
    assert (first.not_before, first.not_after - first.not_before) == (BEGINS.timestamp(), 90 * 86_400)
