"""The kit against openvoice's own logic: what is right holds, what is wrong is found, what is left open is forgiven."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import pytest

from openvoice.interop.results import Outcome
from openvoice.jingle import namespaces as ns
from tests.interop.virtual import IQ, Change, perform
from tests.vectors.replay import ROOT, vectors

FOLDERS = vectors()
NAMES = [f"{folder.parent.name}-{folder.name}" for folder in FOLDERS]
JINGLE = ns.qualified(ns.JINGLE, "jingle")


def named(vector: str) -> Path:
    return next(folder for folder in FOLDERS if folder.name == vector)


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
async def test_openvoice_fails_at_nothing(folder: Path) -> None:
    result = await perform(folder)
    assert result.outcome is not Outcome.FAILS, result.text
    assert result.text or result.outcome is Outcome.HOLDS


@pytest.mark.parametrize(
    ("vector", "outcome", "why"),
    [
        ("C-01", Outcome.NOT_TRIED, "it needs a person (dial): --interactive"),
        ("C-02", Outcome.HOLDS, ""),
        ("GEN-03-responder", Outcome.HOLDS, ""),
        ("C-04-accept", Outcome.HOLDS, ""),
        ("C-04-decline", Outcome.NOT_TRIED, "it needs somebody who declines, and calls are accepted there at once"),
        ("C-04-timeout", Outcome.NOT_TRIED, "it takes 45 s (--patient)"),
        ("C-05-good", Outcome.NOT_TRIED, "the kit has no OMEMO yet"),
        ("GEN-06", Outcome.NOT_TRIED, "it needs a second device of the played account"),
        ("JMI-08-accept", Outcome.NOT_TRIED, "it needs somebody else, who speaks too"),
        ("JMI-16", Outcome.NOT_TRIED, "it needs messages that the server has kept"),
    ],
)
async def test_where_nobody_sits_at_the_client(vector: str, outcome: Outcome, why: str) -> None:
    result = await perform(named(vector), asked=False)
    assert (result.outcome, result.text) == (outcome, why)


async def test_who_declines_can_be_asked_to() -> None:
    result = await perform(ROOT / "conversations" / "C-04-decline", answers=False)
    assert (result.outcome, result.text) == (Outcome.HOLDS, "")


# --- what is wrong ----------------------------------------------------------------------------------------------------


def on(action: str, change: Change) -> Change:
    """``change`` the ``jingle`` element of one action; the rest goes as it is."""

    def changed(stanza: Element) -> Element | None:
        jingle = stanza.find(JINGLE)
        if jingle is None or jingle.get("action") != action:
            return stanza
        return stanza if change(jingle) is not None else None

    return changed


def in_each(tag: str, change: Change) -> Change:
    def changed(element: Element) -> Element:
        for found in element.iter(tag):
            change(found)
        return element

    return changed


def set_to(**attributes: str) -> Change:
    def changed(element: Element) -> Element:
        for name, value in attributes.items():
            element.set(name, value)
        return element

    return changed


def with_child(child: str, **attributes: str) -> Change:
    def changed(element: Element) -> Element:
        SubElement(element, child, attributes)
        return element

    return changed


def turned(element: Element) -> Element:
    """The children the other way round."""
    element[:] = reversed(list(element))
    return element


def turned_empty(element: Element) -> Element:
    element.clear()
    return element


def without_errors(stanza: Element) -> Element:
    if stanza.tag == IQ and stanza.get("type") == "error":
        stanza.set("type", "result")
        stanza[:] = []
    return stanza


def without_replies(stanza: Element) -> Element | None:
    return None if stanza.tag == IQ and stanza.get("type") == "result" else stanza


def as_end(jingle: Element) -> Element:
    jingle.set("action", "session-terminate")
    jingle[:] = []
    SubElement(SubElement(jingle, ns.qualified(ns.JINGLE, "reason")), ns.qualified(ns.JINGLE, "busy"))
    return jingle


def of_other_reason(jingle: Element) -> Element:
    reason = jingle.find(ns.qualified(ns.JINGLE, "reason"))
    assert reason is not None
    reason[:] = [Element(ns.qualified(ns.JINGLE, "success"))]
    return jingle


DESCRIPTION = ns.qualified(ns.RTP, "description")
TRANSPORT = ns.qualified(ns.ICE_UDP, "transport")
CONTENT = ns.qualified(ns.JINGLE, "content")
PAYLOAD_TYPE = ns.qualified(ns.RTP, "payload-type")
FINGERPRINT = ns.qualified(ns.DTLS, "fingerprint")
GROUP = ns.qualified(ns.GROUPING, "group")


@pytest.mark.parametrize(
    ("vector", "change", "why"),
    [
        ("C-04-accept", without_replies, "expected the reply result, and session-accept came"),
        ("C-04-accept", on("session-accept", as_end), "and session-terminate (busy) came"),
        ("C-04-accept", on("session-accept", lambda _: None), "expected session-accept, and nothing came"),
        ("C-04-accept", on("session-accept", in_each(CONTENT, set_to(name="audio"))), "named 'audio' instead of '0'"),
        ("C-04-accept", on("session-accept", in_each(CONTENT, set_to(senders="initiator"))), "senders of content 0"),
        ("C-04-accept", on("session-accept", in_each(FINGERPRINT, set_to(setup="actpass"))), "setup of content 0"),
        (
            "C-04-accept",
            on("session-accept", in_each(TRANSPORT, set_to(ufrag=""))),
            "its session-accept cannot be used: a transport without ICE",
        ),
        ("C-04-accept", on("session-accept", in_each(PAYLOAD_TYPE, set_to(id="77"))), "that were not offered"),
        ("C-04-accept", on("session-accept", in_each(DESCRIPTION, set_to(media="video"))), "content 0 is not audio"),
        ("C-04-accept", on("session-accept", with_child(CONTENT, name="1")), "a content without description"),
        (
            "D-03",
            on("session-accept", in_each(DESCRIPTION, with_child(ns.qualified(ns.RTP, "encryption")))),
            "content audio has SDES keys",
        ),
        ("D-03", on("session-accept", with_child(GROUP, semantics="BUNDLE")), "bundles, though the offer did not"),
        ("C-01", on("session-initiate", in_each(FINGERPRINT, set_to(setup="active"))), "'active' instead of 'actpass'"),
        ("C-01", on("session-initiate", in_each(TRANSPORT, turned_empty)), "its session-initiate cannot be used"),
        ("GEN-05-fingerprint", on("session-terminate", of_other_reason), "success instead of security-error"),
        ("GEN-02", without_errors, "expected the reply item-not-found unknown-session, and result came"),
    ],
)
async def test_what_is_wrong_is_found(vector: str, change: Change, why: str) -> None:
    result = await perform(named(vector), change=change)
    assert result.outcome is Outcome.FAILS
    assert why in result.text
    assert "\n" not in result.text


async def test_what_nobody_expects_is_found() -> None:
    """A client that ends every call as soon as it is connected."""

    def ending(stanza: Element) -> Element | None:
        jingle = stanza.find(JINGLE)
        if jingle is not None and jingle.get("action") == "transport-info":
            as_end(jingle)
        return stanza

    result = await perform(ROOT / "conversations" / "C-04-accept", change=ending)
    assert result.text.endswith("session-terminate (busy) came")


# --- what is left open ------------------------------------------------------------------------------------------------


def no_more_than_needed(stanza: Element) -> Element | None:
    """A client without receipts, ``ringing``, ``finish`` and trickled candidates."""
    jingle = stanza.find(JINGLE)
    if jingle is not None and jingle.get("action") in ("transport-info", "session-info"):
        return None
    left_out = ("ringing", "finish", "received")
    return None if any(ns.split(child.tag)[1] in left_out for child in stanza) else stanza


def in_other_words(stanza: Element) -> Element:
    """Candidates and codecs the other way round, and elements that nobody knows."""
    for element in list(stanza.iter(TRANSPORT)):
        turned(element)
    for element in list(stanza.iter(DESCRIPTION)):
        turned(element)
        SubElement(element, "{urn:example:new}hint", strength="7")
    for element in list(stanza.iter(JINGLE)):
        element.set("responder", "somebody@example.org")
        SubElement(element, "{urn:example:new}hint")
    return stanza


def passive(jingle: Element) -> Element:
    changed = in_each(FINGERPRINT, set_to(setup="passive"))(jingle)
    return jingle if changed is None else changed


@pytest.mark.parametrize(
    "change", [no_more_than_needed, in_other_words, on("session-accept", passive)], ids=["less", "other", "passive"]
)
@pytest.mark.parametrize("vector", ["C-01", "C-02", "C-04-accept", "D-03", "S-01", "N-02", "GEN-05-ufrag", "JMI-07"])
async def test_what_the_standards_leave_open_is_forgiven(vector: str, change: Change) -> None:
    result = await perform(named(vector), change=change)
    assert result.outcome is Outcome.HOLDS, result.text


async def test_a_client_that_never_rings_fails_where_ringing_is_the_behaviour() -> None:
    result = await perform(ROOT / "conversations" / "C-15", change=no_more_than_needed)
    assert "expected received or ringing, and nothing came" in result.text


async def test_an_offer_with_names_and_numbers_of_its_own_is_answered_with_those() -> None:
    """The answers of a vector are adapted to what the tested client offers."""
    answered: list[Element] = []

    def renamed(stanza: Element) -> Element:
        jingle = stanza.find(JINGLE)
        if jingle is not None and jingle.get("action") == "session-initiate":
            in_each(CONTENT, set_to(name="0"))(jingle)
            answered.append(jingle)
        return stanza

    result = await perform(ROOT / "conversations" / "C-01", change=renamed)
    assert result.outcome is Outcome.HOLDS
    assert answered
