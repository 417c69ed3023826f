from __future__ import annotations

import re
from itertools import combinations

import pytest

from openvoice.core.word_list import FIRST, SECOND, words_of

CLOSEST = 3


def distance(one: str, other: str) -> int:
    """The least number of letters to change, add or leave out."""
    row = list(range(len(other) + 1))
    for above, letter in enumerate(one, 1):
        diagonal, row[0] = row[0], above
        for place, against in enumerate(other, 1):
            diagonal, row[place] = (
                row[place],
                min(row[place] + 1, row[place - 1] + 1, diagonal + (letter != against)),
            )
    return row[-1]


def test_distances_are_counted() -> None:
    assert [distance(*pair) for pair in (("lemon", "melon"), ("a", ""), ("kitten", "sitting"))] == [2, 1, 3]


@pytest.mark.parametrize("words", [FIRST, SECOND], ids=["first", "second"])
def test_every_octet_has_a_word_of_its_own(words: tuple[str, ...]) -> None:
    assert len(words) == len(set(words)) == 256
    assert list(words) == sorted(words)
    for word in words:
        assert re.fullmatch("[a-z]{4,12}", word)


def test_no_two_words_of_both_lists_are_alike() -> None:
    for one, other in combinations(FIRST + SECOND, 2):
        assert distance(one, other) >= CLOSEST, (one, other)
        assert not one.startswith(other)
        assert not other.startswith(one)


def test_octets_are_told_by_turns_from_both_lists() -> None:
    assert words_of(bytes([0, 0, 255, 255])) == (FIRST[0], SECOND[0], FIRST[255], SECOND[255])
    assert words_of(b"") == ()
