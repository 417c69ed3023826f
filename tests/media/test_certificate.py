"""The certificate of a call."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from openvoice.core.description import FINGERPRINT_OCTETS
from openvoice.media.certificate import Certificate, fingerprint


def test_it_is_ecdsa_p256_as_conversations_demands() -> None:
    key = Certificate.generateCertificate()._cert.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert isinstance(key.curve, ec.SECP256R1)


def test_each_call_has_another_and_signals_one_sha256_fingerprint() -> None:
    first, second = Certificate.generateCertificate(), Certificate.generateCertificate()
    assert first.fingerprint.algorithm == "sha-256"
    assert not first.fingerprint.matches(second.fingerprint)
    assert first._cert.subject != second._cert.subject


def test_every_hash_that_may_vouch_can_be_computed() -> None:
    certificate = Certificate.generateCertificate()
    for algorithm, octets in FINGERPRINT_OCTETS.items():
        assert len(fingerprint(certificate._cert, algorithm).digest) == octets
