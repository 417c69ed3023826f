from __future__ import annotations

from dataclasses import dataclass

import pytest

from openvoice.core.naming import meant


@dataclass(frozen=True)
class Thing:
    index: int
    name: str


LISTED = [Thing(0, "Front"), Thing(1, "Front left"), Thing(7, "2"), Thing(2, "Rear"), Thing(3, "rear")]


@pytest.mark.parametrize(("wanted", "index"), [("front", 0), ("LEFT", 1), ("2", 7), (2, 2), ("rear", 2), ("7", 7)])
def test_whole_names_go_before_parts_and_names_before_numbers(wanted: str | int, index: int) -> None:
    assert meant(LISTED, wanted, "thing").index == index


@pytest.mark.parametrize(
    ("wanted", "words"),
    [("x", "there is no thing 'x'; there is 'Front' (0), "), ("r", "'r' may be more than one thing")],
)
def test_what_is_not_clear_is_told_with_what_there_is(wanted: str, words: str) -> None:
    with pytest.raises(LookupError) as caught:
        meant(LISTED, wanted, "thing")
    assert words in caught.value.args[0]
