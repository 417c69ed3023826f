"""Nodes of the personal eventing service: what is asked, and what answers and notifications hold."""

from __future__ import annotations

from xml.etree.ElementTree import Element, fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.signalling.xmpp import pubsub
from openvoice.signalling.xmpp.elements import element, serialize

NODE = "a node"
PUBSUB = "http://jabber.org/protocol/pubsub"


def answer(items: str, node: str = NODE) -> Element:
    return fromstring(
        f"<iq xmlns='jabber:client'><pubsub xmlns='{PUBSUB}'><items node='{node}'>{items}</items></pubsub></iq>"
    )


def test_a_fetch_asks_for_one_item() -> None:
    assert serialize(pubsub.fetch_query(NODE)) == (
        f'<pubsub xmlns="{PUBSUB}"><items node="a node" max_items="1"/></pubsub>'.replace("/>", " />").encode()
    )


def test_a_publication_is_open_to_everybody() -> None:
    query = pubsub.publish_query(NODE, Element("payload"), options=True)
    fields = {item.get("var"): item.findtext("{jabber:x:data}value") for item in query.iter("{jabber:x:data}field")}
    assert fields == {
        "FORM_TYPE": f"{PUBSUB}#publish-options",
        "pubsub#access_model": "open",
        "pubsub#persist_items": "true",
    }
    assert query.find(f"{{{PUBSUB}}}publish/{{{PUBSUB}}}item/payload") is not None
    without = pubsub.publish_query(NODE, Element("payload"), options=False)
    assert without.find(f"{{{PUBSUB}}}publish-options") is None


def test_a_node_is_opened_by_its_owner() -> None:
    query = pubsub.configure_query(NODE)
    assert query.tag == f"{{{PUBSUB}#owner}}pubsub"
    assert query.find(f"{{{PUBSUB}#owner}}configure[@node='{NODE}']/{{jabber:x:data}}x[@type='submit']") is not None


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("", None),
        ("<item id='1'/>", None),
        ("<item id='1'><one xmlns='x'/></item>", "one"),
        ("<item id='current'><one xmlns='x'/></item><item id='2'><two xmlns='x'/></item>", "one"),
        ("<item id='1'><one xmlns='x'/></item><item id='2'><two xmlns='x'/></item>", "two"),
    ],
)
def test_what_was_fetched(items: str, expected: str | None) -> None:
    found = pubsub.fetched(answer(items), NODE)
    assert (None if found is None else found.tag) == (None if expected is None else f"{{x}}{expected}")


def test_the_answer_for_another_node_is_none() -> None:
    assert pubsub.fetched(answer("<item id='1'><one/></item>", "another"), NODE) is None
    assert pubsub.fetched(fromstring("<iq/>"), NODE) is None


def test_a_notification_names_its_node() -> None:
    event = fromstring(
        f"<message xmlns='jabber:client'><event xmlns='{PUBSUB}#event'><items node='{NODE}'>"
        "<item id='1'><one xmlns='x'/></item></items></event></message>"
    )
    found = pubsub.notified(event)
    assert found is not None
    assert (found[0], found[1].tag) == (NODE, "{x}one")
    event[0][0].clear()
    assert pubsub.notified(event) is None


@st.composite
def junk(draw: st.DrawFn, depth: int = 3) -> Element:
    namespace = draw(st.sampled_from([PUBSUB, f"{PUBSUB}#event"]))
    made = Element(f"{{{namespace}}}{draw(st.sampled_from(['pubsub', 'event', 'items', 'item', 'retract']))}")
    made.attrib.update(draw(st.dictionaries(st.sampled_from(["node", "id"]), st.sampled_from([NODE, "current", ""]))))
    if depth:
        made.extend(draw(st.lists(junk(depth - 1), max_size=3)))
    return made


@given(junk())
def test_junk_raises_nothing(junk: Element) -> None:
    pubsub.notified(element("jabber:client", "message", junk))
    pubsub.fetched(element("jabber:client", "iq", junk), NODE)
