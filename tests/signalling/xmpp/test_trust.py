"""Whom the client trusts, and what it knows of the channel."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from openvoice.errors import CertificateRejected, ConfigurationError, HostNotFound, InsecureServer, ServerUnreachable
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.trust import (
    OtherWay,
    client_context,
    connect_failure,
    stream_failure,
    tls_failure,
)

HERE = Endpoint("127.0.0.1", 5223)


def test_a_private_authority_is_trusted_alone(ca_file: Path) -> None:
    context = client_context(ca_file)
    assert context.cert_store_stats()["x509_ca"] == 1
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_one_context_for_all(ca_file: Path) -> None:
    assert client_context(ca_file) is client_context(ca_file)
    assert client_context(None) is client_context(None)
    assert client_context(None) is not client_context(ca_file)


def test_an_authority_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for path in (tmp_path / "missing.pem", tmp_path / "empty.pem"):
        with pytest.raises(ConfigurationError, match=path.name):
            client_context(path)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (9, "clock"),
        (10, "has expired: ask"),
        (18, "--ca FILE"),
        (20, "--ca FILE"),
        (62, "another name"),
        (23, "certificate revoked"),
    ],
)
def test_a_certificate_that_is_not_accepted_says_what_to_do(number: int, words: str) -> None:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = number, "certificate revoked"
    with pytest.raises(CertificateRejected, match=words):
        raise tls_failure(error, "example.org")


def test_a_server_that_serves_other_domains() -> None:
    for failure in (
        tls_failure(_ssl_error("TLSV1_UNRECOGNIZED_NAME"), "example.org"),
        stream_failure("host-unknown", "example.org"),
    ):
        assert isinstance(failure, HostNotFound)
        assert "does not serve example.org" in str(failure)
    assert isinstance(stream_failure("system-shutdown", "example.org"), ServerUnreachable)


def _ssl_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, reason)
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("cause", "way", "kind"),
    [
        ("No DNS record available", Security.DIRECT, HostNotFound),
        (ConnectionRefusedError(), Security.DIRECT, ServerUnreachable),
        (_ssl_error("UNSUPPORTED_PROTOCOL"), Security.DIRECT, InsecureServer),
        (_ssl_error("WRONG_VERSION_NUMBER"), Security.DIRECT, OtherWay),
        (ConnectionResetError(), Security.DIRECT, OtherWay),
        (TimeoutError(), Security.DIRECT, OtherWay),
        (ConnectionResetError(), Security.UPGRADE, ServerUnreachable),
        (TimeoutError(), Security.UPGRADE, ServerUnreachable),
    ],
)
def test_failures_by_name(cause: OSError | str, way: Security, kind: type[Exception]) -> None:
    assert type(connect_failure(cause, "example.org", HERE, way)) is kind
