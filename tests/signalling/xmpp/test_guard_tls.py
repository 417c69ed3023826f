"""Whose certificate the guarded client accepts, and how its TLS is bound to the login."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from openvoice.errors import (
    CertificateRejected,
    InsecureServer,
)
from openvoice.server.certificates import CertificateAuthority
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from tests.signalling.xmpp.guarded import (
    attempt,
    client,
    good_session,
    upgraded,
)
from tests.signalling.xmpp.scripted import (
    ALICE,
    DOMAIN,
    Peer,
    ScriptedServer,
    server_context,
)

pytestmark = pytest.mark.network


async def test_good_certificate_direct(tls: ssl.SSLContext, ca_file: Path) -> None:
    async with ScriptedServer(good_session, context=tls) as server, client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        assert guarded.facts is not None
        assert guarded.facts.tls_version == "TLSv1.3"
        assert guarded.facts.sasl_mechanism == "SCRAM-SHA-256"
        assert len(guarded.facts.certificate_sha256) == 64
        assert guarded.facts.certificate_issuer == "openvoice private authority"
        certificate = guarded.facts.chain[0]
        assert (certificate.sha256, certificate.issuer) == (
            guarded.facts.certificate_sha256,
            guarded.facts.certificate_issuer,
        )
        assert certificate.not_before < time.time() < certificate.not_after
        assert len(certificate.public_key_sha256) == 64
        assert certificate.public_key_sha256 != certificate.sha256
        assert guarded.facts.local_address == "127.0.0.1"
        assert passenger.address is not None
        assert passenger.address.bare == ALICE


async def test_good_certificate_starttls(tls: ssl.SSLContext, ca_file: Path) -> None:
    async with ScriptedServer(upgraded(tls)) as server:
        await attempt(server, ca_file, Security.UPGRADE)


def bad_certificates() -> dict[str, Callable[[CertificateAuthority], ssl.SSLContext]]:
    day = timedelta(days=1)
    return {
        "wrong host": lambda ours: server_context(ours.issue("elsewhere.test")),
        "expired": lambda ours: server_context(ours.issue(DOMAIN, starts=-3 * day, lasts=day)),
        "not yet valid": lambda ours: server_context(ours.issue(DOMAIN, starts=3 * day)),
        "other authority": lambda ours: server_context(CertificateAuthority().issue(DOMAIN)),
    }


@pytest.mark.parametrize("fault", bad_certificates())
@pytest.mark.parametrize("way", Security)
async def test_bad_certificate(fault: str, way: Security, authority: CertificateAuthority, ca_file: Path) -> None:
    context = bad_certificates()[fault](authority)
    seen: list[str] = []

    async def script(peer: Peer) -> None:
        if way is Security.UPGRADE:
            await peer.start_tls(context)
        seen.append(await peer.rest())

    async with ScriptedServer(script, context=context if way is Security.DIRECT else None) as server:
        with pytest.raises(CertificateRejected, match=DOMAIN):
            await attempt(server, ca_file, way)
    assert "auth" not in "".join(seen)


async def test_a_private_authority_is_unknown_without_its_file(tls: ssl.SSLContext) -> None:
    async with ScriptedServer(good_session, context=tls) as server:
        with pytest.raises(CertificateRejected):
            await attempt(server, None, Security.DIRECT)


async def test_tls_1_1_is_refused(authority: CertificateAuthority, ca_file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context = server_context(authority.issue(DOMAIN), oldest=ssl.TLSVersion.TLSv1, newest=ssl.TLSVersion.TLSv1_1)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        # Not by asyncio, whose servers do not send the alert.
        connection, _ = listener.accept()
        with contextlib.suppress(ssl.SSLError), connection:
            context.wrap_socket(connection, server_side=True)

    async with client(ca_file) as (guarded, _):
        answering = asyncio.create_task(asyncio.to_thread(answer))
        with pytest.raises(InsecureServer, match=r"TLS 1\.2"):
            await guarded.reach(Endpoint(*listener.getsockname()), Security.DIRECT, 5, 5)
        await answering
    listener.close()


async def test_tls_1_2_binds_the_login_to_the_channel(authority: CertificateAuthority, ca_file: Path) -> None:
    context = server_context(authority.issue(DOMAIN), newest=ssl.TLSVersion.TLSv1_2)

    async def script(peer: Peer) -> None:
        tls = peer.writer.get_extra_info("ssl_object")
        name = await peer.scram(
            offered=("SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"), binding=tls.get_channel_binding("tls-unique")
        )
        assert name == "SCRAM-SHA-256-PLUS"
        await peer.bind()
        await peer.rest()

    async with ScriptedServer(script, context=context) as server, client(ca_file) as (guarded, _):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        assert guarded.facts is not None
        assert guarded.facts.tls_version == "TLSv1.2"
        assert guarded.facts.channel_binding == "tls-unique"


async def test_a_login_without_the_binding_of_the_last_one_is_refused(
    authority: CertificateAuthority, ca_file: Path
) -> None:
    context = server_context(authority.issue(DOMAIN), newest=ssl.TLSVersion.TLSv1_2)

    async def bound(peer: Peer) -> None:
        binding = peer.writer.get_extra_info("ssl_object").get_channel_binding("tls-unique")
        await peer.scram(offered=("SCRAM-SHA-256-PLUS",), binding=binding)
        await peer.bind()

    async with ScriptedServer(bound, good_session, context=context) as server, client(ca_file) as (guarded, _):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        await guarded.lost()
        with pytest.raises(InsecureServer, match="no longer proves"):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)


async def test_alpn_names_xmpp(authority: CertificateAuthority, ca_file: Path) -> None:
    context = server_context(authority.issue(DOMAIN))
    context.set_alpn_protocols(["http/1.1", "xmpp-client"])
    chosen: list[str | None] = []

    async def script(peer: Peer) -> None:
        chosen.append(peer.writer.get_extra_info("ssl_object").selected_alpn_protocol())
        await good_session(peer)

    async with ScriptedServer(script, context=context) as server:
        await attempt(server, ca_file, Security.DIRECT)
    assert chosen == ["xmpp-client"]
