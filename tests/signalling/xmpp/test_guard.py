"""What the guarded client does with servers, and people on the way, that mean harm, until it is logged in."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from openvoice.core.address import Address
from openvoice.errors import (
    InsecureServer,
    LoginRefused,
)
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from tests.signalling.xmpp.guarded import (
    MESSAGE,
    attempt,
    client,
    good_session,
    outcome,
)
from tests.signalling.xmpp.scripted import (
    BIND,
    DOMAIN,
    HEADER,
    PROCEED,
    SASL,
    STARTTLS,
    Peer,
    Script,
    ScriptedServer,
    features,
    mechanisms,
)

pytestmark = pytest.mark.network


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
