from __future__ import annotations

import ssl
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from openvoice.server import Certificate, CertificateAuthority


def handshake(certificate: Certificate, trusted: bytes, name: str, folder: Path) -> str:
    """The TLS version agreed on in memory; raises what the client raises."""
    (folder / "server.pem").write_bytes(certificate.certificate + certificate.private_key)
    accepting = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    accepting.load_cert_chain(folder / "server.pem")
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cadata=trusted.decode())
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    server = accepting.wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client, server):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    return str(client.version())


def test_a_certificate_holds_for_its_names_and_addresses(tmp_path: Path) -> None:
    authority = CertificateAuthority()
    certificate = authority.issue("voice.test", "127.0.0.1")
    assert handshake(certificate, authority.certificate, "voice.test", tmp_path) == "TLSv1.3"
    assert handshake(certificate, authority.certificate, "127.0.0.1", tmp_path) == "TLSv1.3"


@pytest.mark.parametrize(
    ("names", "starts", "lasts", "complaint"),
    [
        (["other.test"], timedelta(days=-1), timedelta(days=2), "Hostname mismatch"),
        (["voice.test"], timedelta(days=-2), timedelta(days=1), "has expired"),
        (["voice.test"], timedelta(days=1), timedelta(days=1), "not yet valid"),
    ],
)
def test_wrong_ones_can_be_made(
    names: list[str], starts: timedelta, lasts: timedelta, complaint: str, tmp_path: Path
) -> None:
    authority = CertificateAuthority()
    certificate = authority.issue(*names, starts=starts, lasts=lasts)
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        handshake(certificate, authority.certificate, "voice.test", tmp_path)


def test_a_foreign_authority_vouches_for_nothing(tmp_path: Path) -> None:
    certificate = CertificateAuthority().issue("voice.test")
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(certificate, CertificateAuthority().certificate, "voice.test", tmp_path)


def test_a_server_certificate_cannot_issue_others() -> None:
    certificate = x509.load_pem_x509_certificate(CertificateAuthority().issue("voice.test").certificate)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_certificate_needs_a_name() -> None:
    with pytest.raises(ValueError, match="at least one name"):
        CertificateAuthority().issue()


def test_the_private_key_is_not_shown() -> None:
    certificate = CertificateAuthority().issue("voice.test")
    assert "PRIVATE KEY" not in repr(certificate)
    assert b"PRIVATE KEY" in certificate.private_key
