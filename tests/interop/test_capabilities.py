"""What openvoice announces makes the call buttons of other clients work, and it calls each of them the right way."""

from __future__ import annotations

import pytest

from openvoice.core.address import Address
from openvoice.core.inputs import Invitation
from openvoice.errors import PeerUnavailable
from openvoice.interop.clients import CLIENTS, STANDARD
from openvoice.jingle import namespaces as ns
from openvoice.jingle.capabilities import FEATURES, Device, choose
from openvoice.jingle.peers import DeviceIdentity, PeerProfile, profile_of
from openvoice.server.prosody import Prosody
from openvoice.testing.clients import ClientFactory
from tests.interop import rules
from tests.interop.announcements import announced

BOB = Address.parse("bob@example.org")
MEDIA = ["audio", "video"]


def check_buttons(features: frozenset[str], media: list[str]) -> None:
    for medium in media:
        assert rules.conversations_calls([features], medium)
        assert rules.movim_calls(features, medium)
    assert rules.conversations_proposes([features])
    assert rules.conversations_adds_video(features) == ("video" in media)
    assert rules.dino_calls([features]) == "propose"
    assert rules.monal_calls([features])
    assert rules.gateway_calls([features]) == "propose"
    assert rules.RAW_UDP not in features, "Dino could choose it"
    assert ns.OFFER_ANSWER_FEATURE not in features, "Conversations would hold its offers back"


def test_what_is_announced_lights_the_buttons_of_other_clients() -> None:
    check_buttons(frozenset(FEATURES), MEDIA)


@pytest.mark.live
@pytest.mark.network
async def test_the_same_as_others_see_it_over_a_real_server(prosody: Prosody, clients: ClientFactory) -> None:
    """By the hash in its presence, and by asking."""
    features = await announced(prosody, clients)
    check_buttons(features, MEDIA)
    assert features >= frozenset(FEATURES)


@pytest.mark.parametrize(
    "missing",
    [ns.JINGLE, ns.ICE_UDP, ns.RTP, ns.RTP_AUDIO, ns.RTP_VIDEO, ns.DTLS, ns.JINGLE_MESSAGE],
    ids=lambda name: name,
)
def test_each_feature_is_needed_by_somebody(missing: str) -> None:
    with pytest.raises(AssertionError):
        check_buttons(frozenset(FEATURES) - {missing}, MEDIA)


def devices_of(*words: str) -> list[Device]:
    return [
        Device(address=Address.parse(f"{BOB}/{word}"), features=CLIENTS.get(word, STANDARD).features) for word in words
    ]


@pytest.mark.parametrize("word", [*CLIENTS, "nobody known"])
def test_each_client_is_called_as_it_expects(word: str) -> None:
    """GEN-01, one device online."""
    device = devices_of(word)[0]
    if word == "stanza":
        assert choose(BOB, [device]) == (device.address, Invitation.OFFER)
    else:
        assert choose(BOB, [device]) == (BOB, Invitation.PROPOSE)
    assert choose(device.address, [device]) == (device.address, Invitation.OFFER)


@pytest.mark.parametrize("word", [*CLIENTS, "nobody known"])
def test_who_has_a_camera_is_called_with_video(word: str) -> None:
    """GEN-01, with video: all of them but telephones."""
    device = devices_of(word)[0]
    if word == "gateway":
        with pytest.raises(PeerUnavailable, match="without video"):
            choose(BOB, [device], video=True)
    else:
        assert choose(BOB, [device], video=True) == choose(BOB, [device])


@pytest.mark.parametrize("word", CLIENTS)
def test_a_client_that_is_offline(word: str) -> None:
    """GEN-01, nobody online: a telephone may sleep, whatever was remembered of it."""
    assert choose(BOB, [], remembered=CLIENTS[word].features) == (BOB, Invitation.PROPOSE)
    chat = Device(address=Address.parse(f"{BOB}/chat"), features=frozenset({"urn:xmpp:receipts"}))
    if ns.JINGLE_MESSAGE in CLIENTS[word].features:
        assert choose(BOB, [chat], remembered=CLIENTS[word].features) == (BOB, Invitation.PROPOSE)
    else:
        with pytest.raises(PeerUnavailable):
            choose(BOB, [chat], remembered=CLIENTS[word].features)


def test_one_client_with_proposals_decides_for_all() -> None:
    assert choose(BOB, devices_of("stanza", "dino")) == (BOB, Invitation.PROPOSE)


@pytest.mark.parametrize("word", CLIENTS)
def test_each_client_is_known_by_how_it_introduces_itself(word: str) -> None:
    seen = CLIENTS[word]
    by_node = profile_of(DeviceIdentity(node=seen.node, features=seen.features))
    by_name = profile_of(DeviceIdentity(name=seen.name, features=seen.features))
    assert by_node == by_name
    assert by_node != PeerProfile()


def test_who_is_none_of_the_known_ones_gets_the_standard() -> None:
    seen = STANDARD
    assert profile_of(DeviceIdentity(node=seen.node, name=seen.name, features=seen.features)) == PeerProfile()
