"""What the guarded client does with servers, and people on the way, that mean harm."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
import time
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId
from slixmpp.xmlstream.stanzabase import StanzaBase

from openvoice.core.address import Address
from openvoice.errors import (
    CertificateRejected,
    ConnectionFailed,
    HostNotFound,
    InsecureServer,
    InvalidAddress,
    LoginRefused,
    ServerUnreachable,
)
from openvoice.server.certificates import CertificateAuthority
from openvoice.signalling.xmpp.dial import dial
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.trust import OtherWay, client_context
from tests.signalling.xmpp.scripted import (
    ALICE,
    BIND,
    DOMAIN,
    HEADER,
    PASSWORD,
    PROCEED,
    SASL,
    STARTTLS,
    Peer,
    Script,
    ScriptedServer,
    features,
    mechanisms,
    server_context,
)

pytestmark = pytest.mark.network

MESSAGE = "<message from='bob@openvoice.test' to='alice@openvoice.test'><body>forged</body></message>"


class Passenger:
    """Takes what comes, and remembers it."""

    def __init__(self) -> None:
        self.taken: list[Element] = []
        self.given: list[Element] = []
        self.address: Address | None = None
        self.arrived = asyncio.Event()

    async def resume(self, features: Element) -> bool:
        return False

    async def begin(self, features: Element, address: Address) -> None:
        self.address = address

    def take(self, item: Element) -> bool:
        if item.tag.endswith("iq"):
            return False
        self.taken.append(item)
        self.arrived.set()
        return True

    def give(self, item: Element) -> None:
        self.given.append(item)
        self.arrived.set()


@contextlib.asynccontextmanager
async def client(ca_file: Path | None) -> AsyncIterator[tuple[GuardedClient, Passenger]]:
    passenger = Passenger()
    guarded = GuardedClient(ALICE, client_context(ca_file), PASSWORD, passenger)
    try:
        yield guarded, passenger
    finally:
        await guarded.close(0.02)


async def attempt(server: ScriptedServer, ca_file: Path | None, way: Security, timeout: float = 5.0) -> Passenger:
    async with client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), way, timeout, timeout)
        assert passenger.address is not None
        return passenger


async def good_session(peer: Peer) -> None:
    await peer.scram()
    await peer.bind()
    await peer.rest()


def upgraded(context: ssl.SSLContext) -> Script:
    async def script(peer: Peer) -> None:
        await peer.start_tls(context)
        await good_session(peer)

    return script


# --- certificates and TLS ---------------------------------------------------------------------------------------------


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


# --- somebody on the way, where TLS has not begun ---------------------------------------------------------------------


async def test_a_second_stream_owes_nothing_to_the_first(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def brief(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()

    async def injected(peer: Peer) -> None:
        await peer.until("<stream:stream[^>]*>")
        await peer.send(HEADER + features(BIND) + MESSAGE)
        await peer.rest()

    async with (
        ScriptedServer(brief, context=tls) as good,
        ScriptedServer(injected, context=tls) as bad,
        client(ca_file) as (guarded, passenger),
    ):
        await guarded.reach(Endpoint(*good.address), Security.DIRECT, 5, 5)
        await guarded.lost()
        # Not even if slixmpp forgot to forget.
        guarded.del_event_handler("connected", guarded._reset_connection_state)
        with pytest.raises(InsecureServer):
            await guarded.reach(Endpoint(*bad.address), Security.DIRECT, 5, 5)
        assert passenger.taken == []


async def nothing_of_ours(peer: Peer, *content: str) -> None:
    await peer.header(*content)
    assert "<auth" not in await peer.rest()


@pytest.mark.parametrize(
    "offered",
    [
        pytest.param([mechanisms("PLAIN", "SCRAM-SHA-256")], id="no STARTTLS, SASL"),
        pytest.param([BIND], id="no STARTTLS, no SASL, only bind"),
        pytest.param([mechanisms("EXTERNAL")], id="EXTERNAL"),
        pytest.param([], id="nothing"),
    ],
)
@pytest.mark.parametrize("success", [True, False])
async def test_clear_text_is_refused(offered: list[str], success: bool, ca_file: Path) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.header(*offered)
        if success:
            await peer.send(f"<success xmlns='{SASL}'/>")
        sent.append(await peer.rest())

    async with ScriptedServer(script) as server:
        with pytest.raises(InsecureServer):
            await attempt(server, ca_file, Security.UPGRADE)
    assert "<auth" not in sent[0]
    assert "<iq" not in sent[0]
    assert "<presence" not in sent[0]


@pytest.mark.parametrize("content", [BIND, ""])
async def test_tls_without_sasl_is_refused(content: str, tls: ssl.SSLContext, ca_file: Path) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.header(content)
        sent.append(await peer.rest())

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(InsecureServer, match="SCRAM"):
            await attempt(server, ca_file, Security.DIRECT)
    assert "<iq" not in sent[0]


async def injected_before_features(peer: Peer) -> None:
    await peer.until("<stream:stream[^>]*>")
    await peer.send(HEADER + MESSAGE + features(STARTTLS))
    await peer.rest()


async def injected_with_proceed(peer: Peer) -> None:
    await peer.header(STARTTLS)
    await peer.until("<starttls")
    await peer.send(PROCEED + MESSAGE)
    await peer.rest()


async def injected_before_proceed(peer: Peer) -> None:
    await peer.header(STARTTLS)
    await peer.until("<starttls")
    await peer.send(MESSAGE + PROCEED)
    await peer.rest()


async def proceed_unasked(peer: Peer) -> None:
    await peer.until("<stream:stream[^>]*>")
    await peer.send(HEADER + PROCEED)
    await peer.rest()


async def starttls_failed(peer: Peer) -> None:
    await peer.header(STARTTLS)
    await peer.until("<starttls")
    await peer.send("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>")
    await peer.rest()


@pytest.mark.parametrize(
    "script",
    [injected_before_features, injected_with_proceed, injected_before_proceed, proceed_unasked, starttls_failed],
)
async def test_injection_in_clear_text_is_refused(script: Script, ca_file: Path) -> None:
    async with ScriptedServer(script) as server, client(ca_file) as (guarded, passenger):
        events: list[object] = []
        for name in ("message", "session_start", "session_bind", "roster_update"):
            guarded.add_event_handler(name, events.append)
        with pytest.raises(InsecureServer):
            await guarded.reach(Endpoint(*server.address), Security.UPGRADE, 5, 5)
        assert passenger.taken == []
        assert events == []


async def test_half_a_stanza_injected_with_proceed_does_not_reach_into_tls(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.header(STARTTLS)
        await peer.until("<starttls")
        await peer.send(PROCEED + "<message><body>half")
        await peer.writer.start_tls(tls)
        await good_session(peer)

    async with ScriptedServer(script) as server:
        passenger = await attempt(server, ca_file, Security.UPGRADE)
    assert passenger.taken == []


async def test_stanzas_inside_tls_but_before_the_login_are_refused(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.until("<stream:stream[^>]*>")
        await peer.send(HEADER + features(mechanisms("SCRAM-SHA-256")) + MESSAGE)
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        with pytest.raises(InsecureServer):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        assert passenger.taken == []


# --- the login --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offered", [("PLAIN",), ("EXTERNAL", "PLAIN", "DIGEST-MD5"), ("ANONYMOUS",)])
async def test_only_scram(offered: tuple[str, ...], tls: ssl.SSLContext, ca_file: Path) -> None:
    async with ScriptedServer(lambda peer: nothing_of_ours(peer, mechanisms(*offered)), context=tls) as server:
        with pytest.raises(InsecureServer, match="SCRAM"):
            await attempt(server, ca_file, Security.DIRECT)


async def test_a_refused_scram_does_not_fall_back_to_plain(tls: ssl.SSLContext, ca_file: Path) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.header(mechanisms("SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"))
        await peer.until("<auth.*?</auth>")
        await peer.send(f"<failure xmlns='{SASL}'><not-authorized/></failure>")
        sent.append(await peer.rest())

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(LoginRefused):
            await attempt(server, ca_file, Security.DIRECT)
        assert server.connections == 1
    assert sent[0].count("<auth") == 1


async def test_wrong_password(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram(password="another")

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(LoginRefused):
            await attempt(server, ca_file, Security.DIRECT)


@pytest.mark.parametrize("iterations", [1, 4095, 1_000_001, 4_000_000_000])
async def test_rounds_out_of_bounds(iterations: int, tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram(iterations=iterations)

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(InsecureServer, match="rounds"):
            await attempt(server, ca_file, Security.DIRECT)


async def success_at_once(peer: Peer) -> None:
    await peer.header(mechanisms("SCRAM-SHA-256"))
    await peer.until("<auth.*?</auth>")
    await peer.send(f"<success xmlns='{SASL}'/>")
    await peer.rest()


async def success_without_being_asked(peer: Peer) -> None:
    await peer.until("<stream:stream[^>]*>")
    await peer.send(HEADER + f"<success xmlns='{SASL}'/>" + features(BIND))
    await peer.rest()


async def success_without_proof(peer: Peer) -> None:
    await peer.scram(signature=b"x" * 32)
    await peer.bind()


async def foreign_nonce(peer: Peer) -> None:
    await peer.header(mechanisms("SCRAM-SHA-256"))
    await peer.until("<auth.*?</auth>")
    await peer.send(f"<challenge xmlns='{SASL}'>cj1hYmMscz1jMkZzZEE9PSxpPTQwOTY=</challenge>")
    await peer.rest()


@pytest.mark.parametrize("script", [success_at_once, success_without_being_asked, success_without_proof, foreign_nonce])
async def test_a_server_that_does_not_know_the_account_is_refused(
    script: Script, tls: ssl.SSLContext, ca_file: Path
) -> None:
    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        with pytest.raises(InsecureServer):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        assert passenger.address is None


async def test_somebody_elses_address_is_refused(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind(account=Address.parse("mallory@openvoice.test"))
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(InsecureServer, match="address"):
            await attempt(server, ca_file, Security.DIRECT)


async def test_features_twice_are_refused(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.send(features(BIND))
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, _):
        assert isinstance(await outcome(guarded, server), InsecureServer)


async def test_a_redirection_is_not_followed(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.send(
            "<stream:error><see-other-host xmlns='urn:ietf:params:xml:ns:xmpp-streams'>127.0.0.1:1</see-other-host>"
            "</stream:error></stream:stream>"
        )
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, _):
        assert "see-other-host" in str(await outcome(guarded, server))
        assert guarded.default_domain == DOMAIN
        assert not guarded.is_connecting()


# --- what may arrive afterwards ---------------------------------------------------------------------------------------


async def outcome(guarded: GuardedClient, server: ScriptedServer) -> ConnectionFailed:
    """How it ends, be it before or after the session is known to have begun."""
    try:
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
    except ConnectionFailed as error:
        return error
    async with asyncio.timeout(10):
        return await guarded.lost()


async def after_login(tls: ssl.SSLContext, ca_file: Path, *octets: bytes) -> tuple[ConnectionFailed, Passenger]:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        for part in octets:
            await peer.send(part)
        assert "not-well-formed" not in await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        return await outcome(guarded, server), passenger


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"<message></presence>", id="not well-formed"),
        pytest.param(b"<message><body>\xff\xfe</body></message>", id="invalid UTF-8"),
        pytest.param(bytes(range(256)), id="binary"),
        pytest.param(b"<message><body>&undefined;</body></message>", id="undefined entity"),
        pytest.param(b"<!-- comment -->", id="comment"),
        pytest.param(b"<?php die ?>", id="processing instruction"),
    ],
)
async def test_garbage_ends_the_stream(octets: bytes, tls: ssl.SSLContext, ca_file: Path) -> None:
    failure, passenger = await after_login(tls, ca_file, octets)
    assert isinstance(failure, InsecureServer)
    assert passenger.taken == []


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"<message from='e@v.e'><body>" + b"x" * (3 << 20) + b"</body></message>", id="giant"),
        pytest.param(b"<message from='e@v.e'><x a='" + b"x" * (3 << 20) + b"'/></message>", id="giant attribute"),
        pytest.param(b"<message from='e@v.e'>" + b"<a>" * 10_000 + b"</a>" * 10_000 + b"</message>", id="deep"),
        pytest.param(b"<message from='e@v.e'>" + b"<a/>" * 100_000 + b"</message>", id="many children"),
    ],
)
async def test_what_anybody_can_send_does_not_end_the_stream(octets: bytes, tls: ssl.SSLContext, ca_file: Path) -> None:
    failure, passenger = await after_login(tls, ca_file, octets, MESSAGE.encode(), b"</stream:stream>")
    assert not isinstance(failure, InsecureServer)
    hollow, whole = passenger.taken
    assert (hollow.get("from"), len(hollow)) == ("e@v.e", 0)
    assert len(whole) > 0


async def test_odd_but_allowed_stanzas_do_not_end_the_stream(tls: ssl.SSLContext, ca_file: Path) -> None:
    failure, passenger = await after_login(
        tls,
        ca_file,
        b"<unknown xmlns='urn:example:unknown'/>",
        b"<iq type='result' id='odd'/>",
        b"<message from='@@not an address@@'/>",
        MESSAGE.encode(),
        b"</stream:stream>",
    )
    assert isinstance(failure, ServerUnreachable)
    assert not isinstance(failure, InsecureServer)
    assert len(passenger.taken) == 2


async def test_a_billion_laughs_are_refused_before_the_first(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.until("<stream:stream[^>]*>")
        await peer.send(
            "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY a 'ha'><!ENTITY b '&a;&a;&a;'>]>"
            + HEADER.partition("?>")[2]
            + features(STARTTLS)
        )
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(InsecureServer, match="forbids"):
            await attempt(server, ca_file, Security.DIRECT)


async def test_a_burst_of_whole_stanzas_passes(tls: ssl.SSLContext, ca_file: Path) -> None:
    burst = MESSAGE.encode() * 6000

    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.send(burst)
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        async with asyncio.timeout(20):
            while len(passenger.taken) < 6000:
                passenger.arrived.clear()
                await passenger.arrived.wait()
        assert guarded.alive


async def test_what_comes_with_a_breach_of_the_protocol_is_not_believed(
    tls: ssl.SSLContext, ca_file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The stream ends at the stanza that breaks it; those behind it, in the same packet, reach nobody."""
    take = Passenger.take

    def strict(self: Passenger, item: Element) -> bool:
        if item.get("type") == "forbidden":
            raise InsecureServer("the server does not keep to the protocol")
        return take(self, item)

    monkeypatch.setattr(Passenger, "take", strict)
    forbidden = MESSAGE.replace("<message ", "<message type='forbidden' ")
    failure, passenger = await after_login(tls, ca_file, (MESSAGE + forbidden + MESSAGE * 3).encode())
    assert isinstance(failure, InsecureServer)
    assert len(passenger.taken) == 1
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("cut", [1, 9, 40, 100])
async def test_a_stanza_in_two_reads_is_there_as_soon_as_it_is_whole(
    cut: int, tls: ssl.SSLContext, ca_file: Path
) -> None:
    whole = (MESSAGE.replace("forged", "x" * 200)).encode()

    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.send(whole[:cut])
        await asyncio.sleep(0.05)
        await peer.send(whole[cut:])
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        async with asyncio.timeout(5):
            await passenger.arrived.wait()


