"""Calls that the server kept."""

from __future__ import annotations

import asyncio
from xml.etree.ElementTree import Element

import pytest

from openvoice.core.address import Address
from openvoice.jingle.archive import ArchivedMessage
from openvoice.jingle.messages import serialize_message
from openvoice.jingle.model import JingleMessage, MessageKind
from openvoice.signalling.xmpp import late
from openvoice.signalling.xmpp.late import LateCalls
from tests.waiting import until

ALICE, BOB = Address.parse("alice@example.org/phone"), Address.parse("bob@example.org")


def said(kind: MessageKind, id: str = "sid") -> Element:  # noqa: A002
    return serialize_message(JingleMessage(kind=kind, id=id, media=frozenset({"audio"})), BOB)


Released = list[list[ArchivedMessage]]
Rig = tuple[LateCalls, Released]


@pytest.fixture
async def rig(monkeypatch: pytest.MonkeyPatch) -> Rig:
    monkeypatch.setattr(late, "SETTLING", 0.05)
    released: Released = []
    return LateCalls(released.append), released


async def test_a_proposal_waits_for_what_became_of_it(rig: Rig) -> None:
    calls, released = rig
    propose, retract = said(MessageKind.PROPOSE), said(MessageKind.RETRACT)
    assert calls.take(propose, ALICE, 1.0)
    assert calls.take(retract, ALICE, 2.0)
    assert released == []
    await until(lambda: released)
    assert released == [[ArchivedMessage(propose, ALICE, 1.0), ArchivedMessage(retract, ALICE, 2.0)]]
    assert calls.take(propose, ALICE, 3.0), "it can wait again"
    await until(lambda: len(released) == 2)


async def test_what_concerns_no_kept_proposal_passes(rig: Rig) -> None:
    calls, released = rig
    assert not calls.take(said(MessageKind.RETRACT), ALICE, 1.0)
    assert not calls.take(Element("{jabber:client}message"), ALICE, 1.0)
    malformed = said(MessageKind.PROPOSE)
    malformed[0].attrib.clear()
    assert not calls.take(malformed, ALICE, 1.0)
    assert calls.take(said(MessageKind.PROPOSE), ALICE, 1.0)
    assert not calls.take(said(MessageKind.FINISH, "another"), ALICE, 1.0)
    await until(lambda: released)
    assert not calls.take(said(MessageKind.FINISH), ALICE, 1.0)


async def test_a_flood_does_not_wait(rig: Rig) -> None:
    calls, released = rig
    for number in range(late.MAXIMUM_KEPT):
        assert calls.take(said(MessageKind.PROPOSE, f"sid{number}"), ALICE, 1.0)
    assert [len(some) for some in released] == [late.MAXIMUM_KEPT]


async def test_closed_nothing_is_released(rig: Rig) -> None:
    calls, released = rig
    calls.close()
    assert calls.take(said(MessageKind.PROPOSE), ALICE, 1.0)
    calls.close()
    await asyncio.sleep(0.1)
    assert released == []
