"""Whole connections against a private Prosody, over links that break, freeze and come back."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.errors import CertificateRejected, InsecureServer, InvalidState, LoginRefused, ServerUnreachable
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.capabilities import NODE
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.elements import element, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.probe import ChannelSecured, EndpointsFound, LoggedIn, ServerExamined, probe
from openvoice.signalling.xmpp.registration import register
from openvoice.signalling.xmpp.retention import observe
from openvoice.signalling.xmpp.session import KeepAlive
from openvoice.signalling.xmpp.supervisor import BackOff
from openvoice.signalling.xmpp.visit import visit
from tests.signalling.xmpp.scripted import Recorder, Relay
from tests.waiting import until

pytestmark = [pytest.mark.live, pytest.mark.network]

QUICK = BackOff(first=0.05, limit=0.2, stable=1.0)
JINGLE = "urn:xmpp:jingle:1"


@pytest.fixture
async def prosody() -> AsyncIterator[Prosody]:
    async with Prosody(accounts={"alice": "secret", "bob": "secret", "eve": "secret"}, acquainted=False) as server:
        server.acquaint("alice", "bob")
        yield server


@asynccontextmanager
async def connected(
    prosody: Prosody,
    name: str,
    *,
    at: tuple[str, int] | None = None,
    keep_alive: KeepAlive | None = None,
    listener: Recorder | None = None,
) -> AsyncIterator[tuple[Connection, Recorder]]:
    recorder = listener or Recorder()
    connection = Connection(
        account=prosody.address(name),
        password=prosody.accounts[name],
        listener=recorder,
        features=frozenset({JINGLE}),
        server=at or (prosody.host, prosody.port),
        ca_file=prosody.ca_file,
        keep_alive=keep_alive,
        back_off=QUICK,
    )
    await connection.open()
    try:
        yield connection, recorder
    finally:
        await connection.close()


def message(to: Address, body: str) -> Element:
    return stanza("message", element("jabber:client", "body", body), to=str(to), kind="chat")


async def went_offline(recorder: Recorder) -> None:
    await recorder.until(lambda heard: (False, heard.changes[-1][1]) == heard.changes[-1])


async def came_online(recorder: Recorder, times: int) -> None:
    await recorder.until(lambda heard: sum(online for online, _ in heard.changes) >= times, 20)


# --- the good days ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direct", [True, False])
async def test_log_in_and_talk(prosody: Prosody, direct: bool) -> None:
    at = (prosody.host, prosody.port if direct else prosody.starttls_port)
    async with connected(prosody, "alice", at=at) as (alice, _), connected(prosody, "bob", at=at) as (bob, heard):
        assert alice.online
        assert alice.address.bare == prosody.address("alice")
        assert alice.address.resource.startswith("openvoice.")
        assert alice.roster == {prosody.address("bob")}
        assert alice.facts is not None
        assert alice.facts.sasl_mechanism == "SCRAM-SHA-256"
        assert "urn:xmpp:mam:2" in alice.features
        alice.send_message(message(bob.address.bare, "hello"))
        await heard.until(lambda heard: heard.bodies == ["hello"])
        assert heard.messages[0][1:] == (alice.address, None, None)


async def test_devices_of_a_contact(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _), connected(prosody, "bob") as (bob, _):
        await until(lambda: bool(alice.presence_of(bob.address.bare)))
        devices = await alice.devices(bob.address.bare)
        assert [device.address for device in devices] == [bob.address]
        assert devices[0].node == NODE
        assert JINGLE in devices[0].features


async def test_a_stranger_learns_nothing(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _), connected(prosody, "eve") as (eve, _):
        assert eve.presence_of(alice.address.bare) == ()
        for namespace in ("http://jabber.org/protocol/disco#info", "jabber:iq:version", "urn:xmpp:ping"):
            query = element(namespace, "ping" if "ping" in namespace else "query")
            with pytest.raises(StanzaRefused, match="service-unavailable"):
                await eve.request(query, alice.address)
            with pytest.raises(StanzaRefused, match="service-unavailable"):
                await eve.request(query, Address("alice", alice.address.domain, "nobody"))


async def test_somebody_told_may_ask(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _), connected(prosody, "eve") as (eve, _):
        alice.send_presence(eve.address)
        await until(lambda: bool(eve.presence_of(alice.address.bare)))
        devices = await eve.devices(alice.address.bare)
        assert JINGLE in devices[0].features
        alice.send_presence(eve.address, available=False)
        await until(lambda: not eve.presence_of(alice.address.bare))


async def test_requests_reach_the_listener_and_are_answered(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _), connected(prosody, "bob") as (bob, heard):
        asking = asyncio.create_task(alice.request(element(JINGLE, "jingle", sid="1"), bob.address, "set"))
        await heard.until(lambda heard: len(heard.requests) == 1)
        identifier, kind, payload, sender = heard.requests[0]
        assert (kind, payload.get("sid"), sender) == ("set", "1", alice.address)
        bob.answer(identifier, sender)
        assert (await asking).get("type") == "result"
        asking = asyncio.create_task(alice.request(element(JINGLE, "jingle", sid="2"), bob.address, "set"))
        await heard.until(lambda heard: len(heard.requests) == 2)
        unknown = element("urn:xmpp:jingle:errors:1", "unknown-session")
        bob.refuse(heard.requests[1][0], sender, "item-not-found", application=unknown)
        with pytest.raises(StanzaRefused) as caught:
            await asking
        assert (caught.value.condition, caught.value.extra) == (
            "item-not-found",
            "{urn:xmpp:jingle:errors:1}unknown-session",
        )
        with pytest.raises(StanzaTimeout):
            await alice.request(element(JINGLE, "jingle", sid="3"), bob.address, "set", timeout=0.05)


async def test_carbons_and_archive(prosody: Prosody) -> None:
    since = time.time() - 5
    async with (
        connected(prosody, "alice") as (alice, _),
        connected(prosody, "bob") as (bob, heard),
        connected(prosody, "bob") as (_, other),
    ):
        alice.send_message(message(bob.address, "to one device"))
        await other.until(lambda heard: heard.bodies == ["to one device"])
        assert other.messages[0][2] == "received"
        bob.send_message(message(alice.address.bare, "an answer"))
        await other.until(lambda heard: len(heard.bodies) == 2)
        assert other.messages[1][1:3] == (bob.address, "sent")
        await heard.until(lambda heard: len(heard.bodies) == 1)
        kept = await bob.archive(since)
        assert [item.message.findtext("{jabber:client}body") for item in kept] == ["to one device", "an answer"]
        assert [item.sender for item in kept] == [alice.address, bob.address]
        assert all(item.stamp is not None and abs(item.stamp - time.time()) < 30 for item in kept)
        for number in range(60):
            alice.send_message(message(bob.address, str(number)))
        await heard.until(lambda heard: len(heard.bodies) == 61)
        assert len(await bob.archive(since)) == 62
        assert len(await bob.archive(since, limit=10)) == 10


async def test_what_was_said_while_offline_has_a_stamp(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _):
        alice.send_message(message(prosody.address("bob"), "while you were out"))
        await alice.request(element("urn:xmpp:ping", "ping"), Address("", prosody.domain))
    async with connected(prosody, "bob") as (bob, heard):
        kept = await bob.archive(time.time() - 60)
        assert len(kept) == 1
        assert heard.bodies in ([], ["while you were out"])


async def test_a_visit_is_seen_by_nobody_and_takes_no_message_away(prosody: Prosody) -> None:
    alice, bob = prosody.address("alice"), prosody.address("bob")
    text = stanza("message", element("jabber:client", "body", "kept"), to=str(alice), kind="chat")
    async with connected(prosody, "bob") as (sender, _):
        sender.send_message(text)
        async with visit(
            alice, prosody.accounts["alice"], server=(prosody.host, prosody.port), ca_file=prosody.ca_file
        ) as visitor:
            assert visitor.roster == {bob}
            assert "roster" in {kept.name for kept in (await observe(visitor)).kept}
            assert sender.presence_of(alice) == ()
    async with connected(prosody, "alice") as (_, recorder):
        await recorder.until(lambda heard: heard.bodies == ["kept"])


async def test_services(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _):
        services = await alice.services()
        assert services is not None
        assert services.tag == "{urn:xmpp:extdisco:2}services"


async def test_too_large_or_no_xml_is_refused_here(prosody: Prosody) -> None:
    async with connected(prosody, "alice") as (alice, _), connected(prosody, "bob") as (bob, heard):
        with pytest.raises(StanzaRefused, match="policy-violation"):
            alice.send_message(message(bob.address, "x" * 300_000))
        with pytest.raises(StanzaRefused, match="bad-request"):
            alice.send_message(message(bob.address, "\x00"))
        alice.send_message(message(bob.address, "y" * 200_000))
        await heard.until(lambda heard: len(heard.bodies) == 1)
        assert alice.online


# --- the first attempt ------------------------------------------------------------------------------------------------


async def test_wrong_password(prosody: Prosody) -> None:
    connection = Connection(
        account=prosody.address("alice"),
        password="wrong",
        listener=Recorder(),
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
    )
    with pytest.raises(LoginRefused):
        await connection.open()
    assert not connection.online


async def test_password_from_elsewhere(prosody: Prosody) -> None:
    asked = 0

    async def password() -> str:
        nonlocal asked
        asked += 1
        return "secret"

    connection = Connection(
        account=prosody.address("alice"),
        password=password,
        listener=Recorder(),
        server=(prosody.host, prosody.port),
        ca_file=prosody.ca_file,
    )
    await connection.open()
    with pytest.raises(InvalidState):
        await connection.open()
    await connection.close()
    await connection.close()
    assert asked == 1


async def test_a_foreign_certificate(prosody: Prosody) -> None:
    connection = Connection(
        account=prosody.address("alice"),
        password="secret",
        listener=Recorder(),
        server=(prosody.host, prosody.port),
    )
    with pytest.raises(CertificateRejected):
        await connection.open()


# --- links that break -------------------------------------------------------------------------------------------------


async def test_a_reset_is_resumed_with_everything_in_order(prosody: Prosody) -> None:
    async with (
        Relay((prosody.host, prosody.port)) as relay,
        connected(prosody, "alice", at=relay.address) as (alice, changes),
        connected(prosody, "bob") as (bob, heard),
    ):
        address = alice.address
        pending = asyncio.create_task(alice.request(element(JINGLE, "jingle"), bob.address, "set"))
        await heard.until(lambda heard: len(heard.requests) == 1)
        relay.freeze()
        for number in range(4):
            alice.send_message(message(bob.address, f"in flight {number}"))
        await asyncio.sleep(0.05)
        bob.answer(heard.requests[0][0], address)
        bob.send_message(message(address, "to you meanwhile"))
        relay.cut()
        await went_offline(changes)
        for number in range(3):
            alice.send_message(message(bob.address, f"offline {number}"))
        relay.thaw()
        await came_online(changes, 2)
        expected = [f"in flight {number}" for number in range(4)] + [f"offline {number}" for number in range(3)]
        await heard.until(lambda heard: len(heard.bodies) >= 7)
        await alice.request(element("urn:xmpp:ping", "ping"), Address("", prosody.domain))
        assert heard.bodies == expected
        assert alice.address == address
        assert (await pending).get("type") == "result"
        await changes.until(lambda heard: heard.bodies == ["to you meanwhile"])


@pytest.mark.slow
async def test_a_session_that_is_gone_is_begun_again_and_nothing_is_lost() -> None:
    options = {"smacks_hibernation_time": 1}
    async with (
        Prosody(accounts={"alice": "secret", "bob": "secret"}, options=options) as forgetful,
        Relay((forgetful.host, forgetful.port)) as relay,
        connected(forgetful, "alice", at=relay.address) as (alice, changes),
        connected(forgetful, "bob") as (bob, heard),
    ):
        address = alice.address
        relay.freeze()
        for number in range(3):
            alice.send_message(message(bob.address, f"in flight {number}"))
        pending = asyncio.create_task(alice.request(element(JINGLE, "jingle"), bob.address, "set"))
        await asyncio.sleep(0.05)
        # Nothing gets through until the session is forgotten.
        relay.cut()
        await went_offline(changes)
        alice.send_message(message(bob.address, "offline"))
        alice.send_message(message(bob.address, "stale"), lifetime=0.01)
        await asyncio.sleep(2.5)
        relay.thaw()
        await came_online(changes, 2)
        await heard.until(lambda heard: len(heard.bodies) >= 4)
        await alice.request(element("urn:xmpp:ping", "ping"), Address("", forgetful.domain))
        assert heard.bodies == ["in flight 0", "in flight 1", "in flight 2", "offline"]
        assert alice.address == address
        with pytest.raises(StanzaTimeout):
            await pending


@pytest.mark.slow
async def test_a_killed_server_that_comes_back(prosody: Prosody) -> None:
    async with (
        connected(prosody, "alice") as (alice, changes),
        connected(prosody, "bob") as (bob, heard),
    ):
        address = bob.address
        prosody.pause()
        alice.send_message(message(bob.address, "in flight"))
        await asyncio.sleep(0.05)
        await prosody.kill()
        await went_offline(changes)
        alice.send_message(message(bob.address, "offline"))
        await prosody.start()
        await came_online(changes, 2)
        await came_online(heard, 2)
        await heard.until(lambda heard: len(heard.bodies) >= 2)
        assert heard.bodies == ["in flight", "offline"]
        assert bob.address == address


async def test_a_half_open_link_is_found_and_the_session_resumed(prosody: Prosody) -> None:
    async with (
        Relay((prosody.host, prosody.port)) as relay,
        connected(prosody, "alice", at=relay.address, keep_alive=KeepAlive(interval=0.2, timeout=0.3)) as (
            alice,
            changes,
        ),
        connected(prosody, "bob") as (bob, heard),
    ):
        relay.freeze()
        alice.send_message(message(bob.address, "into the void"))
        bob.send_message(message(alice.address, "out of the void"))
        await went_offline(changes)
        relay.thaw()
        await came_online(changes, 2)
        await heard.until(lambda heard: heard.bodies == ["into the void"])
        await changes.until(lambda heard: heard.bodies == ["out of the void"])
        assert changes.changes[1][0] is False


async def test_a_link_that_died_with_the_network_is_found_at_once_and_nothing_is_lost(prosody: Prosody) -> None:
    async with (
        Relay((prosody.host, prosody.port)) as relay,
        connected(prosody, "alice", at=relay.address) as (alice, changes),
        connected(prosody, "bob") as (bob, heard),
    ):
        alice.network_changed()
        relay.freeze()
        alice.send_message(message(bob.address, "first"))
        alice.network_changed()
        await went_offline(changes)
        alice.send_message(message(bob.address, "second"))
        relay.thaw()
        await came_online(changes, 2)
        await heard.until(lambda heard: len(heard.bodies) >= 2)
        assert heard.bodies == ["first", "second"]
        # The link lives: nothing happens to it.
        alice.network_changed()
        await asyncio.sleep(1.5)
        assert len(changes.changes) == 3


@pytest.mark.slow
async def test_a_sleeping_server_is_found_and_the_session_resumed(prosody: Prosody) -> None:
    async with (
        connected(prosody, "alice", keep_alive=KeepAlive(interval=0.3, timeout=0.3)) as (alice, changes),
        connected(prosody, "bob") as (bob, heard),
    ):
        prosody.pause()
        alice.send_message(message(bob.address, "while you slept"))
        await went_offline(changes)
        prosody.resume()
        await came_online(changes, 2)
        await heard.until(lambda heard: heard.bodies == ["while you slept"])


async def test_a_quiet_link_that_lives_is_left_alone(prosody: Prosody) -> None:
    async with connected(prosody, "alice", keep_alive=KeepAlive(interval=0.05, timeout=0.5)) as (_, changes):
        await asyncio.sleep(0.6)
        assert changes.changes == [(True, "")]


async def test_a_login_that_is_refused_later_ends_it(prosody: Prosody) -> None:
    async with (
        Relay((prosody.host, prosody.port)) as relay,
        connected(prosody, "alice", at=relay.address) as (alice, changes),
    ):
        prosody.add_account("alice", "changed")
        relay.cut()
        await changes.until(lambda heard: len(heard.changes) >= 3)
        assert changes.changes[2] == (False, "the server does not accept this name and password: check both")
        assert not alice.online
        with pytest.raises(LoginRefused):
            await alice.open()


async def test_closing_sends_what_waits_and_ends_the_session(prosody: Prosody) -> None:
    async with connected(prosody, "bob") as (bob, heard):
        async with connected(prosody, "alice") as (alice, _):
            for number in range(50):
                alice.send_message(message(bob.address, str(number)))
            before = time.monotonic()
        assert time.monotonic() - before < 2
        await heard.until(lambda heard: len(heard.bodies) == 50)
        await until(lambda: not bob.presence_of(alice.address.bare))


async def test_closing_over_a_dead_link_takes_less_than_two_seconds(prosody: Prosody) -> None:
    async with Relay((prosody.host, prosody.port)) as relay:
        async with connected(prosody, "alice", at=relay.address) as (alice, _):
            relay.freeze()
            alice.send_message(message(prosody.address("bob"), "never"))
            before = time.monotonic()
        assert time.monotonic() - before < 2


async def test_closing_while_reconnecting(prosody: Prosody) -> None:
    async with (
        Relay((prosody.host, prosody.port)) as relay,
        connected(prosody, "alice", at=relay.address) as (alice, changes),
    ):
        relay.freeze()
        relay.cut()
        await went_offline(changes)
        pending = asyncio.create_task(alice.request(element(JINGLE, "jingle"), prosody.address("bob"), "set"))
        await asyncio.sleep(0.2)
        await alice.close()
        with pytest.raises(StanzaTimeout):
            await pending


# --- faults here ------------------------------------------------------------------------------------------------------


class Raising(Recorder):
    def message_received(self, message: Element, sender: Address, **_: object) -> None:
        super().message_received(message, sender, carbon=None, stamp=None)
        raise ValueError(f"a bug that quotes {sender}")


async def test_two_that_raise_do_not_answer_each_other(prosody: Prosody, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        connected(prosody, "alice", listener=Raising()) as (alice, to_alice),
        connected(prosody, "bob", listener=Raising()) as (bob, to_bob),
    ):
        alice.send_message(message(bob.address, "ping"))
        bob.send_message(message(prosody.address("nobody"), "bounces"))
        await to_bob.until(lambda heard: len(heard.messages) >= 2)
        await asyncio.sleep(0.3)
        assert len(to_bob.messages) == 2
        assert to_alice.messages == []
        assert bob.faults == 2
        assert alice.faults == 0
        assert alice.online
        assert bob.online
    assert "ValueError" in caplog.text
    assert "a bug that quotes" not in caplog.text


async def test_logs_hold_nothing_private(prosody: Prosody, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with connected(prosody, "alice") as (alice, _), connected(prosody, "bob") as (bob, heard):
            alice.send_message(message(bob.address, "between you and me"))
            await heard.until(lambda heard: len(heard.bodies) == 1)
    assert "between you and me" not in caplog.text
    assert "secret" not in caplog.text
    louder = [record.getMessage() for record in caplog.records if record.levelno > logging.DEBUG]
    assert not any("alice" in text or "127.0.0.1" in text for text in louder)


# --- accounts and faults, for the command line ------------------------------------------------------------------------


async def test_register_and_log_in() -> None:
    async with Prosody(registration=True) as prosody:
        for port in (prosody.port, prosody.starttls_port):
            account = prosody.address(f"new{port}")
            await register(account, "chosen", server=(prosody.host, port), ca_file=prosody.ca_file)
            with pytest.raises(LoginRefused, match="taken"):
                await register(account, "another", server=(prosody.host, port), ca_file=prosody.ca_file)
            connection = Connection(
                account=account,
                password="chosen",
                listener=Recorder(),
                server=(prosody.host, port),
                ca_file=prosody.ca_file,
            )
            await connection.open()
            await connection.close()


async def test_register_where_it_is_not_allowed(prosody: Prosody) -> None:
    with pytest.raises(LoginRefused, match="not make accounts"):
        await register(prosody.address("new"), "chosen", server=(prosody.host, prosody.port), ca_file=prosody.ca_file)


async def test_probe(prosody: Prosody) -> None:
    server = (prosody.host, prosody.starttls_port)
    steps = [step async for step in probe(prosody.address("alice"), "secret", server=server, ca_file=prosody.ca_file)]
    found, secured, logged_in, examined = steps
    assert isinstance(found, EndpointsFound)
    assert isinstance(secured, ChannelSecured)
    assert secured.facts.sasl_mechanism == ""
    assert isinstance(logged_in, LoggedIn)
    assert logged_in.facts.sasl_mechanism == "SCRAM-SHA-256"
    assert examined == ServerExamined(relays=(), archive=True, carbons=True)


async def test_probe_without_a_password_and_with_a_wrong_one(prosody: Prosody) -> None:
    server = (prosody.host, prosody.port)
    steps = [step async for step in probe(prosody.address("alice"), server=server, ca_file=prosody.ca_file)]
    assert [type(step) for step in steps] == [EndpointsFound, ChannelSecured]
    refused = probe(prosody.address("alice"), "wrong", server=server, ca_file=prosody.ca_file)
    assert [type(await anext(refused)), type(await anext(refused))] == [EndpointsFound, ChannelSecured]
    with pytest.raises(LoginRefused):
        await anext(refused)


async def test_probe_of_nothing() -> None:
    with pytest.raises((ServerUnreachable, InsecureServer)):
        async for _ in probe(Address.parse("alice@openvoice.test"), server=("127.0.0.1", 1)):
            pass