# --- places that are no servers ---------------------------------------------------------------------------------------


async def test_nothing_answers(ca_file: Path) -> None:
    async with ScriptedServer(good_session) as server:
        address = server.address
    async with client(ca_file) as (guarded, _):
        with pytest.raises(ServerUnreachable, match="nothing answers"):
            await dial(guarded, [Endpoint(*address)])


async def test_no_such_host(ca_file: Path) -> None:
    async with client(ca_file) as (guarded, _):
        with pytest.raises(HostNotFound, match="--server"):
            await guarded.reach(Endpoint("no-such-host.invalid", 5222), Security.UPGRADE, 5, 5)


async def test_a_silent_server_is_given_up(ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.rest(30)

    async with ScriptedServer(script) as server, client(ca_file) as (guarded, _):
        with pytest.raises(ServerUnreachable, match="in time"):
            await guarded.reach(Endpoint(*server.address), Security.UPGRADE, 0.2, 0.2)
        with pytest.raises(OtherWay):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 0.2, 5)


async def test_something_that_is_not_xmpp(ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.rest()

    async with ScriptedServer(script) as server, client(ca_file) as (guarded, _):
        with pytest.raises(InsecureServer):
            await dial(guarded, [Endpoint(*server.address)])


@pytest.mark.parametrize("direct", [True, False])
async def test_dialling_finds_out_how_a_port_speaks_tls(direct: bool, tls: ssl.SSLContext, ca_file: Path) -> None:
    async def plain(peer: Peer) -> None:
        # What Prosody says to a TLS hello on its plain port: an error, and goodbye.
        octets = await peer.reader.readexactly(1)
        if octets == b"\x16":
            await peer.send(HEADER + "<stream:error/></stream:stream>")
            return
        peer.got = octets.decode()
        await upgraded(tls)(peer)

    script = good_session if direct else plain
    async with (
        ScriptedServer(script, context=tls if direct else None) as server,
        client(ca_file) as (guarded, passenger),
    ):
        await dial(guarded, [Endpoint(*server.address)])
        assert passenger.address is not None


async def test_dialling_goes_on_to_the_next_endpoint_but_not_after_a_refused_login(
    tls: ssl.SSLContext, ca_file: Path
) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.scram(password="another")

    async with ScriptedServer(good_session) as gone:
        nothing_there = Endpoint(*gone.address)
    async with (
        ScriptedServer(refusing, context=tls) as refuses,
        ScriptedServer(good_session, context=tls) as good,
        client(ca_file) as (guarded, passenger),
    ):
        with pytest.raises(LoginRefused):
            await dial(guarded, [nothing_there, Endpoint(*refuses.address), Endpoint(*good.address)])
        assert good.connections == 0
        await dial(guarded, [nothing_there, Endpoint(*good.address)])
        assert passenger.address is not None


async def test_the_failure_that_came_farthest_is_told(tls: ssl.SSLContext, authority: CertificateAuthority) -> None:
    async with ScriptedServer(good_session) as gone:
        nothing_there = Endpoint(*gone.address)
    async with ScriptedServer(good_session, context=tls) as untrusted, client(None) as (guarded, _):
        with pytest.raises(CertificateRejected):
            await dial(guarded, [nothing_there, Endpoint(*untrusted.address), nothing_there])


# --- slixmpp's own habits ---------------------------------------------------------------------------------------------


async def test_no_automatic_subscriptions(ca_file: Path) -> None:
    async with client(ca_file) as (guarded, _):
        assert guarded.auto_authorize is None
        assert guarded.auto_subscribe is False


async def test_stanzas_of_plugins_go_to_the_passenger(tls: ssl.SSLContext, ca_file: Path) -> None:
    async with ScriptedServer(good_session, context=tls) as server, client(ca_file) as (guarded, passenger):
        await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
        guarded.make_message(f"bob@{DOMAIN}", "hello").send()
        async with asyncio.timeout(5):
            await passenger.arrived.wait()
    assert passenger.given[0].findtext("{jabber:client}body") == "hello"


async def test_an_exception_in_a_handler_of_a_plugin_is_not_answered(
    tls: ssl.SSLContext, ca_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.send("<iq type='result' id='trap' from='bob@openvoice.test'/>")
        await asyncio.sleep(0.05)
        await peer.send("</stream:stream>")
        sent.append(await peer.rest())

    called: list[str] = []

    def raising(stanza: StanzaBase) -> None:
        called.append(stanza["id"])
        raise ValueError("a secret")

    async with ScriptedServer(script, context=tls) as server, client(ca_file) as (guarded, passenger):
        guarded.register_handler(Callback("trap", MatcherId("trap"), raising))
        with caplog.at_level(logging.DEBUG):
            await guarded.reach(Endpoint(*server.address), Security.DIRECT, 5, 5)
            await guarded.lost()
    assert called == ["trap"]
    assert passenger.given == []
    assert "trap" not in sent[0]
    assert "a secret" not in caplog.text


async def test_an_address_that_no_server_accepts() -> None:
    with pytest.raises(InvalidAddress):
        GuardedClient(Address("a\u00adb\ufdd0", "x_y..z", ""), client_context(None))


async def test_closing_twice_and_without_a_stream(ca_file: Path) -> None:
    async with client(ca_file) as (guarded, _):
        await guarded.close(0.1)
        await guarded.close(0.1)
        guarded.write(Element("{jabber:client}presence"))
