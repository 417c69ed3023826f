"""Row 15: malformed stanzas, by a friend, over a real server. The parsers themselves are fuzzed in ``tests/jingle``."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import product
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openvoice import CallState
from openvoice.jingle import namespaces as ns
from openvoice.jingle.model import JingleAction, MessageKind
from openvoice.jingle.outputs import ReplyError, ReplyResult, SendIq
from openvoice.signalling.xmpp.elements import serialize, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused
from tests.jingle import samples
from tests.jingle.test_parse import TREES

from .attacker import SOON
from .scene import Scene, rings, talk

LONG = "x" * 20_000
ODD = ("", " ", "-1", "0", "99999999999999999999", "1e9", "NaN", "\u202e", "\u0661", "'", "&amp;&lt;", LONG)


def _attributes() -> list[str]:
    whole = samples.content(inner=samples.transport(samples.fingerprint() + samples.CANDIDATE))
    # Every attribute of an offer in turn, with every odd value in its place.
    places = [place for place in range(len(whole)) if whole.startswith("='", place)]
    offers = []
    for place, odd in product(places, ODD):
        end = whole.index("'", place + 2)
        offers.append(whole[: place + 2] + odd.replace("'", "&apos;") + whole[end:])
    return [offer for offer in offers if len(offer) < 100_000]


STRUCTURES = [
    "",
    "<content/>" * 200,
    samples.content() * 2,
    samples.content("0") + samples.content("1") * 50,
    "<a>" * 100 + "</a>" * 100,
    samples.content(inner=samples.transport(samples.CANDIDATE * 900 + samples.fingerprint())),
    samples.content(codecs="<payload-type id='111' name='opus' clockrate='48000'/>" * 300),
    samples.content(inner=samples.transport(samples.fingerprint() * 100)),
    f"<group xmlns='{ns.GROUPING}' semantics='BUNDLE'>" + "<content name='0'/>" * 500 + "</group>" + samples.content(),
]


@pytest.mark.live
@pytest.mark.slow
async def test_no_stanza_of_a_friend_hurts(scene: Callable[..., Scene]) -> None:
    """Hundreds of broken offers and trickles during a call: each is answered, nothing raises, calls go on."""
    cast = scene(friends=("alice", "bob", "mallory"))
    async with cast.client("alice") as alice, cast.client("bob") as bob, cast.attacker("mallory") as mallory:
        call, other = await talk(alice, bob)
        offers = [*STRUCTURES, *_attributes()[::2]]
        for batch in range(0, len(offers), 25):
            answers = await asyncio.gather(
                *(
                    mallory.jingle(action, alice.address, f"sid-{batch}-{number}", offer)
                    for number, offer in enumerate(offers[batch : batch + 25])
                    for action in ("session-initiate", "transport-info")
                )
            )
            assert "timeout" not in answers
        for kind, sid in product(MessageKind, ("", LONG[:900], "\u202e", " ", call.id)):
            mallory.send(
                f"<message xmlns='jabber:client' to='{alice.address}' type='chat'>"
                f"<{kind} xmlns='{ns.JINGLE_MESSAGE}' id='{sid}'>{samples.VOICE * 3}<reason/></{kind}></message>"
            )
        await mallory.ping(alice.address)
        assert alice._signalling._connection.faults == 0  # type: ignore[attr-defined]
        assert call.state is other.state is CallState.ACTIVE
        await call.hangup()
        ringing = rings(bob)
        await alice.call(bob.address.bare)
        await asyncio.wait_for(ringing, SOON)


@pytest.mark.live
@pytest.mark.slow
async def test_one_message_of_a_stranger_does_not_take_anybody_offline(scene: Callable[..., Scene]) -> None:
    """The server would send it again after each new login, for ever."""
    cast = scene(friends=("alice", "bob"), strangers=("eve",))
    async with cast.client("alice") as alice, cast.attacker("bob") as bob, cast.attacker("eve") as eve:
        happenings = alice.events()
        inner = "<a>" * 200 + "</a>" * 200
        eve.send(f"<message xmlns='jabber:client' to='{alice.address.bare}' type='chat'><x>{inner}</x></message>")
        await eve.ping(alice.address)
        ringing = rings(alice)
        bob.say(MessageKind.PROPOSE, alice.address.bare, "sid")
        await asyncio.wait_for(ringing, 3.0)
        assert (await anext(happenings)).name == "incoming"


ESCAPES = {
    "quotation marks": "x&quot;/&gt;&lt;/jingle&gt;&lt;/iq&gt;&lt;message to=&quot;eve@evil.test&quot;/&gt;",
    "apostrophes": "x&apos; y=&apos;",
    "entities": "&amp;amp;&amp;lt;",
}


@pytest.mark.parametrize("namespace", ESCAPES.values(), ids=ESCAPES.keys())
@pytest.mark.parametrize("action", list(JingleAction))
def test_nothing_that_is_echoed_becomes_a_stanza_of_ours(action: str, namespace: str) -> None:
    """slixmpp does not escape namespaces: a peer that makes one up would speak to the server in this account's name."""
    endpoint = samples.endpoint()
    endpoint.receive_iq("1", samples.PEER, samples.jingle("session-initiate", samples.content()), samples.NOW)
    for name in ("0", "new"):
        foreign = (
            f"<content creator='initiator' name='{name}'><description xmlns='{namespace}' media='audio'/>"
            f"<transport xmlns='{namespace}'/><security xmlns='{namespace}'/></content><x xmlns='{namespace}'/>"
        )
        for output in endpoint.receive_iq("2", samples.PEER, samples.jingle(action, foreign), samples.NOW):
            if isinstance(output, SendIq):
                written = serialize(stanza("iq", output.payload, kind="set", id="1", to=str(output.to)))
                assert ElementTree.fromstring(written)[0].tag == output.payload.tag
                assert b"evil" not in written


def test_whatever_else_would_echo_one_cannot_be_sent() -> None:
    with pytest.raises(StanzaRefused, match="bad-request"):
        serialize(stanza("iq", Element('{x"/><message to="eve@evil.test"/><y z="}query'), kind="result", id="1"))


@settings(max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(list(JingleAction)), TREES), max_size=6))
def test_whatever_is_asked_the_reply_comes_first_and_nothing_raises(requests: list[tuple[str, Element]]) -> None:
    endpoint = samples.endpoint()
    for action, tree in requests:
        payload = samples.jingle(action)
        payload.append(tree)
        for sender in (samples.PEER, samples.STRANGER):
            outputs = endpoint.receive_iq("request", sender, payload, samples.NOW)
            assert isinstance(outputs[0], ReplyResult | ReplyError)
            assert outputs[0].to == sender
