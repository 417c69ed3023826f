"""Capabilities by the examples of XEP-0115, and what poisons them elsewhere."""

from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.errors import MalformedStanza
from openvoice.signalling.xmpp.capabilities import (
    NODE,
    Capabilities,
    VerifiedCapabilities,
    announcement,
    features_of,
    information,
    verification,
)
from tests.signalling.xmpp.scripted import ALICE, BOB, stanza_of

SIMPLE = """<query xmlns='http://jabber.org/protocol/disco#info'>
  <identity category='client' name='Exodus 0.9.1' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
</query>"""
COMPLEX = """<query xmlns='http://jabber.org/protocol/disco#info'>
  <identity xml:lang='en' category='client' name='Psi 0.11' type='pc'/>
  <identity xml:lang='el' category='client' name='Ψ 0.11' type='pc'/>
  <feature var='http://jabber.org/protocol/caps'/><feature var='http://jabber.org/protocol/disco#info'/>
  <feature var='http://jabber.org/protocol/disco#items'/><feature var='http://jabber.org/protocol/muc'/>
  <x xmlns='jabber:x:data' type='result'>
    <field var='FORM_TYPE' type='hidden'><value>urn:xmpp:dataforms:softwareinfo</value></field>
    <field var='ip_version'><value>ipv4</value><value>ipv6</value></field>
    <field var='os'><value>Mac</value></field><field var='os_version'><value>10.5.1</value></field>
    <field var='software'><value>Psi</value></field><field var='software_version'><value>0.11</value></field>
  </x>
</query>"""
SIMPLE_HASH = "QgayPKawpkPSDYmwT/WM94uAlu0="
COMPLEX_HASH = "q07IKJEyjvHSyhy//CH0CxmKi8w="
SIMPLE_CAPABILITIES = Capabilities("http://code.google.com/p/exodus", SIMPLE_HASH, "sha-1")


def test_examples_of_the_standard() -> None:
    assert verification(stanza_of(SIMPLE), "sha-1") == SIMPLE_HASH
    assert verification(stanza_of(COMPLEX), "sha-1") == COMPLEX_HASH


def test_what_has_no_hash() -> None:
    twice = SIMPLE.replace("</query>", "<feature var='http://jabber.org/protocol/muc'/></query>")
    same_identity = SIMPLE.replace("<feature", "<identity category='client' name='Exodus 0.9.1' type='pc'/><feature", 1)
    form = COMPLEX[COMPLEX.index("<x ") : COMPLEX.index("</x>") + 4]
    endless = SIMPLE.replace("</query>", "".join(f"<feature var='{n}'/>" for n in range(600)) + "</query>")
    for text in (twice, same_identity, COMPLEX.replace(form, form * 2), endless):
        with pytest.raises(MalformedStanza):
            verification(stanza_of(text), "sha-1")


def test_a_verified_answer_is_kept() -> None:
    known = VerifiedCapabilities()
    assert known.learn(Address(BOB.local, BOB.domain, "one"), SIMPLE_CAPABILITIES, stanza_of(SIMPLE))
    kept = known.get(Address(BOB.local, BOB.domain, "two"), SIMPLE_CAPABILITIES)
    assert kept is not None
    assert "http://jabber.org/protocol/muc" in kept


def test_an_answer_with_another_hash_is_not() -> None:
    known = VerifiedCapabilities()
    poisoned = stanza_of(SIMPLE.replace("</query>", "<feature var='urn:xmpp:jingle:1'/></query>"))
    assert not known.learn(BOB, SIMPLE_CAPABILITIES, poisoned)
    assert known.get(BOB, SIMPLE_CAPABILITIES) is None


def test_nobody_answers_for_somebody_else() -> None:
    """The same hash, with a feature hidden as the type of a form (XEP-0115, 8.1)."""
    hidden = SIMPLE.replace(
        "<feature var='http://jabber.org/protocol/muc'/>",
        "<x xmlns='jabber:x:data'><field var='FORM_TYPE' type='hidden'>"
        "<value>http://jabber.org/protocol/muc</value></field></x>",
    )
    assert verification(stanza_of(hidden), "sha-1") == SIMPLE_HASH
    known = VerifiedCapabilities()
    known.learn(BOB, SIMPLE_CAPABILITIES, stanza_of(hidden))
    assert known.get(ALICE, SIMPLE_CAPABILITIES) is None


def test_the_store_is_bounded() -> None:
    known = VerifiedCapabilities(limit=2)
    people = [Address.parse(f"p{number}@example.org") for number in range(3)]
    for person in people:
        known.learn(person, SIMPLE_CAPABILITIES, stanza_of(SIMPLE))
    assert [known.get(person, SIMPLE_CAPABILITIES) is not None for person in people] == [False, True, True]


def test_our_own_can_be_verified() -> None:
    features = ["urn:xmpp:jingle:1", "urn:xmpp:jingle-message:0"]
    announced = announcement(features)
    presence = stanza_of("<presence/>")
    presence.append(announced)
    capabilities = Capabilities.of(presence)
    assert capabilities is not None
    assert capabilities.node == NODE
    answer = information(features, f"{NODE}#{capabilities.version}")
    assert VerifiedCapabilities().learn(BOB, capabilities, answer)
    assert features_of(answer) == set(features)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<c xmlns='http://jabber.org/protocol/caps' node='n' ver='v'/>",
        "<c xmlns='http://jabber.org/protocol/caps' node='n' ver='v' hash='md5'/>",
        "<c xmlns='http://jabber.org/protocol/caps' node='n' hash='sha-1'/>",
        f"<c xmlns='http://jabber.org/protocol/caps' node='n' ver='{'v' * 200}' hash='sha-1'/>",
    ],
)
def test_presence_without_capabilities_that_can_be_checked(text: str) -> None:
    assert Capabilities.of(stanza_of(f"<presence>{text}</presence>")) is None
