"""A whole connection against a server that lies, forgets or lags."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from openvoice.core.address import Address
from openvoice.errors import InvalidAddress, ServerUnreachable
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.session import MAXIMUM_WAITING, KeepAlive
from openvoice.signalling.xmpp.supervisor import BackOff
from tests.signalling.xmpp.scripted import (
    ALICE,
    BIND,
    BOB,
    MANAGEMENT,
    PASSWORD,
    Peer,
    Recorder,
    Script,
    ScriptedServer,
    identifier,
)
from tests.waiting import until

pytestmark = pytest.mark.network

ROSTER = f"<item jid='{BOB}' subscription='both'/>"


@contextlib.asynccontextmanager
async def connected(
    server: ScriptedServer, ca_file: Path, keep_alive: KeepAlive | None = None, account: Address = ALICE
) -> AsyncIterator[tuple[Connection, Recorder]]:
    recorder = Recorder()
    connection = Connection(
        account=account,
        password=PASSWORD,
        listener=recorder,
        server=server.address,
        ca_file=ca_file,
        keep_alive=keep_alive,
        back_off=BackOff(first=0.01, limit=0.05),
    )
    await connection.open()
    try:
        yield connection, recorder
    finally:
        await connection.close()


def says(*texts: str, managed: bool = False) -> Script:
    async def script(peer: Peer) -> None:
        await peer.session(managed=managed, roster=ROSTER)
        for text in texts:
            await peer.send(text)
        await peer.rest()

    return script


def body(text: str, sender: str = f"{BOB}/phone") -> str:
    return f"<message type='chat' from='{sender}' to='{ALICE}'><body>{text}</body></message>"


def carbon(sender: str, text: str) -> str:
    inner = body(text).replace("<message", "<message xmlns='jabber:client'")
    return (
        f"<message from='{sender}'><received xmlns='urn:xmpp:carbons:2'><forwarded xmlns='urn:xmpp:forward:0'>"
        f"{inner}</forwarded></received></message>"
    )


async def test_forgeries_change_nothing(tls: ssl.SSLContext, ca_file: Path) -> None:
    mallory = "mallory@openvoice.test/x"
    push = "<query xmlns='jabber:iq:roster'><item jid='mallory@openvoice.test' subscription='both'/></query>"
    script = says(
        f"<iq type='set' id='push' from='{mallory}'>{push}</iq>",
        carbon(mallory, "forged carbon"),
        carbon(str(ALICE), "genuine carbon"),
        body("last"),
    )
    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (connection, heard):
        await heard.until(lambda heard: "last" in heard.bodies)
        assert connection.roster == {BOB}
        assert heard.bodies == ["genuine carbon", "last"]


async def test_the_order_is_that_of_the_stream(tls: ssl.SSLContext, ca_file: Path) -> None:
    texts = [str(number) for number in range(500)]
    script = says("".join(map(body, texts)))
    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (_, heard):
        await heard.until(lambda heard: len(heard.bodies) == 500)
        assert heard.bodies == texts


async def test_a_server_that_acknowledges_too_much_is_left(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.session(managed=True)
        await peer.send("<a xmlns='urn:xmpp:sm:3' h='4000'/>")
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (_, heard):
        await heard.until(lambda heard: (False, "the server acknowledges what was never sent") in heard.changes)


@pytest.mark.parametrize("unasked", ["<resumed previd='x' h='0'/>", "<enabled/>", "<failed/>", "<a h='many'/>", "<b/>"])
async def test_management_out_of_turn(unasked: str, tls: ssl.SSLContext, ca_file: Path) -> None:
    script = says(unasked.replace("/>", " xmlns='urn:xmpp:sm:3'/>"), managed=True)
    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (_, heard):
        await heard.until(lambda heard: any(not online for online, _ in heard.changes))


async def test_what_was_counted_is_told(tls: ssl.SSLContext, ca_file: Path) -> None:
    counts: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.session(managed=True, roster=ROSTER)
        await peer.send(body("one") + body("two") + "<r xmlns='urn:xmpp:sm:3'/>" + body("three"))
        await peer.send("<r xmlns='urn:xmpp:sm:3'/>")
        counts.extend([(await peer.until('<a[^>]*h="(\\d+)"'))[1] for _ in range(2)])
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (_, heard):
        await heard.until(lambda heard: len(heard.bodies) == 3)
        await until(lambda: len(counts) >= 2)
    # Four answers at the beginning of the session count too.
    assert counts == ["6", "7"]


async def resumable(peer: Peer) -> None:
    await peer.session(managed=True, roster=ROSTER)
    await peer.until("<message.*?</message>")


async def test_in_flight_goes_before_what_waited(tls: ssl.SSLContext, ca_file: Path) -> None:
    got: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.header(BIND, MANAGEMENT)
        request = await peer.until("<resume[^>]*>")
        assert 'previd="session"' in request[0]
        # What the server kept comes in the same packet, and counts.
        await peer.send("<resumed xmlns='urn:xmpp:sm:3' previd='session' h='5'/>" + body("meanwhile"))
        for _ in range(2):
            got.append((await peer.until("<body>([^<]*)</body>"))[1])  # noqa: PERF401
        await peer.send("<r xmlns='urn:xmpp:sm:3'/>")
        got.append((await peer.until('<a[^>]*h="(\\d+)"'))[1])
        await peer.rest()

    async with ScriptedServer(resumable, script, context=tls) as server, connected(server, ca_file) as (alice, heard):
        address = alice.address
        alice.send_message(stanza("message", element("jabber:client", "body", "in flight"), to=str(BOB), kind="chat"))
        await heard.until(lambda heard: any(not online for online, _ in heard.changes))
        alice.send_message(stanza("message", element("jabber:client", "body", "offline"), to=str(BOB), kind="chat"))
        await heard.until(lambda heard: heard.bodies == ["meanwhile"])
        await heard.until(lambda heard: heard.changes[-1][0])
        await until(lambda: len(got) >= 3)
        assert alice.address == address
    assert got == ["in flight", "offline", "5"]


@pytest.mark.parametrize(
    "answer",
    ["<resumed previd='session' h='4000'/>", "<resumed previd='other' h='5'/>", "<resumed previd='session'/>"],
)
async def test_a_resumption_that_lies(answer: str, tls: ssl.SSLContext, ca_file: Path) -> None:
    async def lying(peer: Peer) -> None:
        await peer.scram()
        await peer.header(BIND, MANAGEMENT)
        await peer.until("<resume[^>]*>")
        await peer.send(answer.replace("/>", " xmlns='urn:xmpp:sm:3'/>"))
        await peer.rest()

    async with ScriptedServer(resumable, lying, context=tls) as server, connected(server, ca_file) as (alice, heard):
        alice.send_message(stanza("message", element("jabber:client", "body", "x"), to=str(BOB), kind="chat"))
        await heard.until(lambda heard: any(not online for online, _ in heard.changes))
        await until(lambda: server.connections >= 3)
        assert not alice.online


async def test_a_failed_resumption_sends_again_under_the_same_id(tls: ssl.SSLContext, ca_file: Path) -> None:
    sent: list[str] = []

    async def first(peer: Peer) -> None:
        await peer.session(managed=True)
        sent.append((await peer.until("<message.*?</message>"))[0])

    async def second(peer: Peer) -> None:
        await peer.scram()
        await peer.header(BIND, MANAGEMENT)
        await peer.until("<resume[^>]*>")
        await peer.send("<failed xmlns='urn:xmpp:sm:3'/>")
        request = await peer.until("(<iq[^>]*>)<bind.*?<resource>([^<]*)</resource>.*?</iq>")
        await peer.send(
            f"<iq type='result' id='{identifier(request[1])}'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'>"
            f"<jid>{ALICE}/{request[2]}</jid></bind></iq>"
        )
        await peer.until("<enable[^>]*>")
        await peer.send("<enabled xmlns='urn:xmpp:sm:3'/>")
        sent.append((await peer.until("<message.*?</message>"))[0])
        await peer.send(body("counted from here") + "<r xmlns='urn:xmpp:sm:3'/>")
        sent.append((await peer.until('<a[^>]*h="(\\d+)"'))[1])
        await peer.rest()

    async with ScriptedServer(first, second, context=tls) as server, connected(server, ca_file) as (alice, _):
        pending = asyncio.create_task(alice.request(element("urn:xmpp:ping", "ping"), BOB, timeout=10))
        await asyncio.sleep(0)
        alice.send_message(stanza("message", element("jabber:client", "body", "x"), to=str(BOB), kind="chat"))
        await until(lambda: len(sent) >= 3)
        with pytest.raises(StanzaTimeout):
            async with asyncio.timeout(5):
                await pending
    assert sent[0] == sent[1]
    assert "origin-id" in sent[0]
    assert sent[2] == "1"


async def test_a_server_without_resumption(tls: ssl.SSLContext, ca_file: Path) -> None:
    got: list[str] = []

    async def first(peer: Peer) -> None:
        await peer.session()
        got.append((await peer.until("<body>([^<]*)"))[1])

    async def second(peer: Peer) -> None:
        await peer.session()
        got.append((await peer.until("<body>([^<]*)"))[1])
        await peer.rest()

    async with ScriptedServer(first, second, context=tls) as server, connected(server, ca_file) as (alice, heard):
        alice.send_message(stanza("message", element("jabber:client", "body", "one"), to=str(BOB), kind="chat"))
        await heard.until(lambda heard: len(heard.changes) >= 3)
        alice.send_message(stanza("message", element("jabber:client", "body", "two"), to=str(BOB), kind="chat"))
        await until(lambda: len(got) >= 2)
    assert got == ["one", "two"]


@pytest.mark.parametrize("managed", [True, False])
async def test_a_silent_server_is_asked_and_left_without_a_farewell(
    managed: bool, tls: ssl.SSLContext, ca_file: Path
) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.session(managed=managed)
        sent.append(await peer.rest(20))

    times = KeepAlive(interval=0.05, timeout=0.1)
    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file, times) as (_, heard):
        await heard.until(lambda heard: any(not online for online, _ in heard.changes))
        await until(lambda: sent)
    assert ("<r " if managed else "<ping") in sent[0]
    assert "</stream:stream>" not in sent[0]


async def test_after_a_change_of_the_network_a_silent_server_is_left_soon(tls: ssl.SSLContext, ca_file: Path) -> None:
    sent: list[str] = []

    async def script(peer: Peer) -> None:
        await peer.session()
        sent.append(await peer.rest(20))

    times = KeepAlive(interval=1000, timeout=1000, hurry=0.1)
    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file, times) as (connection, heard):
        connection.network_changed()
        await heard.until(lambda heard: any(not online for online, _ in heard.changes))
        await until(lambda: sent)
    assert "<ping" in sent[0]
    assert "</stream:stream>" not in sent[0]


async def test_a_server_that_goes_right_after_the_login(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(ServerUnreachable):
            async with connected(server, ca_file):
                pass


async def test_opening_can_be_given_up(tls: ssl.SSLContext, ca_file: Path) -> None:
    async def script(peer: Peer) -> None:
        await peer.scram()
        await peer.bind()
        await peer.rest()

    async with ScriptedServer(script, context=tls) as server:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3), connected(server, ca_file):
                pass


async def test_the_resource_of_the_account_is_asked_for(tls: ssl.SSLContext, ca_file: Path) -> None:
    account = Address(ALICE.local, ALICE.domain, "desk")
    async with (
        ScriptedServer(says(), context=tls) as server,
        connected(server, ca_file, account=account) as (connection, _),
    ):
        assert connection.address == account


async def test_questions_faster_than_the_answers_go_out_take_no_memory(tls: ssl.SSLContext, ca_file: Path) -> None:
    flood = "".join(
        f"<iq type='get' id='{number}' from='stranger@example.org/x'><query xmlns='jabber:iq:version'/></iq>"
        for number in range(MAXIMUM_WAITING + 1000)
    )

    async def script(peer: Peer) -> None:
        await peer.session(managed=True, roster=ROSTER)
        await peer.send(flood + body("last"))
        await asyncio.sleep(60)

    async with ScriptedServer(script, context=tls) as server, connected(server, ca_file) as (alice, heard):
        await heard.until(lambda heard: heard.bodies == ["last"], 30)
        with pytest.raises(StanzaRefused, match="resource-constraint"):
            alice.send_message(stanza("message", to=str(BOB)))
        assert alice.faults == 0


async def test_an_address_that_no_server_accepts() -> None:
    with pytest.raises(InvalidAddress):
        Connection(account=Address("a\ufdd0", "example.org"), password="", listener=Recorder())
