from __future__ import annotations

import pytest

from openvoice.core.trust import Trust
from openvoice.report import rows
from openvoice.report.parties import parties
from openvoice.report.verdict import Grade
from tests.report.calls import ALICE, BOB, security
from tests.report.test_page import HOSTILE, Page


def test_each_party_has_a_row_in_words() -> None:
    own, peers, turn, stun, network, peer = rows(security(ALICE, BOB))
    assert (own.party, own.name, own.hearing, own.grade) == ("Own server", "example.org", "could hear", Grade.BAD)
    assert peers.party == "Peer's server"
    assert (turn.name, turn.hearing, turn.learnt) == ("turn.example.org", "could not hear", ("when", "how long"))
    assert turn.addresses == ("203.0.113.9 (as a router shows it)",)
    assert (stun.learnt, stun.addresses, stun.why) == ((), (), "None was asked.")
    assert network.grade is Grade.GOOD
    assert (peer.hearing, peer.grade) == ("could hear", Grade.GOOD)
    assert "198.51.100.5 (of the relay)" in peer.addresses


@pytest.mark.parametrize(
    ("trust", "grade", "hearing"),
    [
        (None, Grade.BAD, "could hear"),
        (Trust.UNDECIDED, Grade.BAD, "could hear"),
        (Trust.TRUSTED, Grade.DOUBTFUL, "not, if the key is the peer's"),
        (Trust.VERIFIED, Grade.GOOD, "could not hear"),
    ],
)
def test_a_server_is_judged_by_who_vouches(trust: Trust | None, grade: Grade, hearing: str) -> None:
    own = rows(security(ALICE, BOB, trust))[0]
    assert (own.grade, own.hearing) == (grade, hearing)


def test_a_row_of_the_page_says_what_was_learnt_and_what_was_not() -> None:
    made = Page(parties(security(ALICE, BOB)))
    assert len(made.all("tr")) == 7
    assert [cell["class"] for cell in made.all("tr")[1:]] == ["bad", "bad", "good", "good", "good", "good"]
    assert made.words.count("learnt who") == 3
    assert made.words.count("not who") == 3
    assert "no address of this device" in made.words


def test_a_report_without_verdicts_shows_none() -> None:
    assert rows({}) == []
    assert parties({"parties": None}) == ""


def test_what_a_file_says_stays_text_and_a_party_that_is_none_is_passed_over() -> None:
    odd = {
        "party": "peer",
        "name": HOSTILE,
        "could_hear": "yes",
        "why": HOSTILE,
        "learnt": {"addresses": [{"address": HOSTILE, "type": HOSTILE}]},
    }
    security = {"parties": [odd, {"party": HOSTILE}, {"party": ["peer"]}, {"party": "network"}]}
    first, second = rows(security)
    assert first.hearing == second.hearing == "not, if the key is the peer's", "what is no verdict is no good one"
    made = Page(parties(security))
    assert made.all("script") == made.all("img") == []
