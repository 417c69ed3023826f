"""GEN-01: whom to call, and how, by the features that the clients in use announce."""

from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.core.inputs import Invitation
from openvoice.errors import PeerUnavailable
from openvoice.jingle import namespaces as ns
from openvoice.jingle.capabilities import FEATURES, Device, choose

BARE = Address.parse("bob@conv.example")
CALLS = frozenset({ns.JINGLE, ns.RTP, ns.ICE_UDP, ns.RTP_AUDIO, ns.DTLS})
CONVERSATIONS = CALLS | {ns.RTP_VIDEO, ns.JINGLE_MESSAGE}
DINO = CONVERSATIONS | {"urn:xmpp:jingle:transports:raw-udp:1"}
MOVIM = CONVERSATIONS | {ns.OFFER_ANSWER_FEATURE}
STANZA = CALLS | {ns.RTP_VIDEO}
GATEWAY = CALLS | {ns.JINGLE_MESSAGE, ns.OFFER_ANSWER_FEATURE}
CHAT_ONLY = frozenset({"urn:xmpp:receipts"})


def device(resource: str, features: frozenset[str] | None, priority: int = 0) -> Device:
    return Device(address=Address.parse(f"{BARE}/{resource}"), features=features, priority=priority)


def test_what_is_announced() -> None:
    assert list(FEATURES) == sorted(set(FEATURES))
    assert set(FEATURES) >= CALLS | {ns.JINGLE_MESSAGE, ns.RTP_VIDEO, ns.CATEGORY}
    assert not {ns.OFFER_ANSWER_FEATURE, "urn:xmpp:jingle:transports:raw-udp:1"} & set(FEATURES)


@pytest.mark.parametrize("features", [CONVERSATIONS, DINO, MOVIM, GATEWAY])
def test_a_client_with_proposals_is_called_by_one(features: frozenset[str]) -> None:
    assert choose(BARE, [device("a", CHAT_ONLY), device("b", features)]) == (BARE, Invitation.PROPOSE)


def test_a_client_without_is_called_directly() -> None:
    devices = [device("a", STANZA, 1), device("b", STANZA, 5), device("c", CHAT_ONLY, 9)]
    assert choose(BARE, devices) == (devices[1].address, Invitation.OFFER)


def test_proposals_are_preferred() -> None:
    assert choose(BARE, [device("a", STANZA, 9), device("b", CONVERSATIONS)]) == (BARE, Invitation.PROPOSE)


def test_nobody_online_may_be_asleep() -> None:
    assert choose(BARE, []) == (BARE, Invitation.PROPOSE)
    assert choose(BARE, [], remembered=CONVERSATIONS) == (BARE, Invitation.PROPOSE)


def test_a_telephone_that_sleeps_behind_a_chat_client() -> None:
    assert choose(BARE, [device("a", CHAT_ONLY)], remembered=CONVERSATIONS) == (BARE, Invitation.PROPOSE)


def test_devices_that_have_not_told_what_they_can() -> None:
    assert choose(BARE, [device("a", None)]) == (BARE, Invitation.PROPOSE)


def test_nobody_who_takes_calls() -> None:
    with pytest.raises(PeerUnavailable):
        choose(BARE, [device("a", CHAT_ONLY)])


def test_a_video_call_goes_to_who_takes_video() -> None:
    telephone, laptop = device("t", GATEWAY, 9), device("l", STANZA)
    assert choose(BARE, [telephone, laptop], video=True) == (laptop.address, Invitation.OFFER)
    assert choose(BARE, [telephone, device("c", DINO)], video=True) == (BARE, Invitation.PROPOSE)
    assert choose(BARE, [], video=True) == (BARE, Invitation.PROPOSE)
    with pytest.raises(PeerUnavailable, match="without video"):
        choose(BARE, [telephone], video=True)


def test_one_device_named_by_the_user() -> None:
    devices = [device("a", CONVERSATIONS), device("b", CHAT_ONLY)]
    assert choose(devices[0].address, devices) == (devices[0].address, Invitation.OFFER)
    with pytest.raises(PeerUnavailable):
        choose(devices[1].address, devices)
    with pytest.raises(PeerUnavailable):
        choose(Address.parse(f"{BARE}/gone"), devices)
