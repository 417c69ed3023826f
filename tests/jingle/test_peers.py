from __future__ import annotations

import pytest

from openvoice.core.manners import STANDARD, Manners
from openvoice.core.remedies import Remedies, Renewal, Restart
from openvoice.core.types import Role
from openvoice.jingle import namespaces as ns
from openvoice.jingle.peers import GATEWAY_ANSWER_SECONDS, DeviceIdentity, PeerProfile, Restarts, profile_of

OPENVOICE = PeerProfile(restarts=Restarts.BOTH, renewal=Renewal.SILENT)
STANZA = PeerProfile(restarts=Restarts.INITIATOR, modifies=False, removes=False)
CONVERSATIONS = PeerProfile(restarts=Restarts.BOTH, modifies=False, removes=False, stubs=True)
GATEWAY = PeerProfile(
    restarts=Restarts.NOBODY, renewal=Renewal.NEVER, gather_fully=True, adds=False, answer_within=GATEWAY_ANSWER_SECONDS
)


@pytest.mark.parametrize(
    ("identity", "profile"),
    [
        (DeviceIdentity(), PeerProfile()),
        (DeviceIdentity(node="https://openvoice.example/"), OPENVOICE),
        (DeviceIdentity(node="http://conversations.im"), CONVERSATIONS),
        (DeviceIdentity(name="Conversations"), CONVERSATIONS),
        (DeviceIdentity(node="https://dino.im"), PeerProfile(restarts=Restarts.NOBODY, removes=False, rejects=False)),
        (
            DeviceIdentity(node="http://monal-im.org/"),
            PeerProfile(
                restarts=Restarts.NOBODY,
                renewal=Renewal.SILENT,
                adds=False,
                modifies=False,
                removes=False,
                understands_information=False,
            ),
        ),
        (
            DeviceIdentity(node="http://moxl.movim.eu/"),
            PeerProfile(
                restarts=Restarts.NOBODY,
                gather_fully=True,
                answers_with_session_accept=True,
                screens=True,
                modifies=False,
                reliable_senders=False,
            ),
        ),
        (DeviceIdentity(node="https://stanzajs.org"), STANZA),
        (DeviceIdentity(features=frozenset({ns.OFFER_ANSWER_FEATURE, ns.RTP_AUDIO})), GATEWAY),
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


def test_whoever_knows_categories_gets_the_screen_beside_the_camera() -> None:
    for node in ("https://openvoice.example/", "https://dino.im", ""):
        assert profile_of(DeviceIdentity(node=node, features=frozenset({ns.CATEGORY}))).manners.screens
        assert not profile_of(DeviceIdentity(node=node)).manners.screens


def test_a_call_learns_how_its_peer_takes_changes() -> None:
    assert PeerProfile().manners == STANDARD
    assert CONVERSATIONS.manners == Manners(modifies=False, removes=False)
    assert not GATEWAY.manners.adds


@pytest.mark.parametrize(
    ("profile", "role", "remedies"),
    [
        (OPENVOICE, Role.INITIATOR, Remedies(restart=Restart.ALWAYS, renewal=Renewal.SILENT)),
        (OPENVOICE, Role.RESPONDER, Remedies(restart=Restart.ALWAYS, renewal=Renewal.SILENT)),
        (STANZA, Role.INITIATOR, Remedies(restart=Restart.ALWAYS, renewal=Renewal.RINGING)),
        (STANZA, Role.RESPONDER, Remedies(restart=Restart.NEVER, renewal=Renewal.RINGING)),
        (GATEWAY, Role.INITIATOR, Remedies(restart=Restart.NEVER, renewal=Renewal.NEVER)),
        (PeerProfile(), Role.INITIATOR, Remedies(restart=Restart.UNTRIED, renewal=Renewal.RINGING)),
        (PeerProfile(), Role.RESPONDER, Remedies(restart=Restart.NEVER, renewal=Renewal.RINGING)),
    ],
)
def test_what_helps_when_the_path_is_lost(profile: PeerProfile, role: Role, remedies: Remedies) -> None:
    assert profile.remedies(role) == remedies
