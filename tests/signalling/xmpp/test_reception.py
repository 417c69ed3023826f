"""What becomes of stanzas: who is heard, and who is told what."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element

import pytest

from openvoice.signalling.xmpp.archive import Archive
from openvoice.signalling.xmpp.capabilities import NODE, announcement
from openvoice.signalling.xmpp.contacts import Contacts
from openvoice.signalling.xmpp.reception import Reception
from openvoice.signalling.xmpp.requests import Requests
from tests.signalling.xmpp.scripted import ALICE, BOB, DOMAIN, Recorder, stanza_of

STRANGER = "stranger@example.org/x"
FRIEND = f"{BOB}/phone"
INFO = "<query xmlns='http://jabber.org/protocol/disco#info'/>"


class Desk:
    """A reception with everything around it."""

    def __init__(self) -> None:
        self.heard = Recorder()
        self.sent: list[Element] = []
        self.contacts = Contacts(ALICE)
        self.contacts.set_roster(
            stanza_of(f"<query xmlns='jabber:iq:roster'><item jid='{BOB}' subscription='both'/></query>")
        )

        async def ask(query: Element) -> Element:
            raise AssertionError("asked")

        self.reception = Reception(
            ALICE,
            ["urn:xmpp:jingle:1"],
            self.heard,
            self.sent.append,
            requests=Requests(ALICE),
            contacts=self.contacts,
            archive=Archive(ask),
        )

    def receive(self, text: str) -> bool:
        return self.reception.receive(stanza_of(text))

    @property
    def condition(self) -> str:
        """Of the one answer, which is an error."""
        (answer,) = self.sent
        assert answer.get("type") == "error"
        return answer[0][0].tag.rpartition("}")[2]


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        ("get", INFO),
        ("get", "<ping xmlns='urn:xmpp:ping'/>"),
        ("get", "<query xmlns='jabber:iq:version'/>"),
        ("get", "<jingle xmlns='urn:xmpp:jingle:1'/>"),
        ("set", "<query xmlns='jabber:iq:roster'><item jid='stranger@example.org' subscription='both'/></query>"),
        ("set", "<services xmlns='urn:xmpp:extdisco:2'/>"),
        ("set", ""),
    ],
)
def test_strangers_are_told_what_a_server_tells_of_somebody_offline(kind: str, payload: str) -> None:
    desk = Desk()
    assert desk.receive(f"<iq type='{kind}' id='1' from='{STRANGER}'>{payload}</iq>")
    assert desk.condition == "service-unavailable"
    assert (desk.sent[0].get("to"), desk.sent[0].get("id")) == (STRANGER, "1")
    assert desk.heard.requests == []
    assert {str(person) for person in desk.contacts.roster} == {str(BOB)}


def test_contacts_may_ask_what_we_can() -> None:
    desk = Desk()
    version = announcement(desk.reception.features).get("ver")
    for node in ("", f"node='{NODE}#{version}'"):
        desk.receive(f"<iq type='get' id='1' from='{FRIEND}'>{INFO.replace('/>', f' {node}/>')}</iq>")
    for answer in desk.sent:
        assert answer.get("type") == "result"
        assert "urn:xmpp:jingle:1" in {item.get("var") for item in answer[0]}
    assert desk.sent[1][0].get("node") == f"{NODE}#{version}"


def test_contacts_that_ask_for_something_else() -> None:
    desk = Desk()
    desk.receive(
        f"<iq type='get' id='1' from='{FRIEND}'>{INFO.replace('/>', ' node=$x$/>'.replace('$', chr(39)))}</iq>"
    )
    assert desk.condition == "item-not-found"
    desk.sent.clear()
    desk.receive(f"<iq type='get' id='1' from='{FRIEND}'><ping xmlns='urn:xmpp:ping'/></iq>")
    assert desk.sent[0].get("type") == "result"


@pytest.mark.parametrize(
    ("sender", "believed"),
    [(None, True), (str(ALICE), True), (FRIEND, False), (STRANGER, False), (DOMAIN, False), (f"{ALICE}/x", False)],
)
def test_roster_pushes(sender: str | None, believed: bool) -> None:
    desk = Desk()
    attribute = f"from='{sender}'" if sender else ""
    push = "<query xmlns='jabber:iq:roster'><item jid='new@example.org' subscription='both'/></query>"
    desk.receive(f"<iq type='set' id='1' {attribute}>{push}</iq>")
    assert ("new@example.org" in map(str, desk.contacts.roster)) is believed
    assert desk.sent[0].get("type") == ("result" if believed else "error")


@pytest.mark.parametrize(("sender", "heard"), [(DOMAIN, 1), (None, 1), (FRIEND, 0), (STRANGER, 0)])
def test_services_are_pushed_by_the_own_server_only(sender: str | None, heard: int) -> None:
    desk = Desk()
    attribute = f"from='{sender}'" if sender else ""
    desk.receive(f"<iq type='set' id='1' {attribute}><services xmlns='urn:xmpp:extdisco:2'/></iq>")
    assert len(desk.heard.requests) == heard


def test_jingle_goes_to_the_listener_whoever_sends_it() -> None:
    desk = Desk()
    desk.receive(f"<iq type='set' id='1' from='{STRANGER}'><jingle xmlns='urn:xmpp:jingle:1' sid='s'/></iq>")
    identifier, kind, payload, sender = desk.heard.requests[0]
    assert (identifier, kind, payload.get("sid"), str(sender)) == ("1", "set", "s", STRANGER)
    assert desk.sent == []


@pytest.mark.parametrize(
    "text",
    [
        "<iq type='set' from='stranger@example.org/x'><jingle xmlns='urn:xmpp:jingle:1'/></iq>",
        "<iq type='nonsense' id='1'/>",
        "<iq id='1'/>",
        "<iq type='get' id='1' from='@@'/>",
        "<presence type='subscribe' from='stranger@example.org'/>",
        "<message type='groupchat' from='room@example.org/x'><body>x</body></message>",
    ],
)
def test_what_is_dropped_without_a_word(text: str) -> None:
    desk = Desk()
    assert desk.receive(text)
    assert desk.sent == []
    assert desk.heard.requests == []
    assert desk.heard.messages == []


@pytest.mark.parametrize("text", ["<iq type='result' id='unknown'/>", "<message type='headline'/>"])
def test_what_is_left_to_plugins(text: str) -> None:
    assert not Desk().receive(text)


def test_errors_are_heard_and_not_answered() -> None:
    desk = Desk()
    desk.receive(f"<message type='error' id='1' from='{FRIEND}'><error type='cancel'/></message>")
    desk.receive(f"<iq type='error' id='1' from='{FRIEND}'/>")
    desk.receive(f"<presence type='error' from='{FRIEND}'/>")
    assert desk.sent == []
    assert len(desk.heard.messages) == 1


def test_a_message_that_is_sent_again_is_heard_once() -> None:
    desk = Desk()
    text = "<message from='{}'><body>x</body><origin-id xmlns='urn:xmpp:sid:0' id='{}'/></message>"
    for sender, origin in ((FRIEND, "1"), (FRIEND, "1"), (f"{BOB}/again", "1"), (FRIEND, "2"), (STRANGER, "1")):
        desk.receive(text.format(sender, origin))
    assert len(desk.heard.messages) == 3
    for number in range(5000):
        desk.receive(text.format(STRANGER, f"flood{number}"))
    memory: Any = desk.reception._seen
    assert len(memory) <= 1024


def event(sender: str, kind: str = "headline") -> str:
    return (
        f"<message xmlns='jabber:client' from='{sender}' type='{kind}'>"
        "<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='a node'><item id='1'><payload xmlns='x'/>"
        "</item></items></event></message>"
    )


def test_what_contacts_and_the_own_account_publish_is_told() -> None:
    desk = Desk()
    assert desk.receive(event(str(BOB)))
    assert desk.receive(event(str(ALICE.bare)))
    assert [(owner, node, payload.tag) for owner, node, payload in desk.heard.nodes] == [
        (BOB, "a node", "{x}payload"),
        (ALICE.bare, "a node", "{x}payload"),
    ]


@pytest.mark.parametrize("sender", [STRANGER, "stranger@example.org", FRIEND, DOMAIN])
def test_what_others_publish_is_not_told(sender: str) -> None:
    desk = Desk()
    assert not desk.receive(event(sender))
    assert not desk.receive(f"<message xmlns='jabber:client' from='{BOB}' type='headline'><body>news</body></message>")
    assert desk.heard.nodes == []
