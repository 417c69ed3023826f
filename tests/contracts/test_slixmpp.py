"""What is leaned on in slixmpp 1.17.0 beyond its documentation. A new version that breaks these breaks the guard."""

from __future__ import annotations

import asyncio
import inspect
import ssl
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import pytest
import slixmpp
from slixmpp import ClientXMPP
from slixmpp.stanza import Message
from slixmpp.util.sasl.client import saslprep
from slixmpp.util.stringprep_profiles import StringPrepError
from slixmpp.xmlstream.resolver import get_SRV
from slixmpp.xmlstream.tostring import tostring


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.aborted = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None: ...

    def abort(self) -> None:
        self.aborted = True


@pytest.fixture
async def client() -> ClientXMPP:
    context = ssl.create_default_context()
    return ClientXMPP("alice@openvoice.test", "", ssl_context=context, loop=asyncio.get_running_loop())


def test_version() -> None:
    assert slixmpp.__version__ == "1.17.0"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_attempt_connection", ["self", "host", "port", "tls", "server_hostname"]),
        ("connection_made", ["self", "transport", "send_event"]),
        ("connection_lost", ["self", "exception"]),
        ("data_received", ["self", "data"]),
        ("init_parser", ["self"]),
        ("start_tls", ["self"]),
        ("_spawn_event", ["self", "xml"]),
        ("_build_stanza", ["self", "xml", "default_ns"]),
        ("_handle_stream_features", ["self", "features"]),
        ("_handle_stream_error", ["self", "error"]),
    ],
)
def test_what_the_guard_overrides(name: str, parameters: list[str]) -> None:
    assert list(inspect.signature(getattr(ClientXMPP, name)).parameters) == parameters


async def test_the_parser_is_fed_and_asked_for_events(client: ClientXMPP) -> None:
    """Only starts and ends at depths 0 and 1 matter: ``StreamParser`` tells of no others."""
    spawned: list[Element] = []
    fed: list[Any] = []
    root, stanza = Element("{http://etherx.jabber.org/streams}stream"), Element("{jabber:client}message")

    class Parser:
        def feed(self, data: Any) -> None:
            fed.append(data)

        def read_events(self) -> list[tuple[str, Element]]:
            return [("start", root), ("start", stanza), ("end", stanza)]

    client.connection_made(Transport())
    client.parser = Parser()  # type: ignore[assignment]
    client._spawn_event = spawned.append  # type: ignore[method-assign, assignment]
    client.data_received(b"octets")
    assert fed == [b"octets"]
    assert spawned == [stanza]


async def test_a_stream_begins_with_its_header_and_a_fresh_parser(client: ClientXMPP) -> None:
    transport = Transport()
    client.connection_made(transport)
    assert transport.written.startswith(b"<stream:stream to='openvoice.test'")
    assert client.parser is not None
    assert client.transport is transport
    assert client._current_connection_attempt is None


async def test_a_failed_attempt_is_an_event_with_its_cause(client: ClientXMPP) -> None:
    causes: list[Any] = []
    client.add_event_handler("connection_failed", causes.append)
    client.enable_direct_tls, client.enable_starttls = False, True
    client._current_connection_attempt = asyncio.get_running_loop().create_future()
    assert not await client._attempt_connection("127.0.0.1", 1, False, None)
    assert isinstance(causes[0], ConnectionRefusedError)


async def test_flags_choose_how_an_address_is_tried(client: ClientXMPP) -> None:
    tried: list[bool] = []

    async def attempt(host: str, port: int, tls: bool, server_hostname: str | None) -> bool:
        tried.append(tls)
        return True

    client._attempt_connection = attempt  # type: ignore[method-assign]
    for direct in (True, False):
        client.enable_direct_tls, client.enable_starttls = direct, not direct
        await client.connect("127.0.0.1", 5222)
    assert tried == [True, False]
    assert client._run_out_filters is not None
    client._run_out_filters.cancel()
    await asyncio.gather(client._run_out_filters, return_exceptions=True)


async def test_features_that_were_negotiated_are_left_alone(client: ClientXMPP) -> None:
    transport = Transport()
    client.connection_made(transport)
    transport.written = b""
    client.features.update({"mechanisms", "starttls"})
    features = client._build_stanza(
        fromstring(
            "<features xmlns='http://etherx.jabber.org/streams'>"
            "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
            "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></features>"
        )
    )
    assert await client._handle_stream_features(features) is None  # type: ignore[arg-type]
    assert transport.written == b""


async def test_a_lost_connection_keeps_the_session_if_it_is_told_to(client: ClientXMPP) -> None:
    ended: list[Any] = []
    client.add_event_handler("session_end", ended.append)
    client.end_session_on_disconnect = False
    client.connection_made(Transport())
    client.connection_lost(None)
    assert ended == []
    assert client.transport is None


async def test_exceptions_of_handlers_go_through_the_stanza(client: ClientXMPP) -> None:
    """Where the guard catches them; by itself slixmpp would tell the sender."""
    stanza = client._build_stanza(fromstring("<message xmlns='jabber:client' from='a@b'><body/></message>"))
    assert isinstance(stanza, Message)
    caught: list[Exception] = []
    stanza.exception = caught.append  # type: ignore[method-assign]

    def raising(_: Any) -> None:
        raise ValueError

    client.add_event_handler("message", raising)
    client.recv_stanza(stanza)
    assert len(caught) == 1


def test_the_serializer() -> None:
    item = fromstring("<iq xmlns='jabber:client' id='&lt;'><a xmlns='urn:a' xml:lang='en'><b/></a></iq>")
    assert tostring(item, xmlns="jabber:client") == '<iq id="&lt;"><a xmlns="urn:a" xml:lang="en"><b /></a></iq>'


def test_saslprep() -> None:
    assert saslprep("I\u00adX") == "IX"
    assert saslprep("\u00aa") == "a"
    with pytest.raises(StringPrepError):
        saslprep("\u0007")


async def test_service_records_in_order() -> None:
    class Record:
        def __init__(self, target: str, port: int, priority: int) -> None:
            self.data = type("Data", (), {"target": target, "port": port, "priority": priority, "weight": 0})

    class Resolver:
        async def query_dns(self, name: str, kind: str) -> Any:
            assert (name, kind) == ("_xmpps-client._tcp.example.org", "SRV")
            answer = [Record("b.example.org.", 2, 20), Record("a.example.org.", 1, 10)]
            return type("Answer", (), {"answer": answer})

    resolver: Any = Resolver()
    found = await get_SRV("example.org", 5222, ["xmpps-client"], resolver=resolver)
    assert [(host, port) for _, host, port in found] == [("a.example.org", 1), ("b.example.org", 2)]
