"""Whose words a message brings. Wrappers from anybody but the own account bring nobody's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.core.address import Address
from openvoice.signalling.xmpp.messages import (
    ArchiveResult,
    ReceivedMessage,
    format_time,
    parse_time,
    sender_of,
    unwrap,
)
from tests.signalling.xmpp.scripted import ALICE, BOB, stanza_of

MALLORY = "mallory@openvoice.test/x"
INNER = f"<message type='chat' from='{BOB}/phone' to='{ALICE}'><body>hello</body></message>"
OUR_INNER = f"<message type='chat' from='{ALICE}/other' to='{BOB}'><body>hello</body></message>"


def carbon(kind: str, inner: str, sender: str | None = str(ALICE)) -> str:
    attribute = f"from='{sender}'" if sender else ""
    return (
        f"<message {attribute} to='{ALICE}/here'><{kind} xmlns='urn:xmpp:carbons:2'>"
        "<forwarded xmlns='urn:xmpp:forward:0'>"
        f"{inner.replace('<message', '<message xmlns=' + chr(39) + 'jabber:client' + chr(39), 1)}"
        f"</forwarded></{kind}></message>"
    )


def archived(inner: str, sender: str | None = str(ALICE), query: str = "q") -> str:
    attribute = f"from='{sender}'" if sender else ""
    return (
        f"<message {attribute}><result xmlns='urn:xmpp:mam:2' queryid='{query}'><forwarded xmlns='urn:xmpp:forward:0'>"
        "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>"
        f"{inner.replace('<message', '<message xmlns=' + chr(39) + 'jabber:client' + chr(39), 1)}"
        "</forwarded></result></message>"
    )


def test_a_plain_message() -> None:
    found = unwrap(stanza_of(INNER), ALICE)
    assert isinstance(found, ReceivedMessage)
    assert (found.sender, found.carbon, found.stamp) == (Address(BOB.local, BOB.domain, "phone"), None, None)


@pytest.mark.parametrize("sender", [str(ALICE), None])
def test_carbons_of_the_own_account(sender: str | None) -> None:
    received = unwrap(stanza_of(carbon("received", INNER, sender)), ALICE)
    sent = unwrap(stanza_of(carbon("sent", OUR_INNER, sender)), ALICE)
    assert isinstance(received, ReceivedMessage)
    assert isinstance(sent, ReceivedMessage)
    assert (received.carbon, received.sender.bare) == ("received", BOB)
    assert (sent.carbon, sent.sender.bare) == ("sent", ALICE)


@pytest.mark.parametrize("sender", [MALLORY, f"{ALICE}/other", f"{BOB}/phone", ALICE.domain, "alice@other.test"])
@pytest.mark.parametrize("kind", ["received", "sent"])
def test_forged_carbons(sender: str, kind: str) -> None:
    for inner in (INNER, OUR_INNER):
        assert unwrap(stanza_of(carbon(kind, inner, sender)), ALICE) is None


def test_carbons_whose_inside_cannot_be() -> None:
    not_to_us = INNER.replace(f"to='{ALICE}'", f"to='{BOB}'")
    assert unwrap(stanza_of(carbon("sent", INNER)), ALICE) is None
    assert unwrap(stanza_of(carbon("received", not_to_us)), ALICE) is None
    assert unwrap(stanza_of(carbon("received", carbon("sent", OUR_INNER))), ALICE) is None
    assert unwrap(stanza_of(carbon("received", "")), ALICE) is None
    assert unwrap(stanza_of(carbon("received", INNER.replace(f"{BOB}/phone", "@@"))), ALICE) is None


def test_archive_results() -> None:
    found = unwrap(stanza_of(archived(INNER)), ALICE)
    assert isinstance(found, ArchiveResult)
    assert found.query == "q"
    assert found.received.sender.bare == BOB
    assert found.received.stamp == 1767225600.0


@pytest.mark.parametrize("sender", [MALLORY, f"{ALICE}/other", ALICE.domain])
def test_forged_archive_results(sender: str) -> None:
    assert unwrap(stanza_of(archived(INNER, sender)), ALICE) is None


def test_a_forwarded_message_by_itself_is_its_senders() -> None:
    text = f"<message from='{MALLORY}'><forwarded xmlns='urn:xmpp:forward:0'>{INNER}</forwarded></message>"
    found = unwrap(stanza_of(text), ALICE)
    assert isinstance(found, ReceivedMessage)
    assert str(found.sender) == MALLORY


@pytest.mark.parametrize("kind", ["groupchat", "headline", "nonsense"])
def test_not_for_calls(kind: str) -> None:
    assert unwrap(stanza_of(INNER.replace("'chat'", f"'{kind}'")), ALICE) is None


@pytest.mark.parametrize(
    ("origin", "believed"), [("openvoice.test", True), (str(ALICE), True), (None, True), (MALLORY, False)]
)
def test_whose_stamp_is_believed(origin: str | None, believed: bool) -> None:
    attribute = f"from='{origin}'" if origin else ""
    delay = f"<delay xmlns='urn:xmpp:delay' {attribute} stamp='2026-01-01T00:00:00Z'/>"
    found = unwrap(stanza_of(INNER.replace("<body>", delay + "<body>")), ALICE)
    assert isinstance(found, ReceivedMessage)
    assert (found.stamp is not None) is believed


def test_senders() -> None:
    assert sender_of(stanza_of("<message/>"), Address.parse("alice@openvoice.test/here")) == ALICE
    assert sender_of(stanza_of("<message from='@@'/>"), ALICE) is None
    assert unwrap(stanza_of("<message from='@@'/>"), ALICE) is None


@given(st.floats(0, 4e9))
def test_times_survive(moment: float) -> None:
    parsed = parse_time(format_time(moment))
    assert parsed is not None
    assert abs(parsed - moment) < 0.002


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_none(text: str) -> None:
    parse_time(text)
