from __future__ import annotations

import itertools

import pytest

from openvoice.core.address import Address
from openvoice.jingle.archive import ArchivedMessage, read_archive
from tests.jingle.samples import NOW, OTHER, OWN, PEER, STRANGER, VOICE, message

PROPOSAL = ArchivedMessage(message("propose", to=OWN.bare, inner=VOICE), PEER, NOW)


def said(kind: str, sender: Address, to: Address, sid: str = "sid") -> ArchivedMessage:
    return ArchivedMessage(message(kind, sid, sender=sender, to=to), sender, NOW)


@pytest.mark.parametrize(
    ("later", "outcome"),
    [
        ([], ""),
        ([said("retract", PEER, OWN.bare)], "missed"),
        ([said("finish", PEER, OWN.bare)], "missed"),
        ([said("accept", OTHER, OWN.bare)], "answered-elsewhere"),
        ([said("proceed", OTHER, PEER)], "answered-elsewhere"),
        ([said("reject", OTHER, PEER)], "declined-elsewhere"),
        ([said("reject", OTHER, OWN.bare)], "declined-elsewhere"),
        ([said("proceed", OTHER, PEER), said("finish", PEER, OTHER)], "answered-elsewhere"),
        ([said("proceed", OTHER, PEER), said("finish", OTHER, PEER)], "answered-elsewhere"),
        ([said("ringing", OTHER, PEER)], ""),
        ([said("ringing", PEER, OWN)], ""),
        ([said("retract", PEER, OWN.bare, "another")], ""),
        ([said("retract", STRANGER, OWN.bare)], ""),
        ([said("proceed", OTHER, STRANGER)], ""),
    ],
)
def test_what_became_of_a_call(later: list[ArchivedMessage], outcome: str) -> None:
    (call,) = read_archive([PROPOSAL, *later], OWN)
    assert call.outcome == outcome


def test_the_order_of_the_pages_end_does_not_matter() -> None:
    ends = [said("retract", PEER, OWN.bare), said("proceed", OTHER, PEER), said("finish", PEER, OTHER)]
    for order in itertools.permutations(ends):
        (call,) = read_archive([PROPOSAL, *order], OWN)
        assert call.outcome == "answered-elsewhere"


def test_what_is_no_incoming_call() -> None:
    own = said("propose", OTHER, PEER)
    own.message[0].append(PROPOSAL.message[0][0])
    nobody = said("ringing", PEER, OWN)
    nobody.message.set("to", "@@")
    chat = said("dance", PEER, OWN)
    malformed = said("propose", PEER, OWN)
    assert read_archive([own, nobody, chat, malformed], OWN) == []


def test_a_proposal_that_stands_twice_is_one_call() -> None:
    assert len(read_archive([PROPOSAL, PROPOSAL], OWN)) == 1
