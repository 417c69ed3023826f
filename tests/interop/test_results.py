from __future__ import annotations

from xml.etree import ElementTree

from openvoice.interop.results import Outcome, Result, junit, summary

RESULTS = [
    Result(id="C-01", client="conversations", title="Calling", outcome=Outcome.HOLDS, seconds=1.25),
    Result(
        id="C-02", client="conversations", title="Called", outcome=Outcome.FAILS, text="expected <a>, and \x1b came"
    ),
    Result(id="D-01", client="dino", title="Calling", outcome=Outcome.NOT_TRIED, text="it needs a person"),
]


def test_one_line_for_all() -> None:
    assert summary(RESULTS) == "1 hold, 1 fail, 1 not tried"


def test_junit_is_what_other_programs_read() -> None:
    root = ElementTree.fromstring(junit(RESULTS, "bob@example.org"))
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("3", "1", "1")
    suites = {suite.get("name"): suite for suite in root}
    assert list(suites) == ["conversations", "dino"]
    assert suites["conversations"].get("time") == "1.250"
    failure = suites["conversations"].find("testcase/failure")
    assert failure is not None
    assert failure.get("message") == "expected <a>, and   came"
    skipped = suites["dino"].find("testcase/skipped")
    assert skipped is not None
    assert skipped.get("message") == "it needs a person"


def test_json_holds_the_same() -> None:
    assert RESULTS[0].as_dict() == {
        "id": "C-01",
        "client": "conversations",
        "title": "Calling",
        "outcome": "holds",
        "text": "",
        "seconds": 1.25,
    }
