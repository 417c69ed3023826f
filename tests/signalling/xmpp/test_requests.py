"""Answers count only from whom the request went to."""

from __future__ import annotations

import asyncio
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.signalling.xmpp.failures import StanzaFailure, StanzaLost, StanzaRefused, StanzaTimeout
from openvoice.signalling.xmpp.messages import sender_of
from openvoice.signalling.xmpp.requests import Requests
from tests.signalling.xmpp.scripted import ALICE, BOB, stanza_of

PHONE = Address(BOB.local, BOB.domain, "phone")
SERVER = Address("", ALICE.domain)


def receive(requests: Requests, text: str) -> bool:
    answer = stanza_of(text)
    sender = sender_of(answer, ALICE)
    assert sender is not None
    return requests.receive(answer, sender)


@pytest.mark.parametrize(
    ("recipient", "sender", "counts"),
    [
        (PHONE, str(PHONE), True),
        (PHONE, str(BOB), False),
        (PHONE, f"{BOB}/other", False),
        (PHONE, "mallory@openvoice.test/phone", False),
        (PHONE, None, False),
        (PHONE, str(SERVER), False),
        (None, None, True),
        (None, str(ALICE), True),
        (None, str(BOB), False),
        (ALICE, None, True),
        (SERVER, str(SERVER), True),
        (SERVER, None, True),
        (SERVER, str(BOB), False),
        (SERVER, "openvoice.test/resource", False),
    ],
)
async def test_whose_answer_counts(recipient: Address | None, sender: str | None, counts: bool) -> None:
    requests = Requests(ALICE)
    heard: list[Element | StanzaFailure] = []
    requests.begin("1", recipient, 10, heard.append)
    attribute = f"from='{sender}'" if sender else ""
    assert receive(requests, f"<iq type='result' id='2' {attribute}/>") is False
    assert receive(requests, f"<iq type='result' id='1' {attribute}/>") is counts
    assert len(heard) == counts
    assert receive(requests, f"<iq type='result' id='1' {attribute}/>") is False
    requests.abandon(())
    assert len(heard) == 1


async def test_errors_are_read() -> None:
    requests = Requests(ALICE)
    heard: list[Element | StanzaFailure] = []
    requests.begin("1", BOB, 10, heard.append)
    receive(
        requests,
        f"<iq type='error' id='1' from='{BOB}'><error type='cancel'>"
        "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>"
        "<text xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'>no</text>"
        "<unknown-session xmlns='urn:xmpp:jingle:errors:1'/></error></iq>",
    )
    (refused,) = heard
    assert isinstance(refused, StanzaRefused)
    assert refused.condition == "item-not-found"
    assert refused.extra == "{urn:xmpp:jingle:errors:1}unknown-session"
    requests.begin("2", BOB, 10, heard.append)
    receive(requests, f"<iq type='error' id='2' from='{BOB}'/>")
    assert isinstance(heard[1], StanzaRefused)
    assert heard[1].condition == "undefined-condition"


async def test_time_runs_out() -> None:
    requests = Requests(ALICE)
    outcome: asyncio.Future[Element | StanzaFailure] = asyncio.get_running_loop().create_future()
    requests.begin("1", BOB, 0.0, outcome.set_result)
    assert isinstance(await outcome, StanzaTimeout)
    assert len(requests) == 0


async def test_a_lost_session_ends_all_but_those_that_were_not_sent() -> None:
    requests = Requests(ALICE)
    heard: list[Element | StanzaFailure] = []
    requests.begin("sent", BOB, 10, heard.append)
    requests.begin("waiting", BOB, 10, heard.append)
    requests.abandon({"waiting"})
    assert [type(outcome) for outcome in heard] == [StanzaLost]
    assert len(requests) == 1
    requests.abandon(())
