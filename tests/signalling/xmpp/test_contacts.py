"""Who is in the contact list, who is online, and who may know of us."""

from __future__ import annotations

from openvoice.core.address import Address
from openvoice.signalling.xmpp.contacts import MAXIMUM_DEVICES, MAXIMUM_PEOPLE, Contacts
from tests.signalling.xmpp.scripted import ALICE, BOB, stanza_of

PHONE = Address(BOB.local, BOB.domain, "phone")


def contacts(roster: str = "") -> Contacts:
    made = Contacts(ALICE)
    made.set_roster(stanza_of(f"<query xmlns='jabber:iq:roster'>{roster}</query>"))
    return made


def presence(made: Contacts, sender: Address, text: str = "<presence/>") -> None:
    made.update_presence(stanza_of(text), sender)


def test_the_roster_and_its_pushes() -> None:
    made = contacts(f"<item jid='{BOB}' subscription='both'/><item jid='Carol@Example.org'/><item jid='@@'/><item/>")
    assert made.roster == {BOB, Address.parse("carol@example.org")}
    made.update_roster(stanza_of(f"<query xmlns='jabber:iq:roster'><item jid='{BOB}' subscription='remove'/></query>"))
    assert made.roster == {Address.parse("carol@example.org")}
    made.set_roster(stanza_of("<query xmlns='jabber:iq:roster'/>"))
    assert made.roster == frozenset()


def test_devices_come_and_go() -> None:
    made = contacts()
    presence(made, PHONE, "<presence><priority>-5</priority></presence>")
    presence(
        made, Address(BOB.local, BOB.domain, "desk"), "<presence><priority>7</priority><show>dnd</show></presence>"
    )
    assert [(device.address.resource, device.priority) for device in made.devices(BOB)] == [("desk", 7), ("phone", -5)]
    presence(made, PHONE, "<presence type='unavailable'/>")
    assert [device.address.resource for device in made.devices(BOB)] == ["desk"]
    presence(made, BOB, "<presence type='unavailable'/>")
    assert made.devices(BOB) == ()


def test_what_is_no_presence() -> None:
    made = contacts()
    for kind in ("subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "nonsense"):
        presence(made, PHONE, f"<presence type='{kind}'/>")
    presence(made, BOB)
    assert made.devices(BOB) == ()
    presence(made, PHONE, "<presence><priority>high</priority></presence>")
    assert made.devices(BOB)[0].priority == 0


def test_a_flood_of_devices_and_people_is_bounded_and_drives_out_no_contact() -> None:
    made = contacts(f"<item jid='{BOB}' subscription='both'/>")
    presence(made, PHONE)
    for number in range(MAXIMUM_DEVICES + 10):
        presence(made, Address("m", "example.org", str(number)))
    assert len(made.devices(Address.parse("m@example.org"))) == MAXIMUM_DEVICES
    for number in range(MAXIMUM_PEOPLE + 10):
        presence(made, Address(f"m{number}", "example.org", "x"))
    assert made.devices(BOB) != ()
    assert made.devices(Address.parse("m0@example.org")) == ()


def test_who_may_see_us() -> None:
    made = contacts(
        f"<item jid='{BOB}' subscription='both'/><item jid='from@x.org' subscription='from'/>"
        "<item jid='to@x.org' subscription='to'/><item jid='none@x.org'/>"
    )
    seen = [PHONE, BOB, Address.parse("from@x.org/a"), ALICE, Address("", ALICE.domain)]
    unseen = [Address.parse(text) for text in ("to@x.org/a", "none@x.org/a", "stranger@x.org/a", "x.org")]
    assert all(made.may_see_us(address) for address in seen)
    assert not any(made.may_see_us(address) for address in unseen)


def test_those_told_may_see_us_until_told_otherwise() -> None:
    made = contacts()
    one, other = Address.parse("s@x.org/one"), Address.parse("s@x.org/other")
    made.told(one, True)
    assert made.may_see_us(one)
    assert not made.may_see_us(other)
    made.told(one, False)
    assert not made.may_see_us(one)
    made.told(one.bare, True)
    assert made.may_see_us(other)
    presence(made, PHONE)
    made.everybody_gone()
    assert not made.may_see_us(other)
    assert made.devices(BOB) == ()
