"""The DTLS certificate of one call: ECDSA P-256, self-signed, known by its fingerprint (RFC 8122, RFC 5763)."""

from __future__ import annotations

from aiortc import RTCCertificate
from aiortc.rtcdtlstransport import X509_DIGEST_ALGORITHMS, SRTPProtectionProfile
from cryptography import x509
from OpenSSL import SSL

from openvoice.core.description import Fingerprint

_CIPHERS = (
    b"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305"
    b":ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305"
)
"""Ephemeral keys and authenticated encryption only. The second line is for peers with an RSA certificate:
old Dino, GStreamer, gateways."""


class Certificate(RTCCertificate):
    """Made anew for each call by :meth:`generateCertificate`, so that it links no two calls."""

    @property
    def fingerprint(self) -> Fingerprint:
        """The one that is signalled: sha-256, the only one every client verifies."""
        return fingerprint(self._cert, "sha-256")

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context


def fingerprint(certificate: x509.Certificate, algorithm: str) -> Fingerprint:
    """The hash of a certificate. ``algorithm`` is one of :data:`~openvoice.core.description.FINGERPRINT_OCTETS`."""
    return Fingerprint(algorithm, certificate.fingerprint(X509_DIGEST_ALGORITHMS[algorithm]))
