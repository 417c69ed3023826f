"""Elements, and their octets."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.signalling.xmpp.elements import MAXIMUM_SENT, element, error, local_name, namespace_of, serialize, stanza
from openvoice.signalling.xmpp.failures import StanzaRefused, refusal


def test_stanzas_are_written_without_prefixes() -> None:
    made = stanza("iq", element("urn:x", "a", element("urn:y", "b", "text"), c="d"), kind="set", id="1", to=None)
    assert serialize(made) == b'<iq type="set" id="1"><a xmlns="urn:x" c="d"><b xmlns="urn:y">text</b></a></iq>'
    assert (local_name(made[0]), namespace_of(made[0])) == ("a", "urn:x")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), max_size=30))
def test_texts_survive(text: str) -> None:
    made = element("urn:x", "a", text, b=text)
    parsed = fromstring(serialize(made).decode())
    assert parsed.text == (text or None)
    assert parsed.get("b") == text


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ufffe", "\ud800"])
def test_what_is_no_xml_is_not_sent(text: str) -> None:
    for made in (element("urn:x", "a", text), element("urn:x", "a", b=text)):
        with pytest.raises(StanzaRefused, match="bad-request"):
            serialize(made)


def test_what_is_too_large_is_not_sent() -> None:
    with pytest.raises(StanzaRefused, match="policy-violation"):
        serialize(element("urn:x", "a", "é" * (MAXIMUM_SENT // 2)))


def test_errors_are_read_as_they_are_written() -> None:
    unknown = element("urn:xmpp:jingle:errors:1", "unknown-session")
    found = refusal(stanza("iq", error("item-not-found", application=unknown), kind="error"))
    assert (found.condition, found.extra) == ("item-not-found", unknown.tag)
    assert refusal(stanza("iq", kind="error")).condition == "undefined-condition"
