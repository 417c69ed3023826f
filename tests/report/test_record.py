from __future__ import annotations

from typing import Any

import pytest

from openvoice.core.trust import Trust
from openvoice.report import render_record
from tests.report.calls import record
from tests.report.test_page import HOSTILE, Page


def page(trust: Trust | None = None, **changed: Any) -> Page:
    return Page(render_record(record(trust, **changed)))


def test_tells_what_one_side_knows() -> None:
    words = page().words
    for expected in (
        "A call to bob@example.org",
        "The servers could have heard this call",
        "keys vouched for by the servers only",
        "turn.example.org",
        "203.0.113.9 (as a router shows it)",
        "Only the servers vouch for the peer's key",
        "An authority",
        "AA:AA:AA:AA",
        "1.5 % lost",
        "call-1",
    ):
        assert expected in words, expected


@pytest.mark.parametrize(
    ("trust", "grade", "headline"),
    [
        (None, "bad", "The servers could have heard"),
        (Trust.TRUSTED, "doubtful", "if the peer's key is the right one"),
        (Trust.VERIFIED, "good", "Nobody but the two devices could hear"),
    ],
)
def test_the_headline_is_the_worst_verdict(trust: Trust | None, grade: str, headline: str) -> None:
    made = page(trust)
    assert headline in made.words
    assert made.all("header") == [{"class": grade}]
    if trust:
        assert "27183" in made.words


def test_a_call_in_which_nothing_was_said_says_so() -> None:
    parties = [verdict | {"could_hear": False} for verdict in record()["security"]["parties"]]
    words = page(duration=0.0, outcome="declined", security={"parties": parties}).words
    assert "nothing was said" in words
    assert "The numbers" not in words


def test_a_call_of_which_nothing_is_kept_is_a_whole_page() -> None:
    missed = {"call": "x", "time": 1.0, "direction": "incoming", "peer": "eve@example.org", "outcome": "missed"}
    made = Page(render_record(missed))
    assert "A call from eve@example.org" in made.words
    assert "Not known" in made.words
    assert made.all("section") == []


def test_hostile_text_stays_text() -> None:
    made = page(peer=HOSTILE, outcome=HOSTILE, call=HOSTILE)
    assert made.all("script") == made.all("img") == []
    assert "default-src 'none'" in str(made.all("meta"))
