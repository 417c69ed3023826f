from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openvoice.report.text import milliseconds, name, percent, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Bob", "Bob"),
        ("Zoë Žižek 李", "Zoë Žižek 李"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ('" onload="x', "&quot; onload=&quot;x"),
        ("it's & that", "it&#x27;s &amp; that"),
        ("gpj.\N{RIGHT-TO-LEFT OVERRIDE}exe", "gpj.\N{REPLACEMENT CHARACTER}exe"),
        ("a\N{ZERO WIDTH SPACE}b\N{FIRST STRONG ISOLATE}c", "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"),
        ("a\nb\x00\N{LINE SEPARATOR}", "a\N{REPLACEMENT CHARACTER}b" + 2 * "\N{REPLACEMENT CHARACTER}"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("a" + "\N{COMBINING ACUTE ACCENT}" * 50, "a" + "\N{COMBINING ACUTE ACCENT}" * 4),
        ("x" * 300, "x" * 199 + "…"),
        (7, "7"),
    ],
)
def test_text_is_harmless(text: object, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(alphabet=st.characters()), st.integers(1, 60))
def test_nothing_dangerous_is_left(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert not set(shown) & set("<>\"'")
    assert not any(unicodedata.category(character)[0] == "C" for character in shown)
    assert shown.encode().decode() == shown
    assert len(shown) <= limit * 6


def test_a_name_does_not_turn_its_sentence_round() -> None:
    assert name("<b>") == "<bdi>&lt;b&gt;</bdi>"


def test_numbers_are_for_people() -> None:
    assert [milliseconds(seconds) for seconds in (0, 0.0844, 0.9, 5.834)] == ["0 ms", "84 ms", "900 ms", "5.83 s"]
    assert [percent(share) for share in (0, 0.015, 0.1, 1)] == ["0 %", "1.5 %", "10 %", "100 %"]
