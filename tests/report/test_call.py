from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.errors import UsageError
from openvoice.report import Actor, CallReport, Moment, Side
from tests.report.calls import ALICE, BOB, report, side

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def test_json_and_back_is_the_same() -> None:
    for call in (report(), report(caller=side("alice@example.org", ALICE, BOB, similarity=None, sent=None))):
        assert CallReport.from_json(call.to_json()) == call


def test_json_is_what_is_documented() -> None:
    document = json.loads(report().to_json())
    assert document["schema"] == "openvoice.call/1"
    assert document["moments"][1] == {"name": "ringing", "at": 0.012, "by": "callee"}
    assert set(document["caller"]) == {"address", "statistics", "security", "sent", "received", "similarity", "seen"}
    assert document["caller"]["similarity"] == {
        "correlation": 0.97,
        "found": 1.0,
        "delay_seconds": 0.041,
        "passed": True,
    }
    assert document["callee"]["statistics"]["codec"] == "opus"
    assert document["callee"]["security"]["vouching"] == "signalled"


def test_unknown_keys_are_passed_over() -> None:
    document = json.loads(report().to_json())
    document["new"] = document["caller"]["newer"] = 1
    assert CallReport.from_json(json.dumps(document)) == report()


def test_documents_from_before_there_were_pictures_are_read() -> None:
    document = json.loads(report().to_json())
    for name in ("caller", "callee"):
        del document[name]["statistics"]["video"], document[name]["seen"]
    read = CallReport.from_json(json.dumps(document)).caller
    assert (read.statistics.video, read.seen) == ((), None)


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", '{"schema": "openvoice.call/2"}', "\x00"])
def test_other_documents_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a report of a call"):
        CallReport.from_json(text)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where something stands in a JSON document."""
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    return [path] * bool(path) + [place for key, value in inner for place in places(value, (*path, key))]


PLACES = places(json.loads(report().to_json()))


@given(place=st.sampled_from(PLACES), value=JSON)
def test_a_wrong_value_anywhere_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    document: Any = json.loads(report().to_json())
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    try:
        CallReport.from_json(json.dumps(document))
    except UsageError as error:
        assert "\n" not in str(error)  # noqa: PT017


def test_names_people_by_the_front_of_their_address() -> None:
    assert Side(address="alice@example.org/phone").name == "Alice"
    assert Side(address="example.org").name == "Example.org"


def test_times_are_times() -> None:
    with pytest.raises(ValueError, match="has a time"):
        Moment(name="end", at=float("nan"), by=Actor.BOTH)
    for wrong in ({"started": float("nan")}, {"started": -1.0}, {"duration": float("inf")}, {"duration": -1.0}):
        with pytest.raises(ValueError, match="has a time"):
            report(**wrong)


def test_finds_the_first_moment_of_a_name() -> None:
    call = report(moments=tuple(Moment(name="end", at=at, by=Actor.BOTH) for at in (1.0, 2.0)))
    moment = call.moment("end")
    assert moment is not None
    assert moment.at == 1.0
    assert call.moment("ringing") is None
