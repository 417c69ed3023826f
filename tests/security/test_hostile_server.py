"""The enemy's server itself: whoever is not attacked on it notices nothing, and what it does to the others it does."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import pytest

from openvoice import Address, CallState, Client, LoginRefused
from openvoice.jingle import namespaces as ns
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.server.prosody import Prosody
from openvoice.signalling.xmpp.connection import Connection
from openvoice.signalling.xmpp.namespaces import CLIENT, SASL
from openvoice.signalling.xmpp.supervisor import BackOff
from tests.signalling.xmpp.scripted import Recorder

from .acknowledgements import Tally
from .attacker import SOON
from .hostile_server import HostileServer, Toward
from .login import login
from .scene import HostileScene, rings, talk
from .xml_stream import StreamCutter

# --- cutting ----------------------------------------------------------------------------------------------------------

STREAM = (
    b"<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    b"<stream:features><a xmlns='urn:a'/><b xmlns='urn:b'></b></stream:features> <iq id='1' a='/'></iq>\n"
    b"<message to='x>y'><body>&gt;\xc3\xa4<i/></body><empty a='b'/></message><r xmlns='urn:xmpp:sm:3'/>"
    b"<presence></presence><presence/></stream:stream>"
)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_no_octet_is_lost_and_every_element_is_whole(size: int) -> None:
    cutter = StreamCutter()
    pieces = [piece for at in range(0, len(STREAM), size) for piece in cutter.feed(STREAM[at : at + size])]
    assert b"".join(piece.octets for piece in pieces) == STREAM
    elements = [(piece.element.tag.rpartition("}")[2], piece.octets) for piece in pieces if piece.element is not None]
    assert [name for name, _ in elements] == ["features", "iq", "message", "r", "presence", "presence"]
    assert elements[1][1] == b"<iq id='1' a='/'></iq>"
    assert elements[5][1] == b"<presence/>"
    message = next(piece.element for piece in pieces if piece.octets.startswith(b"<message"))
    assert message is not None
    assert message.get("to") == "x>y"
    assert message.findtext(f"{{{CLIENT}}}body") == ">ä"


def test_the_header_goes_on_before_anything_else_came() -> None:
    cutter = StreamCutter()
    (header,) = cutter.feed(STREAM[: STREAM.index(b"<stream:features")])
    assert header.octets.endswith(b"streams'>")
    assert cutter.feed(b" ")[0].octets == b" "


def test_what_is_no_xml_goes_on_as_it_is() -> None:
    cutter = StreamCutter()
    pieces = [*cutter.feed(b"<?xml version='1.0'?><a><b/>\x16\x03\x01<"), *cutter.feed(b"\x00<c/>")]
    assert b"".join(piece.octets for piece in pieces) == b"<?xml version='1.0'?><a><b/>\x16\x03\x01<\x00<c/>"
    assert [piece.octets for piece in pieces if piece.element is not None] == [b"<b/>"]


# --- counting ---------------------------------------------------------------------------------------------------------


def test_whoever_got_less_or_more_has_handled_what_was_sent() -> None:
    tally = Tally()
    for given in (1, 0, 2, 1):
        tally.took(given)
    assert [tally.translate(handled) for handled in range(5)] == [0, 2, 2, 3, 4]


def test_on_resumption_the_rest_comes_again() -> None:
    tally = Tally()
    for given in (1, 2, 1):
        tally.took(given)
    tally.injected()
    assert tally.resume(3) == 2
    tally.took(1)
    assert tally.translate(4) == 3


# --- whoever is not attacked ------------------------------------------------------------------------------------------


@pytest.fixture
def cast(hostile: Callable[..., HostileScene]) -> HostileScene:
    return hostile(friends=("alice", "bob"))


@pytest.mark.live
@pytest.mark.parametrize("starttls", [False, True], ids=["direct TLS", "STARTTLS"])
async def test_clients_call_each_other_through_it(cast: HostileScene, starttls: bool) -> None:
    alice_account = cast.account("alice")
    if starttls:
        alice_account = replace(alice_account, server=(cast.server.host, cast.server.starttls_port))
    async with Client(alice_account, interfaces=(cast.server.host,)) as alice, cast.client("bob") as bob:
        call, other = await talk(alice, bob)
        ours, theirs = call.security.media, other.security.media
        assert ours is not None
        assert theirs is not None
        assert ours.local_fingerprint.matches(theirs.remote_fingerprint)
        await call.hangup()
        await asyncio.wait_for(other.wait_closed(), SOON)
        actions = [jingle.get("action") for jingle in _jingle(cast.server.seen(alice.address, Toward.SERVER))]
        assert "session-initiate" in actions
        assert cast.server.octets(bob.address, Toward.CLIENT).count(b"session-initiate") == 1
        assert list(map(_text, cast.server.seen(bob.address, Toward.CLIENT))) == list(
            map(_text, cast.server.given(bob.address, Toward.CLIENT))
        )


def _text(stanza: Element) -> str:
    return ElementTree.tostring(stanza, encoding="unicode")


def _jingle(stanzas: list[Element]) -> list[Element]:
    return [jingle for stanza in stanzas if (jingle := stanza.find(f"{{{ns.JINGLE}}}jingle")) is not None]


# --- stream management ------------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_a_session_goes_on_although_stanzas_were_taken_out_and_put_in(cast: HostileScene) -> None:
    """The counts of XEP-0198 are told so that neither side notices, over a broken connection too."""
    heard = Recorder()
    account = cast.account("alice")
    alice = Connection(
        **login(account),
        listener=heard,
        back_off=BackOff(first=0.01),
    )
    dice = random.Random(1)

    async def meddle(toward: Toward, _: Address, stanza: Element) -> list[Element]:
        if stanza.tag != f"{{{CLIENT}}}message" or stanza.get("type") == "last":
            return [stanza]
        return [stanza] * dice.choice((0, 2))

    await alice.open()
    try:
        with cast.server.attacking(meddle):
            for round_ in range(3):
                for number in range(20):
                    alice.send_message(_chat(account.address, f"{round_} {number}"))
                await _settled(alice)
                changes = len(heard.changes)
                cast.server.cut(account.address)
                await heard.until(lambda heard, seen=changes: len(heard.changes) >= seen + 2)  # type: ignore[misc]
                assert alice.online
        alice.send_message(_chat(account.address, "last"))
        await heard.until(lambda heard: "last" in heard.bodies)
        assert [change[0] for change in heard.changes] == [True, False] * 3 + [True]
        assert len(cast.server.sessions) == 1, "it was the same session all the time"
        assert alice.faults == 0
    finally:
        await alice.close()


def _chat(to: Address, text: str) -> Element:
    message = Element(f"{{{CLIENT}}}message", {"to": str(to), "type": "chat"})
    SubElement(message, f"{{{CLIENT}}}body").text = text
    return message


async def _settled(connection: Connection) -> None:
    await connection.request(Element("{urn:xmpp:ping}ping"), Address("", connection.address.domain))


# --- what it does -----------------------------------------------------------------------------------------------------


@pytest.mark.live
async def test_it_drops_and_invents(cast: HostileScene) -> None:
    """A propose that nobody sent rings; one that was sent does not arrive."""
    async with cast.client("alice") as alice, cast.client("bob") as bob:

        async def swallow(toward: Toward, account: Address, stanza: Element) -> list[Element]:
            return [] if stanza.find(f"{{{ns.JINGLE_MESSAGE}}}propose") is not None else [stanza]

        ringing = rings(bob)
        with cast.server.attacking(swallow, bob.address):
            call = await alice.call(bob.address.bare)
            await cast.server.sees(
                bob.address, Toward.CLIENT, lambda stanza: stanza.find(f"{{{ns.JINGLE_MESSAGE}}}propose") is not None
            )
            await call.hangup()
        assert not ringing.done()
        propose = serialize_message(
            JingleMessage(kind=MessageKind.PROPOSE, id="made-up", media=frozenset({"audio"})), bob.address.bare
        )
        propose.set("from", str(alice.address))
        cast.server.inject(bob.address, Toward.CLIENT, propose)
        assert (await asyncio.wait_for(ringing, SOON)).state is CallState.RINGING


# --- whether the login would notice it --------------------------------------------------------------------------------


@pytest.mark.live
async def test_without_channel_binding_the_report_says_that_somebody_could_sit_in_between(cast: HostileScene) -> None:
    """TLS 1.3 with this Prosody and this Python: no binding that both know. So it goes unnoticed, and that is said."""
    async with cast.client("alice") as alice, cast.client("bob") as bob:
        call, _ = await talk(alice, bob)
        facts = call.security.signalling
        assert facts is not None
        assert facts.tls_version == "TLSv1.3"
        assert facts.channel_binding == ""
        assert any("could sit in between" in finding.text for finding in call.security.findings)


def without_plus(toward: Toward, element: Element) -> Element:
    for mechanisms in element.iter(f"{{{SASL}}}mechanisms"):
        for mechanism in list(mechanisms):
            if (mechanism.text or "").endswith("-PLUS"):
                mechanisms.remove(mechanism)
    return element


@pytest.mark.live
@pytest.mark.parametrize("strips", [False, True], ids=["it leaves the offer", "it takes out what binds"])
async def test_with_channel_binding_the_login_fails(prosody: Prosody, strips: bool) -> None:
    """TLS 1.2 has a binding that both know: the real server sees that the client's channel is not its own."""
    chosen: list[str | None] = []

    def watch(toward: Toward, element: Element) -> Element:
        if element.tag == f"{{{SASL}}}auth":
            chosen.append(element.get("mechanism"))
        return without_plus(toward, element) if strips else element

    async with HostileServer(prosody, newest=ssl.TLSVersion.TLSv1_2) as server:
        server.login_hooks.append(watch)
        with pytest.raises(LoginRefused):
            async with HostileScene(server, prosody, ("alice",)).client("alice"):
                raise AssertionError("it was let in")
    assert chosen == ["SCRAM-SHA-256" if strips else "SCRAM-SHA-256-PLUS"]
