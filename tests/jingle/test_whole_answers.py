from __future__ import annotations

from openvoice.core.agreement import Agreement
from openvoice.core.description import MAXIMUM_CONTENTS, Senders, SessionDescription, Setup
from openvoice.jingle.model import IceTransport, JingleContent
from openvoice.jingle.whole_answers import WholeAnswers
from tests.jingle.samples import content, description, parsed


def answers(local: SessionDescription, remote: SessionDescription) -> WholeAnswers:
    agreed = Agreement()
    agreed.local, agreed.remote = local, remote
    return WholeAnswers(agreed)


def added(name: str) -> JingleContent:
    return parsed("content-add", content(name, media="video", senders="initiator")).contents[0]


def setups(contents: tuple[JingleContent, ...]) -> list[str]:
    return [c.transport.fingerprints[0].setup for c in contents if isinstance(c.transport, IceTransport)]


def test_what_is_not_taken_shares_the_transport_of_the_voice() -> None:
    whole = answers(description(), description(Setup.ACTIVE))
    whole.echo(added("1"))
    (voice, video), bundle = whole.write()
    assert (voice.name, video.name, video.senders) == ("0", "1", Senders.BOTH)
    assert voice.transport == video.transport
    assert video.description == added("1").description
    assert bundle == ("0", "1")


def test_the_dtls_roles_stay_as_they_were_agreed() -> None:
    offered, accepted = description(), description(Setup.ACTIVE)
    assert setups(answers(offered, accepted).write()[0]) == ["passive"]
    assert setups(answers(offered, description(Setup.PASSIVE)).write()[0]) == ["active"]
    assert setups(answers(accepted, offered).write()[0]) == ["active"]


def test_what_the_peer_takes_back_is_answered_no_more() -> None:
    whole = answers(description(), description())
    whole.echo(added("1"))
    assert "1" in whole
    whole.forget("1")
    whole.forget("9")
    assert "1" not in whole
    assert [item.name for item in whole.write()[0]] == ["0"]


def test_a_peer_cannot_add_for_ever() -> None:
    whole = answers(description(), description())
    for number in range(100):
        whole.echo(added(f"v{number}"))
    assert len(whole.write()[0]) == MAXIMUM_CONTENTS + 1
