from __future__ import annotations

from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.inputs import WordsReceived
from openvoice.core.words import Step, WordsMessage
from openvoice.jingle import namespaces as ns
from openvoice.jingle.information import read_information, write_information
from openvoice.jingle.words import parse_words, serialize_words
from tests.jingle.samples import description, parsed

VALUE = bytes(range(32))
TEXT = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def element(name: str, text: str | None) -> Element:
    made = Element(ns.qualified(ns.VERIFICATION_WORDS, name))
    made.text = text
    return made


@pytest.mark.parametrize("step", list(Step))
def test_what_is_written_is_read(step: Step) -> None:
    message = WordsMessage(step, VALUE)
    written = serialize_words(message)
    assert written.tag == f"{{urn:openvoice:verification-words:0}}{step}"
    assert written.text == TEXT
    assert parse_words(written) == message


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("commit", None),
        ("commit", ""),
        ("commit", TEXT[:-4]),
        ("commit", TEXT + TEXT),
        ("commit", f" {TEXT[1:]}"),
        ("commit", TEXT.replace("A", "-", 1)),
        ("commit", TEXT.replace("A", "ä", 1)),
        ("commit", TEXT[:-1] + "A"),
        ("commit", TEXT[:-2] + "=="),
        ("abort", TEXT),
        ("COMMIT", TEXT),
    ],
)
def test_what_cannot_be_read_is_a_message_all_the_same(name: str, text: str | None) -> None:
    assert parse_words(element(name, text)) == WordsMessage(None)


def test_elements_inside_are_not_read_over() -> None:
    made = element("commit", TEXT)
    made.append(Element("more"))
    assert parse_words(made) == WordsMessage(None)


@given(st.text(), st.one_of(st.none(), st.text(), st.text("ABCabc012+/=", min_size=44, max_size=44)))
def test_nothing_raises(name: str, text: str | None) -> None:
    message = parse_words(element(name, text))
    assert message.step is None or len(message.value) == 32


def test_they_travel_in_a_session_info() -> None:
    inner = ElementTree.tostring(serialize_words(WordsMessage(Step.REVEAL, VALUE)), encoding="unicode")
    jingle = parsed("session-info", inner)
    assert jingle.information == WordsMessage(Step.REVEAL, VALUE)
    assert not jingle.unsupported
    unreadable = parsed("session-info", f"<dance xmlns='{ns.VERIFICATION_WORDS}'/>")
    assert unreadable.information == WordsMessage(None)
    assert not unreadable.unsupported
    assert parsed("transport-info", inner).information is None


def test_the_call_is_told_of_every_message() -> None:
    for message in (WordsMessage(Step.COMMIT, VALUE), WordsMessage(None)):
        assert read_information(message, None) == [WordsReceived(message)]
    assert write_information(WordsMessage(Step.COMMIT, VALUE), description()) == [WordsMessage(Step.COMMIT, VALUE)]
