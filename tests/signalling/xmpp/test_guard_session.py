"""What may arrive at a guarded client that is logged in, and what it keeps of the habits of slixmpp."""

from __future__ import annotations

import asyncio
import logging
import ssl
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatcherId
from slixmpp.xmlstream.stanzabase import StanzaBase

from openvoice.core.address import Address
from openvoice.errors import (
    InsecureServer,
    InvalidAddress,
    ServerUnreachable,
)
from openvoice.signalling.xmpp.endpoints import Endpoint, Security
from openvoice.signalling.xmpp.guard import GuardedClient
from openvoice.signalling.xmpp.trust import client_context
from tests.signalling.xmpp.guarded import (
    MESSAGE,
    Passenger,
    after_login,
    attempt,
    client,
    good_session,
)
from tests.signalling.xmpp.scripted import (
    DOMAIN,
    HEADER,
    STARTTLS,
    Peer,
    ScriptedServer,
    features,
)

pytestmark = pytest.mark.network


# --- what may arrive afterwards ---------------------------------------------------------------------------------------


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
