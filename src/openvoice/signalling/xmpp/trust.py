"""Whom the stream trusts (RFC 6120, 13.7): one TLS context for all, and the facts of what was negotiated."""

from __future__ import annotations

import functools
import hashlib
import ssl
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from openvoice.core.certificates import CertificateFacts
from openvoice.core.security import SignallingFacts
from openvoice.errors import (
    CertificateRejected,
    ConfigurationError,
    ConnectionFailed,
    HostNotFound,
    InsecureServer,
    ServerUnreachable,
)
from openvoice.signalling.xmpp.endpoints import Endpoint, Security


@functools.lru_cache(maxsize=8)
def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS 1.2 or later, the certificate checked against the system's authorities, or against ``ca_file`` alone.

    The same object for the same file: a context with the system's authorities weighs 0.8 MiB.

    Raises:
        ConfigurationError: ``ca_file`` cannot be read.
    """
    try:
        # A cafile replaces the system's authorities here; load_verify_locations would add to them.
        context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    except (OSError, ssl.SSLError):
        raise ConfigurationError(f"{ca_file} holds no certificate of an authority that can be read") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["xmpp-client"])
    return context


def tls_failure(error: OSError, domain: str) -> ConnectionFailed:
    """The error of ours for a TLS handshake that failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _VERIFICATION.get(error.verify_code, error.verify_message)
        return CertificateRejected(f"the certificate of {domain} is not accepted: {why}")
    if isinstance(error, ssl.SSLError) and error.reason == "TLSV1_UNRECOGNIZED_NAME":
        return stream_failure("host-unknown", domain)
    if isinstance(error, ssl.SSLError):
        return InsecureServer(f"{domain} does not offer TLS 1.2 or later")
    return ServerUnreachable(f"{domain} does not answer: the secure connection was cut off")


_UNKNOWN_AUTHORITY = (
    "no authority that this device trusts has signed it (one of the server's own is named with --ca FILE)"
)
_VERIFICATION = {
    9: "it is not valid yet: check the clock of this device",
    10: "it has expired: ask the server's operator to renew it",
    18: _UNKNOWN_AUTHORITY,
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
    62: "it is for another name: check the address, or ask the server's operator",
    64: "it is for another name: check the address, or ask the server's operator",
}
"""What X.509 verification found, by its number in OpenSSL (X509_V_ERR_*)."""


def stream_failure(condition: str, domain: str) -> ConnectionFailed:
    """The error of ours for a stream error (RFC 6120, 4.9.3)."""
    if condition == "host-unknown":
        return HostNotFound(f"the server does not serve {domain}: check the address, or what --server names")
    return ServerUnreachable(f"the server ended the connection: {condition}")


class OtherWay(Exception):
    """This port does not speak TLS at once: try STARTTLS, and report ``failure`` if that is not to be tried."""

    def __init__(self, failure: ConnectionFailed) -> None:
        super().__init__(str(failure))
        self.failure = failure


def connect_failure(
    cause: OSError | str, domain: str, endpoint: Endpoint, way: Security
) -> ConnectionFailed | OtherWay:
    """The error for an attempt that did not even get a stream; slixmpp has a text where a name does not resolve."""
    if isinstance(cause, str):
        return HostNotFound(f"there is no server named {endpoint.host}: check the address, or say --server HOST:PORT")
    # asyncio has one name for a handshake that takes too long and for one that the other side cut off.
    if way is Security.DIRECT and isinstance(
        cause, ssl.SSLError | ConnectionAbortedError | ConnectionResetError | TimeoutError
    ):
        failure = tls_failure(cause, domain)
        return OtherWay(failure) if _speaks_no_tls(cause) else failure
    return ServerUnreachable(
        f"nothing answers at {endpoint.host} port {endpoint.port}: check the network, and whether the server runs"
    )


def _speaks_no_tls(error: OSError) -> bool:
    """Whether a failed handshake shows a port that expects clear text first, rather than TLS that is refused."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return False
    return not isinstance(error, ssl.SSLError) or error.reason in _NOT_TLS


_NOT_TLS = {"WRONG_VERSION_NUMBER", "UNEXPECTED_EOF_WHILE_READING", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", None}


def channel_bindings(tls: ssl.SSLObject) -> dict[str, bytes]:
    """The channel bindings that this TLS session can prove, by type, the strongest first.

    ``tls-exporter`` (RFC 9266) where Python has it, ``tls-unique`` (RFC 5929, 3) below TLS 1.3,
    ``tls-server-end-point`` (RFC 5929, 4) always.
    """
    bindings: dict[str, bytes] = {}
    kind = "tls-exporter" if tls.version() == "TLSv1.3" else "tls-unique"
    if kind in ssl.CHANNEL_BINDING_TYPES:
        data = tls.get_channel_binding(kind)
        if data:
            bindings[kind] = data
    certificate = tls.getpeercert(True)
    if certificate:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
        if algorithm is not None:
            weak = isinstance(algorithm, hashes.MD5 | hashes.SHA1)
            bindings["tls-server-end-point"] = hashlib.new("sha256" if weak else algorithm.name, certificate).digest()
    return bindings


def signalling_facts(
    tls: ssl.SSLObject, domain: str, local_address: str, *, mechanism: str = "", binding: str = ""
) -> SignallingFacts:
    """How the stream over ``tls``, which comes from ``local_address``, is protected."""
    cipher = tls.cipher()
    return SignallingFacts(
        server=domain,
        tls_version=tls.version() or "",
        cipher=cipher[0] if cipher else "",
        sasl_mechanism=mechanism,
        channel_binding=binding,
        chain=tuple(map(certificate_facts, _chain(tls))),
        local_address=local_address,
    )


def certificate_facts(encoded: bytes) -> CertificateFacts:
    """What a certificate (DER) says of itself."""
    certificate = x509.load_der_x509_certificate(encoded)
    public_key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return CertificateFacts(
        subject=_name(certificate.subject, NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME)
        or certificate.subject.rfc4514_string(),
        issuer=_name(certificate.issuer, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        or certificate.issuer.rfc4514_string(),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        sha256=hashlib.sha256(encoded).hexdigest(),
        public_key_sha256=hashlib.sha256(public_key).hexdigest(),
        organization=_name(certificate.subject, NameOID.ORGANIZATION_NAME),
    )


def _chain(tls: ssl.SSLObject) -> list[bytes]:
    """The verified chain, the server's own certificate first; that one alone before Python 3.13."""
    verified: Callable[[], list[bytes]] | None = getattr(tls, "get_verified_chain", None)
    if verified is not None:
        return verified()
    certificate = tls.getpeercert(True)
    return [certificate] if certificate else []


def _name(name: x509.Name, *kinds: x509.ObjectIdentifier) -> str:
    """The first of these parts of a name that is there, or nothing."""
    for kind in kinds:
        for attribute in name.get_attributes_for_oid(kind):
            return str(attribute.value)
    return ""
