from __future__ import annotations

from xml.etree.ElementTree import Comment, Element

from openvoice.jingle.namespaces import JINGLE, child, children, qualified, split


def test_names() -> None:
    assert split(qualified(JINGLE, "reason")) == (JINGLE, "reason")
    assert split("plain") == ("", "plain")


def test_comments_are_no_children() -> None:
    element, inner = Element("a"), Element(qualified(JINGLE, "reason"))
    element.extend([Comment("nothing"), inner])
    assert list(children(element)) == [(JINGLE, "reason", inner)]
    assert child(element, JINGLE, "reason") is inner
    assert child(element, JINGLE, "other") is None
