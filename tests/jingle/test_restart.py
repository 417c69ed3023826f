from __future__ import annotations

from openvoice.jingle.model import IceTransport
from openvoice.jingle.restart import MAXIMUM_SEEN, Attempt, IceCredentials
from tests.jingle.samples import CANDIDATE, description, parsed, trickled


def credentials(*names: str) -> IceCredentials:
    ice = IceCredentials()
    ice.describe_local(description(ufrag="ours"))
    ice.adopt((name, f"peer{name}", "secret") for name in names or ("0",))
    return ice


def test_known_credentials_restart_nothing() -> None:
    ice = credentials()
    assert ice.fresh(parsed("transport-info", trickled(CANDIDATE, ufrag="peer0", pwd="secret"))) is None
    assert ice.fresh(parsed("transport-info", trickled(CANDIDATE, ufrag="", pwd=""))) is None
    assert ice.fresh(parsed("transport-info", "<content name='0'><transport xmlns='urn:x'/></content>")) is None


def test_one_new_pair_is_good_for_all_contents() -> None:
    ice = credentials("0", "1")
    found = ice.fresh(parsed("transport-info", trickled("", "1", ufrag="new")))
    assert found == (("0", "new", "peer-password"), ("1", "new", "peer-password"))


def test_several_new_pairs_must_cover_every_content() -> None:
    ice = credentials("0", "1", "2")
    two = trickled("", "0", ufrag="a") + trickled("", "1", ufrag="b")
    assert ice.fresh(parsed("transport-info", two)) is None
    found = ice.fresh(parsed("transport-info", two + trickled("", "2", ufrag="c")))
    assert found is not None
    assert [ufrag for _, ufrag, _ in found] == ["a", "b", "c"]


def test_credentials_of_other_contents_restart_nothing() -> None:
    """Dino trickles for the video that it added, though that was refused."""
    assert credentials().fresh(parsed("transport-info", trickled(CANDIDATE, "video", ufrag="new"))) is None


def test_what_is_outdated() -> None:
    ice = credentials()
    old = IceTransport(ufrag="peer0", pwd="secret")
    assert not ice.outdated(old)
    ice.adopt([("0", "new", "secret")])
    assert ice.outdated(old)
    assert not ice.outdated(IceTransport(ufrag="new", pwd="secret"))
    assert not ice.outdated(IceTransport())


def test_a_peer_that_restarts_for_ever_fills_no_memory() -> None:
    ice = credentials()
    for number in range(1000):
        ice.adopt([("0", f"new{number}", "secret")])
    assert len(ice._seen) == MAXIMUM_SEEN


def test_an_attempt_from_beginning_to_confirmation() -> None:
    ice = credentials()
    assert not ice.finished("r", refused=False)
    ice.begin("r", (("0", "fresh", "p"),))
    assert ice.local("0") == ("fresh", "p")
    assert not ice.finished("another", refused=True)
    assert ice.finished("r", refused=False)
    assert ice.attempt is Attempt.ACKNOWLEDGED
    assert not ice.finished("r", refused=True)
    ice.confirmed()
    assert (ice.attempt, ice.local("0")) == (Attempt.NONE, ("fresh", "p"))


def test_a_refusal_brings_the_old_credentials_back() -> None:
    ice = credentials()
    ice.begin("r1", (("0", "first", "p"),))
    ice.begin("r2", (("0", "second", "p"),))
    assert not ice.finished("r1", refused=True)
    assert ice.finished("r2", refused=True)
    assert (ice.attempt, ice.local("0")) == (Attempt.REFUSED, ("ours", "password"))
    ice.begin("r3", (("0", "third", "p"),))
    ice.abandon()
    assert (ice.attempt, ice.local("0")) == (Attempt.NONE, ("ours", "password"))


def test_a_content_without_credentials() -> None:
    assert credentials().local("nowhere") == ("", "")
