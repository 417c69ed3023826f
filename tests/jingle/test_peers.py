from __future__ import annotations

import pytest

from openvoice.jingle import namespaces as ns
from openvoice.jingle.peers import DeviceIdentity, PeerProfile, profile_of


@pytest.mark.parametrize(
    ("identity", "profile"),
    [
        (DeviceIdentity(), PeerProfile()),
        (DeviceIdentity(node="https://openvoice.example/"), PeerProfile(restarts_ice=True)),
        (DeviceIdentity(node="http://conversations.im"), PeerProfile(restarts_ice=True)),
        (DeviceIdentity(name="Conversations"), PeerProfile(restarts_ice=True)),
        (DeviceIdentity(node="https://dino.im"), PeerProfile()),
        (DeviceIdentity(node="http://monal-im.org/"), PeerProfile(understands_information=False)),
        (
            DeviceIdentity(node="http://moxl.movim.eu/"),
            PeerProfile(gather_fully=True, answers_with_session_accept=True, reliable_senders=False),
        ),
        (DeviceIdentity(node="https://stanzajs.org"), PeerProfile(restarts_ice=True)),
        (
            DeviceIdentity(features=frozenset({ns.OFFER_ANSWER_FEATURE, ns.RTP_AUDIO})),
            PeerProfile(gather_fully=True, answer_within=120.0),
        ),
        (
            DeviceIdentity(features=frozenset({ns.OFFER_ANSWER_FEATURE, ns.RTP_AUDIO, ns.RTP_VIDEO})),
            PeerProfile(gather_fully=True),
        ),
    ],
)
def test_profiles(identity: DeviceIdentity, profile: PeerProfile) -> None:
    assert profile_of(identity) == profile


@pytest.mark.parametrize("node", ["https://openvoice.example/", "http://conversations.im", ""])
def test_whoever_says_so_takes_words(node: str) -> None:
    assert profile_of(DeviceIdentity(node=node, features=frozenset({ns.VERIFICATION_WORDS}))).takes_words
    assert not profile_of(DeviceIdentity(node=node)).takes_words
