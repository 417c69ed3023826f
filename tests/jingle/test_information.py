from __future__ import annotations

from dataclasses import replace

import pytest

from openvoice.core.effects import Information
from openvoice.core.inputs import PeerHeld, PeerMuted, PeerRinging
from openvoice.jingle.information import read_information, write_information
from openvoice.jingle.model import InformationKind, SessionInformation
from tests.jingle.samples import description, video


@pytest.mark.parametrize(
    ("kind", "content", "told"),
    [
        (InformationKind.RINGING, None, PeerRinging()),
        (InformationKind.HOLD, None, PeerHeld(True)),
        (InformationKind.UNHOLD, None, PeerHeld(False)),
        (InformationKind.ACTIVE, None, PeerHeld(False)),
        (InformationKind.MUTE, None, PeerMuted(True)),
        (InformationKind.MUTE, "0", PeerMuted(True)),
        (InformationKind.UNMUTE, "0", PeerMuted(False)),
    ],
)
def test_what_the_call_is_told(kind: InformationKind, content: str | None, told: object) -> None:
    assert read_information(SessionInformation(kind, content), description()) == [told]


def test_mute_is_of_one_content_or_of_all() -> None:
    local = replace(description(), contents=(*description().contents, video("1"), video("2")))
    muted = InformationKind.MUTE
    assert read_information(SessionInformation(muted, "2"), local) == [PeerMuted(True, "2")]
    assert read_information(SessionInformation(muted, "0"), local) == [PeerMuted(True)]
    assert read_information(SessionInformation(muted, "9"), local) == []
    assert read_information(SessionInformation(muted), local) == [
        PeerMuted(True),
        PeerMuted(True, "1"),
        PeerMuted(True, "2"),
    ]
    assert write_information(Information.MUTE, local) == [SessionInformation(muted, "0")]
    assert write_information(Information.MUTE, local, "2") == [SessionInformation(muted, "2")]


def test_before_there_are_contents_only_the_whole_session_can_be_muted() -> None:
    assert read_information(SessionInformation(InformationKind.MUTE), None) == [PeerMuted(True)]
    assert read_information(SessionInformation(InformationKind.MUTE, "0"), None) == []


@pytest.mark.parametrize(
    ("information", "content"),
    [(Information.MUTE, "0"), (Information.UNMUTE, "0"), (Information.HOLD, None), (Information.UNHOLD, None)],
)
def test_what_the_peer_is_told(information: Information, content: str | None) -> None:
    assert write_information(information, description()) == [
        SessionInformation(InformationKind(information.value), content)
    ]
