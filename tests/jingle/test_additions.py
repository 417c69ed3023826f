from __future__ import annotations

from openvoice.core.description import Senders, Setup
from openvoice.jingle.additions import Additions
from openvoice.jingle.model import IceTransport, JingleContent
from openvoice.jingle.parse import MAXIMUM_CONTENTS
from tests.jingle.samples import content, description, parsed


def setups(contents: tuple[JingleContent, ...]) -> list[str]:
    return [c.transport.fingerprints[0].setup for c in contents if isinstance(c.transport, IceTransport)]


def test_what_is_added_shares_the_transport_of_the_voice() -> None:
    added = parsed("content-add", content("1", media="video", senders="initiator"))
    voice, video = Additions().answer(added, description(), description(Setup.ACTIVE))
    assert (voice.name, video.name, video.senders) == ("0", "1", Senders.BOTH)
    assert voice.transport == video.transport
    assert video.description == added.contents[0].description


def test_the_dtls_roles_stay_as_they_were_agreed() -> None:
    offered, accepted = description(), description(Setup.ACTIVE)
    nothing = parsed("content-modify")
    assert setups(Additions().answer(nothing, offered, accepted)) == ["passive"]
    assert setups(Additions().answer(nothing, offered, description(Setup.PASSIVE))) == ["active"]
    assert setups(Additions().answer(nothing, accepted, offered)) == ["active"]


def test_removed_contents_are_answered_no_more() -> None:
    additions = Additions()
    additions.answer(parsed("content-add", content("1")), description(), description())
    gone = parsed("content-remove", "<content name='1'/><content name='9'/>")
    assert [item.name for item in additions.answer(gone, description(), description())] == ["0"]


def test_a_peer_cannot_add_for_ever() -> None:
    additions = Additions()
    for number in range(100):
        answer = additions.answer(parsed("content-add", content(f"v{number}")), description(), description())
    assert len(answer) == MAXIMUM_CONTENTS + 1
