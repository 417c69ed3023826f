from __future__ import annotations

from openvoice.core.address import Address
from openvoice.core.policy import Screening
from openvoice.core.types import CallId
from openvoice.jingle.outputs import Missed
from openvoice.jingle.screening import CALLS_OF_A_CONTACT, CALLS_OF_STRANGERS, Doorkeeper
from openvoice.ports import IncomingCall
from tests.jingle.samples import NOW, PEER, STRANGER


def keeper(asked: list[IncomingCall]) -> Doorkeeper:
    def screen(incoming: IncomingCall) -> Screening:
        asked.append(incoming)
        return Screening.RING

    return Doorkeeper(screen=screen, in_roster=lambda address: address == PEER.bare)


def incoming(peer: Address = PEER) -> IncomingCall:
    return IncomingCall(call=CallId("c"), peer=peer, media=frozenset({"audio"}))


def test_strangers_use_up_only_their_own_share() -> None:
    asked: list[IncomingCall] = []
    door = keeper(asked)
    judged = [door.judge(incoming(STRANGER), NOW) for _ in range(1000)]
    assert judged.count(Screening.RING) == len(asked) == CALLS_OF_STRANGERS
    assert door.judge(incoming(), NOW) is Screening.RING
    assert door.judge(incoming(STRANGER), NOW + 61) is Screening.RING


def test_a_contact_cannot_flood_either() -> None:
    asked: list[IncomingCall] = []
    door = keeper(asked)
    for _ in range(1000):
        door.judge(incoming(), NOW)
    assert len(asked) == CALLS_OF_A_CONTACT


def test_one_entry_a_minute_for_all_that_is_silent() -> None:
    door = keeper([])
    noted = [note for second in range(120) for note in door.note_silently(incoming(STRANGER), NOW + second)]
    assert [type(note) for note in noted] == [Missed, Missed]
